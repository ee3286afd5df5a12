#include "harness/plugin/plugins.h"

#include "harness/base/digest.h"
#include "harness/base/error.h"
#include "harness/plugin/c_host.h"
#include "harness/plugin/cxx_host.h"
#include "harness/plugin/cxx_plugin.h"
#include "harness/plugin/exported.h"
#include "harness/plugin/kind.h"
#include "harness/plugin/process_method.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

constexpr char kHostStamp[] = TM_STAMP;

void RequireFit(const fs::path& path, const PluginStamp& stamp) {
  const auto wrong = StampMismatches(stamp, HostStamp());
  if (wrong.empty()) return;
  std::string text = path.string() + " was built for another program";
  for (const std::string& each : wrong) text += "\n  " + each;
  throw ConfigError(text);
}

}  // namespace

PluginStamp HostStamp() {
  const std::string_view mark = "TAILMARKSTAMP";
  const Json json =
      ParseJson(std::string_view(kHostStamp).substr(mark.size()), "our stamp");
  PluginStamp stamp;
  stamp.kind = json.at("kind").get<std::string>();
  stamp.abi = json.at("abi").get<std::string>();
  stamp.compiler = json.at("compiler").get<std::string>();
  stamp.libstdcxx_abi = json.at("libstdcxx_abi").get<std::string>();
  stamp.torch = json.at("torch").get<std::string>();
  stamp.torch_git = json.at("torch_git").get<std::string>();
  stamp.cuda = json.at("cuda").get<std::string>();
  stamp.build_type = json.at("build_type").get<std::string>();
  stamp.sanitizer = json.at("sanitizer").get<std::string>();
  return stamp;
}

std::string ArtifactSha256(const fs::path& path) {
  const PluginKind kind = KindOfPlugin(path);
  if (kind.name == "process") return ProcessSha256(path);
  if (kind.name == "torchscript" || kind.name == "aoti") {
    return ExportedSha256(path);
  }
  return Sha256File(path);
}

std::vector<std::string> OpenPlugin(const fs::path& path,
                                    MethodRegistry& registry,
                                    const PluginPlace& place) {
  MethodRegistry found;
  const std::string kind = KindOfPlugin(path).name;
  if (kind == "process") {
    found.Insert(OpenProcess(path, place));
  } else if (kind == "torchscript" || kind == "aoti") {
    found.Insert(OpenExported(path, place));
  } else {
    RequireFit(path, ReadStamp(path));
    (kind == "c_plugin" ? OpenCPlugin : OpenCxxPlugin)(path, found);
  }
  const auto taken = registry.Names();
  for (const std::string& name : found.Names()) {
    for (const std::string& other : taken) {
      if (name != other) continue;
      throw ConfigError(StrCat(path.string(), ": its method '", name,
                               "' has the name of a builtin; rename it"));
    }
    registry.Insert(found.Find(name));
  }
  if (found.Names().empty()) {
    throw ConfigError(path.string() + ": registers no method");
  }
  return found.Names();
}

}  // namespace tailmark
