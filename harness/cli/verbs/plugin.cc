#include <algorithm>
#include <filesystem>
#include <iostream>

#include "harness/base/error.h"
#include "harness/base/json.h"
#include "harness/base/log.h"
#include "harness/base/suggest.h"
#include "harness/base/temporary_folder.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/named_plugin.h"
#include "harness/cli/planning.h"
#include "harness/cli/plugins.h"
#include "harness/cli/score_checks.h"
#include "harness/cli/tables.h"
#include "harness/cli/verbs.h"
#include "harness/plugin/kind.h"
#include "harness/plugin/stamp.h"
#include "harness/record/catalog.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;

constexpr double kPatience = 300;  // Seconds for one promise.

struct CheckOptions {
  std::string what;
  std::vector<std::string> allow_plugins;
  std::vector<std::string> only;
  bool json = false;
};

/// A method to be checked: a builtin, or one of a plugin's.
struct Checked {
  std::string method;
  fs::path plugin;  ///< "" for a builtin.
};

bool IsBuiltin(const std::string& name) {
  const auto catalog = CatalogIfThere();
  return catalog &&
         std::any_of(catalog->methods.begin(), catalog->methods.end(),
                     [&](const auto& each) { return each.name == name; });
}

/// Those of a plugin: naming it is consent to run it.
std::vector<Checked> MethodsOf(const PluginReference& plugin) {
  std::vector<Checked> found;
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

/// The worker's answer; null, with why in `why`, when it could give none.
Json AskWorker(const Checked& checked, const std::string& check,
               std::string& why) {
  TemporaryFolder scratch;
  const fs::path answer = scratch.path() / "answer.json";
  std::vector<std::string> words = {"check", answer.string(), "--method",
                                    checked.method};
  if (!check.empty()) words.insert(words.end(), {"--check", check});
  if (!checked.plugin.empty()) {
    words.insert(words.end(), {"--plugin", checked.plugin.string()});
  }
  const ProcessEnd end = RunWorker(words, kPatience);
  if (end.exit_code == 0 && fs::exists(answer)) return ReadJson(answer);
  why = end.cause == EndCause::kWallTime
            ? StrCat("it did not end within ", kPatience, " s")
        : end.signal ? StrCat("it crashed: signal ", *end.signal)
                     : StrCat("it ended the process with code ",
                              end.exit_code.value_or(0));
  if (!end.tail.empty()) why += "; its last words: " + end.tail;
  return nullptr;
}

std::vector<Json> ChecksToAsk(const Checked& checked,
                              const std::vector<std::string>& only) {
  std::string why;
  const Json all = AskWorker(checked, "", why);
  if (all.is_null()) {
    throw ConfigError(StrCat("'", checked.method, "': ", why));
  }
  std::vector<Json> asked;
  std::vector<std::string> names;
  for (const Json& each : all) {
    names.push_back(each["check"].get<std::string>());
    if (only.empty() ||
        std::find(only.begin(), only.end(), names.back()) != only.end()) {
      asked.push_back(each);
    }
  }
  for (const std::string& name : only) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      throw ConfigError(UnknownName("check", name, names));
    }
  }
  return asked;
}

OrderedJson CheckOne(const Checked& checked, const Json& check) {
  std::string why;
  const Json answer =
      AskWorker(checked, check["check"].get<std::string>(), why);
  const bool none = answer.is_null();
  return {{"check", check["check"]},
          {"meaning", check["meaning"]},
          {"outcome", none ? Json("broken") : answer["outcome"]},
          {"detail", none ? Json(why) : answer["detail"]}};
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
  std::cout << std::endl;  // One a second or so: as they come.
}

OrderedJson CheckMethod(const Checked& checked, const CheckOptions& options) {
  if (!options.json) std::cout << checked.method << "\n";
  OrderedJson results = OrderedJson::array();
  for (const Json& check : ChecksToAsk(checked, options.only)) {
    results.push_back(CheckOne(checked, check));
    if (!options.json) Print(results.back());
  }
  return {{"method", checked.method}, {"checks", results}};
}

OrderedJson CheckScoreFile(const fs::path& file, const CheckOptions& options) {
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

int Check(const CheckOptions& options) {
  OrderedJson answer = OrderedJson::array();
  const auto plugin =
      IsBuiltin(options.what) ? std::nullopt : NamedPlugin(options.what);
  if (plugin && plugin->kind == "scores") {
    answer.push_back(CheckScoreFile(plugin->path, options));
  } else if (plugin) {
    for (const Checked& each : MethodsOf(*plugin)) {
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
  auto options = std::make_shared<CheckOptions>();
  return {
      .name = "check",
      .summary =
          "Hold a method of any kind to the contract: some twenty promises, "
          "each in a process of its own",
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
