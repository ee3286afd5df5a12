#include <algorithm>
#include <filesystem>
#include <iostream>

#include "harness/base/error.h"
#include "harness/base/json.h"
#include "harness/base/log.h"
#include "harness/base/suggest.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/named_plugin.h"
#include "harness/cli/planning.h"
#include "harness/cli/plugins.h"
#include "harness/cli/promises.h"
#include "harness/cli/score_checks.h"
#include "harness/cli/tables.h"
#include "harness/cli/verbs.h"
#include "harness/plugin/kind.h"
#include "harness/plugin/stamp.h"
#include "harness/record/catalog.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;

struct PluginCheckOptions {
  std::string what;
  std::vector<std::string> allow_plugins;
  std::vector<std::string> only;
  bool json = false;
};

bool IsBuiltin(const std::string& name) {
  const auto catalog = CatalogIfThere();
  return catalog &&
         std::any_of(catalog->methods.begin(), catalog->methods.end(),
                     [&](const auto& each) { return each.name == name; });
}

/// Those of a plugin: naming it is consent to run it.
std::vector<CheckedMethod> MethodsOf(const PluginReference& plugin) {
  std::vector<CheckedMethod> found;
  std::vector<std::string> names;
  for (const MethodEntry& each : AskPlugin(plugin)) {
    names.push_back(each.name);
    if (plugin.method.empty() || plugin.method == each.name) {
      found.push_back({each.name, plugin.path});
    }
  }
  if (found.empty()) {
    throw ConfigError(StrCat(plugin.path.string(), ": ",
                             UnknownName("method", plugin.method, names)));
  }
  return found;
}

void Print(const OrderedJson& result) {
  const auto outcome = result["outcome"].get<std::string>();
  const auto detail = result["detail"].get<std::string>();
  std::cout << (outcome == "kept"      ? "  ok      "
                : outcome == "skipped" ? "  skipped "
                                       : "  BROKEN  ")
            << result["meaning"].get<std::string>();
  if (!detail.empty()) std::cout << "\n            " << detail;
  if (outcome == "broken") {
    std::cout << "\n            again: --only "
              << result["check"].get<std::string>();
  }
  std::cout << std::endl;  // As they come.
}

OrderedJson CheckMethod(const CheckedMethod& checked,
                        const PluginCheckOptions& options) {
  if (!options.json) std::cout << checked.name << std::endl;
  OrderedJson results = OrderedJson::array();
  HoldToPromises(checked, options.only, [&](const PromiseKept& promise) {
    results.push_back({{"check", promise.check},
                       {"meaning", promise.meaning},
                       {"outcome", promise.outcome},
                       {"detail", promise.detail}});
    if (!options.json) Print(results.back());
  });
  return {{"method", checked.name}, {"checks", results}};
}

OrderedJson CheckScoreFile(const fs::path& file,
                           const PluginCheckOptions& options) {
  std::string name;
  const OrderedJson all = CheckScores(file, name);
  OrderedJson results = OrderedJson::array();
  std::vector<std::string> names;
  for (const OrderedJson& each : all) {
    names.push_back(each["check"].get<std::string>());
    if (options.only.empty() ||
        std::find(options.only.begin(), options.only.end(), names.back()) !=
            options.only.end()) {
      results.push_back(each);
    }
  }
  for (const std::string& each : options.only) {
    if (std::find(names.begin(), names.end(), each) == names.end()) {
      throw ConfigError(UnknownName("check", each, names));
    }
  }
  if (!options.json) {
    std::cout << name << ", scores of another system: none of its code runs\n";
    for (const OrderedJson& each : results) Print(each);
  }
  return {{"method", name}, {"checks", results}};
}

int Check(const PluginCheckOptions& options) {
  OrderedJson answer = OrderedJson::array();
  const auto plugin =
      IsBuiltin(options.what) ? std::nullopt : NamedPlugin(options.what);
  if (plugin && plugin->kind == "scores") {
    answer.push_back(CheckScoreFile(plugin->path, options));
  } else if (plugin) {
    for (const CheckedMethod& each : MethodsOf(*plugin)) {
      answer.push_back(CheckMethod(each, options));
    }
  } else {
    answer.push_back(
        CheckMethod({LoadCatalog().Find(options.what).name, ""}, options));
  }
  std::size_t broken = 0;
  for (const OrderedJson& each : answer) {
    for (const OrderedJson& result : each["checks"]) {
      if (result["outcome"] == "broken") ++broken;
    }
  }
  if (options.json) std::cout << answer.dump(2) << "\n";
  if (broken > 0) {
    LogError(StrCat(broken, broken == 1 ? " promise is" : " promises are",
                    " broken"));
  }
  return broken > 0 ? kExitRegression : kExitOk;
}

struct StampOptions {
  std::string file;
  bool json = false;
};

int Stamp(const StampOptions& options) {
  const PluginKind kind = KindOfPlugin(options.file);
  OrderedJson answer = {{"kind", kind.name}};
  if (kind.name == "cxx_plugin" || kind.name == "c_plugin") {
    const Json stamp = ToJson(ReadStamp(options.file));
    for (const auto& [name, value] : stamp.items()) {
      if (name != "kind" && value != "") answer[name] = value;
    }
  } else {
    answer["foreign"] = kind.foreign;
  }
  if (options.json) {
    std::cout << answer.dump(2) << "\n";
    return kExitOk;
  }
  std::vector<std::vector<std::string>> table;
  for (const auto& [name, value] : answer.items()) {
    table.push_back(
        {name, value.is_string() ? value.get<std::string>() : value.dump()});
  }
  std::cout << TextTable(table);
  return kExitOk;
}

Verb CheckVerbOfPlugins() {
  auto options = std::make_shared<PluginCheckOptions>();
  return {
      .name = "check",
      .summary =
          "Hold a method of any kind to the contract: some twenty promises",
      .example = "tailmark plugin check fancy",
      .declare =
          [options](Args& args) {
            args.Positional(
                "METHOD", options->what, true,
                "A folder that plugin new wrote, a plugin's file, plugin:FILE, "
                "process:FILE, scores:FILE or a builtin; naming it is consent "
                "to run it");
            args.Repeated("--allow-plugin", options->allow_plugins, "PATH",
                          "As for other verbs; not needed here");
            args.Repeated("--only", options->only, "CHECK",
                          "Only this promise");
            args.Flag("--json", options->json, "Print JSON");
          },
      .run = [options] { return Check(*options); }};
}

Verb StampVerb() {
  auto options = std::make_shared<StampOptions>();
  return {.name = "stamp",
          .summary = "What a plugin's file was built with, without running it",
          .example = "tailmark plugin stamp build/libfancy.so",
          .declare =
              [options](Args& args) {
                args.Positional("FILE", options->file, true,
                                "A shared object, method.json or model.json");
                args.Flag("--json", options->json, "Print JSON");
              },
          .run = [options] { return Stamp(*options); }};
}

}  // namespace

Verb PluginVerb() {
  return {.name = "plugin",
          .summary = "Methods of your own: begin one, check it, look at it",
          .example = "tailmark plugin new fancy --kind process",
          .declare = nullptr,
          .run = nullptr,
          .verbs = {PluginNewVerb(), CheckVerbOfPlugins(), StampVerb()}};
}

}  // namespace tailmark
