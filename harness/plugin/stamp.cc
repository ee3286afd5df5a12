#include "harness/plugin/stamp.h"

#include "harness/base/error.h"
#include "harness/base/files.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kMark = "TAILMARKSTAMP";
constexpr std::size_t kLongest = 4096;

struct Member {
  const char* name;
  std::string PluginStamp::*member;
};
constexpr Member kMembers[] = {{"kind", &PluginStamp::kind},
                               {"abi", &PluginStamp::abi},
                               {"compiler", &PluginStamp::compiler},
                               {"libstdcxx_abi", &PluginStamp::libstdcxx_abi},
                               {"torch", &PluginStamp::torch},
                               {"torch_git", &PluginStamp::torch_git},
                               {"cuda", &PluginStamp::cuda},
                               {"build_type", &PluginStamp::build_type},
                               {"sanitizer", &PluginStamp::sanitizer},
                               {"source", &PluginStamp::source}};

/// What each member means to a reader, and what helps when it differs.
struct Rule {
  std::string PluginStamp::*member;
  const char* what;
  const char* fix;
};
constexpr Rule kRules[] = {
    {&PluginStamp::abi, "the Tailmark headers",
     "build the plugin again against this installation "
     "(find_package(Tailmark))"},
    {&PluginStamp::compiler, "the compiler",
     "build both with the same one (CMAKE_CXX_COMPILER)"},
    {&PluginStamp::libstdcxx_abi, "the libstdc++ string ABI",
     "set -D_GLIBCXX_USE_CXX11_ABI to this program's value"},
    {&PluginStamp::torch, "LibTorch",
     "point both at one LibTorch (TAILMARK_TORCH_PREFIX)"},
    {&PluginStamp::torch_git, "the commit of LibTorch",
     "point both at one LibTorch (TAILMARK_TORCH_PREFIX)"},
    {&PluginStamp::cuda, "the flavour of LibTorch",
     "point both at one LibTorch (TAILMARK_TORCH_PREFIX)"},
    {&PluginStamp::build_type, "the build type",
     "build both with or both without NDEBUG (CMAKE_BUILD_TYPE)"},
    {&PluginStamp::sanitizer, "the sanitizers",
     "build both with the same -fsanitize"}};

PluginStamp StampFromJson(const Json& json, const std::string& where) {
  PluginStamp stamp;
  for (const Member& each : kMembers) {
    const auto found = json.find(each.name);
    if (found == json.end()) continue;
    if (!found->is_string()) {
      throw DataError(
          StrCat(where, ": '", each.name, "' of the stamp is no text"));
    }
    stamp.*each.member = found->get<std::string>();
  }
  if (stamp.kind != "cxx" && stamp.kind != "c") {
    throw DataError(StrCat(where, ": the stamp's kind is '", stamp.kind,
                           "', not one of cxx, c"));
  }
  return stamp;
}

std::string Shown(const std::string& value) {
  return value.empty() ? "none" : "'" + value + "'";
}

}  // namespace

Json ToJson(const PluginStamp& stamp) {
  Json json = Json::object();
  for (const Member& each : kMembers) json[each.name] = stamp.*each.member;
  return json;
}

PluginStamp ReadStamp(const fs::path& path) {
  const std::string bytes = ReadFile(path, std::int64_t{1} << 32);
  const std::string where = path.string();
  if (!bytes.starts_with("\x7f"
                         "ELF")) {
    throw DataError(where + ": is no ELF shared object");
  }
  Json found;
  for (std::size_t at = bytes.find(kMark); at != bytes.npos;
       at = bytes.find(kMark, at + 1)) {
    const std::string_view text =
        std::string_view(bytes).substr(at + kMark.size(), kLongest);
    const std::string_view json = text.substr(0, text.find('\0'));
    // The mark alone also stands in programs that look for it.
    if (!json.starts_with('{') || !json.ends_with('}')) continue;
    const Json stamp = ParseJson(json, where + ": its stamp");
    if (!found.is_null() && found != stamp) {
      throw DataError(where + ": holds two stamps that differ");
    }
    found = stamp;
  }
  if (found.is_null()) {
    throw DataError(
        StrCat(where,
               ": holds no plugin stamp, so it is no Tailmark plugin or was "
               "stripped of it; C++: TM_PLUGIN(YourMethod), C: the symbol "
               "tailmark_plugin_stamp"));
  }
  return StampFromJson(found, where);
}

std::vector<std::string> StampMismatches(const PluginStamp& plugin,
                                         const PluginStamp& host) {
  std::vector<std::string> wrong;
  // Between C and us there are only the function table and DLPack.
  const bool native = plugin.kind == "cxx";
  for (const Rule& rule : kRules) {
    if (!native && rule.member != &PluginStamp::abi) continue;
    const std::string& mine = plugin.*rule.member;
    const std::string& theirs = native ? host.*rule.member : "1";
    if (mine == theirs) continue;
    wrong.push_back(
        native ? StrCat(rule.what, " differ: the plugin has ", Shown(mine),
                        ", this program ", Shown(theirs), "; ", rule.fix)
               : StrCat("the C interface differs: the plugin has version ",
                        Shown(mine), ", this program ", Shown(theirs),
                        "; build the plugin against this installation's "
                        "tailmark_plugin_c.h"));
  }
  return wrong;
}

}  // namespace tailmark
