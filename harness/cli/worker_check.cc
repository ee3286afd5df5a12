#include "harness/cli/worker_check.h"

#include <algorithm>
#include <fstream>
#include <thread>

#include "datasets/images/pipeline.h"
#include "harness/base/error.h"
#include "harness/base/json.h"
#include "harness/cli/worker_place.h"
#include "harness/plugin/exported.h"
#include "harness/plugin/kind.h"
#include "harness/plugin/plugins.h"
#include "harness/run/contract/contract.h"
#include "methods/builtin.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;

/// What the checks have to know of a method that is not of this tree.
ContractHelp HelpFor(const MethodInfo& info, const fs::path& plugin) {
  ContractHelp help{.says_what_text_says = info.family == "prompt"};
  if (plugin.empty()) return help;
  const PluginKind kind = KindOfPlugin(plugin);
  if (kind.name != "torchscript" && kind.name != "aoti") return help;
  ExportedInput input = InputOfExported(plugin);
  help.classes = std::move(input.classes);
  help.input_size = input.pipeline.empty()
                        ? input.width
                        : PipelineByName(input.pipeline).size;
  if (help.input_size == 0) {
    throw ConfigError(
        StrCat(plugin.string(),
               ": to be checked it has to say how wide the features are that "
               "it takes; add \"width\": 512, or what it is"));
  }
  return help;
}

}  // namespace

void CheckMethod(const fs::path& out, const fs::path& plugin,
                 const std::string& method, std::vector<std::string> checks) {
  // Bits that depend on who of several comes first are to show.
  at::set_num_threads(
      static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
  MethodRegistry methods;
  RegisterBuiltinMethods(methods);
  if (!plugin.empty()) {
    HoldBackToAsk(plugin, out);
    OpenPlugin(plugin, methods);
  }
  const MethodRegistry::Entry& entry = methods.Find(method);
  const ContractHelp help = HelpFor(entry.info, plugin);
  std::ofstream answers(out, std::ios::app);
  const auto say = [&](const Json& line) {
    answers << line.dump() << std::endl;
    if (!answers) throw StoreError("cannot write " + out.string());
  };
  Json all = Json::array();
  for (const std::string& name : ContractChecks()) {
    all.push_back({{"check", name}, {"meaning", MeaningOf(name)}});
  }
  say({{"promises", all}});
  if (checks.empty()) checks = ContractChecks();
  for (const std::string& check : checks) {
    const ContractResult result = HoldToContract(entry, check, help);
    const bool broken = result.outcome == ContractResult::Outcome::kBroken;
    if (broken && check != checks.front()) return;
    const char* const words[] = {"kept", "skipped", "broken"};
    say({{"check", check},
         {"outcome", words[static_cast<std::size_t>(result.outcome)]},
         {"detail", result.detail}});
  }
}

}  // namespace tailmark
