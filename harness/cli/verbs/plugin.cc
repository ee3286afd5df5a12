#include <filesystem>
#include <iostream>

#include "harness/base/error.h"
#include "harness/base/json.h"
#include "harness/base/log.h"
#include "harness/base/suggest.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/plugins.h"
#include "harness/cli/promises.h"
#include "harness/cli/tables.h"
#include "harness/cli/verbs.h"
#include "harness/plugin/kind.h"
#include "harness/plugin/stamp.h"
#include "harness/record/catalog.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;

struct CheckOptions {
  std::string what;
  std::vector<std::string> allow_plugins;
  std::vector<std::string> only;
  bool json = false;
};

/// "plugin:FILE#NAME", "process:FILE", a bare file, or a builtin's name.
std::vector<CheckedMethod> Find(const CheckOptions& options) {
  std::string what = options.what;
  if (what.find(':') == what.npos && fs::is_regular_file(what)) {
    what = "plugin:" + what;
  }
  const auto reference = ParsePluginReference(what, fs::current_path());
  if (!reference) return {{LoadCatalog().Find(what).name, ""}};
  RequireAllowed(AllowedPlugins(options.allow_plugins), *reference);
  std::vector<CheckedMethod> found;
  std::vector<std::string> names;
  for (const MethodEntry& each : AskPlugin(*reference)) {
    names.push_back(each.name);
    if (reference->method.empty() || reference->method == each.name) {
      found.push_back({each.name, reference->path});
    }
  }
  if (found.empty()) {
    throw ConfigError(StrCat(reference->path.string(), ": ",
                             UnknownName("method", reference->method, names)));
  }
  return found;
}

void Print(const PromiseKept& promise) {
  std::cout << (promise.outcome == "kept"      ? "  ok      "
                : promise.outcome == "skipped" ? "  skipped "
                                               : "  BROKEN  ")
            << promise.meaning;
  if (!promise.detail.empty()) std::cout << "\n            " << promise.detail;
  if (promise.outcome == "broken") {
    std::cout << "\n            again: --only " << promise.check;
  }
  std::cout << std::endl;  // As they come.
}

int Check(const CheckOptions& options) {
  OrderedJson answer = OrderedJson::array();
  std::size_t broken = 0;
  for (const CheckedMethod& checked : Find(options)) {
    if (!options.json) std::cout << checked.name << std::endl;
    OrderedJson results = OrderedJson::array();
    HoldToPromises(checked, options.only, [&](const PromiseKept& promise) {
      if (promise.outcome == "broken") ++broken;
      if (!options.json) Print(promise);
      results.push_back({{"check", promise.check},
                         {"meaning", promise.meaning},
                         {"outcome", promise.outcome},
                         {"detail", promise.detail}});
    });
    answer.push_back({{"method", checked.name}, {"checks", results}});
  }
  if (options.json) std::cout << answer.dump(2) << "\n";
  if (broken > 0) LogError(StrCat(broken, " promises are broken"));
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
  auto options = std::make_shared<CheckOptions>();
  return {
      .name = "check",
      .summary =
          "Hold a method of any kind to the contract: some twenty promises",
      .example =
          "tailmark plugin check plugin:build/libfancy.so "
          "--allow-plugin .",
      .declare =
          [options](Args& args) {
            args.Positional(
                "METHOD", options->what, true,
                "plugin:FILE, process:FILE, a file of a plugin, or a builtin");
            args.Repeated("--allow-plugin", options->allow_plugins, "PATH",
                          "Run the code of this plugin, or of all in this "
                          "folder");
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
