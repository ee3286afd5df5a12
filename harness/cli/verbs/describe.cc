#include <algorithm>
#include <iostream>

#include "harness/base/error.h"
#include "harness/base/options_json.h"
#include "harness/cli/data_access.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/named_plugin.h"
#include "harness/cli/planning.h"
#include "harness/cli/plugins.h"
#include "harness/cli/score_rows.h"
#include "harness/cli/tables.h"
#include "harness/cli/verbs.h"
#include "harness/record/catalog.h"

namespace tailmark {
namespace {

std::string OptionTable(const FieldTable& fields) {
  std::vector<std::vector<std::string>> table = {
      {"  OPTION", "TYPE", "DEFAULT", "ALLOWED", "MEANING"}};
  for (const FieldInfo& field : fields) {
    table.push_back({"  " + field.name, std::string(NameOf(field.type)),
                     ToText(field.default_value), RuleOf(field), field.help});
  }
  return fields.empty() ? "  no options\n" : TextTable(table);
}

std::string CaptionsNeed(const MethodEntry& method) {
  std::string text = "needs captions";
  if (!method.captions_unless) return text;
  for (const auto& [name, value] : *method.captions_unless) {
    text += StrCat(" unless ", name, "=", ToText(value));
  }
  return text;
}

std::string Can(const MethodEntry& method) {
  std::string text;
  const auto add = [&](bool is, const std::string& words) {
    if (is) text += (text.empty() ? "" : ", ") + words;
  };
  add(method.trains, "trains");
  add(!method.trains, "does not train");
  add(method.stochastic, "depends on the seed");
  add(method.needs_text, "needs a text tower");
  add(method.needs_captions, CaptionsNeed(method));
  add(method.partial_labels, "takes unknown labels");
  add(method.trains_encoder, "trains the encoder");
  add(!method.batch_invariant, "scores depend on the batch");
  add(method.test_feedback.has_value(), "may ask for test scores as it trains");
  std::string precisions;
  for (const std::string& each : method.precisions) {
    precisions += (precisions.empty() ? "computes in " : " or ") + each;
  }
  add(true, precisions);
  return text;
}

OrderedJson DependsAnswer(const MethodEntry& method) {
  OrderedJson depends = OrderedJson::array();
  for (const Dependency& each : method.depends) {
    depends.push_back({{"role", each.role},
                       {"when", OrderedJson(ToJson(each.when))},
                       {"set", OrderedJson(ToJson(each.set))},
                       {"forget", each.forget},
                       {"repeat", each.repeat},
                       {"index", each.index},
                       {"scores", each.scores}});
  }
  return depends;
}

OrderedJson DeviationsAnswer(const MethodEntry& method) {
  OrderedJson deviations = OrderedJson::array();
  for (const Deviation& each : method.deviations) {
    deviations.push_back({{"topic", each.topic},
                          {"paper", OrderedJson(ToJson(each.paper))},
                          {"released", OrderedJson(ToJson(each.released))},
                          {"source", each.source},
                          {"effect", each.effect}});
  }
  return deviations;
}

/// The value on one side, "-" where that side is silent.
std::string ValueIn(const OptionMap& side, const std::string& name) {
  const auto found = side.find(name);
  return found == side.end() ? "-" : ToText(found->second);
}

std::string DefaultOf(const MethodEntry& method, const std::string& name) {
  if (name.find('.') != std::string::npos) return "of the recipe";
  return ToText(FindField(method.options, name).default_value);
}

void PrintDeviations(const MethodEntry& method) {
  std::cout << method.name << ": " << method.deviations.size()
            << " places where the paper and the released code differ or only "
               "one of them says\n\n";
  std::vector<std::vector<std::string>> table = {
      {"", "TOPIC", "OPTION", "PAPER", "CODE", "DEFAULT"}};
  std::string notes;
  std::size_t number = 0;
  for (const Deviation& each : method.deviations) {
    OptionMap names = each.paper;
    names.insert(each.released.begin(), each.released.end());
    std::string first = std::to_string(++number);
    notes += StrCat(number < 10 ? " " : "", number, "  ", each.topic, ": ",
                    each.effect, ". [", each.source, "]\n");
    std::string topic = each.topic;
    for (const auto& [name, value] : names) {
      table.push_back({first, topic, name, ValueIn(each.paper, name),
                       ValueIn(each.released, name), DefaultOf(method, name)});
      first.clear();
      topic.clear();
    }
  }
  if (method.deviations.empty()) return;
  std::cout << TextTable(table) << "\n" << notes;
}

OrderedJson MethodAnswer(const MethodEntry& method) {
  OrderedJson presets = OrderedJson::array();
  for (const PresetEntry& preset : method.presets) {
    presets.push_back({{"name", preset.name},
                       {"kind", preset.kind},
                       {"summary", preset.summary},
                       {"options", OrderedJson(ToJson(preset.options))}});
  }
  return {{"kind", "method"},
          {"name", method.name},
          {"version", method.version},
          {"summary", method.summary},
          {"family", method.family},
          {"cite", method.cite},
          {"input", method.input},
          {"needs",
           {{"text", method.needs_text},
            {"captions", method.needs_captions},
            {"test_feedback", method.test_feedback
                                  ? OrderedJson(ToJson(*method.test_feedback))
                                  : OrderedJson(nullptr)}}},
          {"abilities",
           {{"trains", method.trains},
            {"stochastic", method.stochastic},
            {"partial_labels", method.partial_labels},
            {"batch_invariant", method.batch_invariant},
            {"trains_encoder", method.trains_encoder},
            {"precisions", method.precisions}}},
          {"options", OrderedJson(ToJson(method.options))},
          {"presets", std::move(presets)},
          {"depends", DependsAnswer(method)},
          {"deviations", DeviationsAnswer(method)}};
}

/// "starts from stage1, a run with stage = 1, when stage = 2".
void PrintDependency(const Dependency& dependency) {
  const auto list = [](const OptionMap& options) {
    std::string text;
    for (const auto& [name, value] : options) {
      text += (text.empty() ? "" : ", ") + name + " = " + ToText(value);
    }
    return text;
  };
  std::cout << "\n  starts from " << dependency.role;
  if (!dependency.repeat.empty()) {
    std::cout << "-0, -1, ..., " << dependency.repeat << " runs that differ in "
              << dependency.index;
  }
  if (!dependency.set.empty()) std::cout << ", with " << list(dependency.set);
  if (!dependency.when.empty()) {
    std::cout << ", when " << list(dependency.when);
  }
  std::cout << "\n";
}

void PrintMethod(const MethodEntry& method) {
  std::cout << method.name << ", version " << method.version << "\n  "
            << method.summary << "\n\n"
            << "  input: " << method.input << "; " << Can(method) << "\n";
  if (!method.cite.empty()) std::cout << "  cite: " << method.cite << "\n";
  std::cout << "\n" << OptionTable(method.options);
  for (const Dependency& each : method.depends) PrintDependency(each);
  if (!method.deviations.empty()) {
    std::cout << "\n  paper and released code differ in "
              << method.deviations.size() << " places: --deviations\n";
  }
  for (const PresetEntry& preset : method.presets) {
    std::cout << "\n  " << preset.kind << " " << preset.name << ": "
              << preset.summary << "\n";
    for (const auto& [name, value] : preset.options) {
      std::cout << "    " << name << " = " << ToText(value) << "\n";
    }
  }
}

int DescribeDataset(const DatasetInfo& info, bool json) {
  if (json) {
    std::cout << OrderedJson({{"kind", "dataset"},
                              {"name", info.name},
                              {"version", info.version},
                              {"summary", info.summary},
                              {"needs_root", info.needs_root},
                              {"options", OrderedJson(ToJson(info.options))}})
                     .dump(2)
              << "\n";
    return kExitOk;
  }
  std::cout << info.name << ", data set, version " << info.version << "\n  "
            << info.summary << "\n"
            << (info.needs_root ? "  reads files below a root\n" : "") << "\n"
            << OptionTable(info.options);
  return kExitOk;
}

void Print(const MethodEntry& method, const DescribeRequest& options) {
  if (options.deviations && !options.json) {
    PrintDeviations(method);
  } else if (options.json) {
    std::cout << MethodAnswer(method).dump(2) << "\n";
  } else {
    PrintMethod(method);
  }
}

void PrintScores(const std::filesystem::path& file, bool json) {
  const ScoreFileInfo info = ReadScoreFile(file);
  const std::size_t images = ReadScoreIds(info).size();
  if (json) {
    std::cout << OrderedJson({{"name", info.name},
                              {"version", info.version},
                              {"summary", info.summary},
                              {"classes", info.classes},
                              {"images", images},
                              {"scale", info.scale},
                              {"pipeline", info.pipeline},
                              {"sha256", info.sha256}})
                     .dump(2)
              << "\n";
    return;
  }
  std::cout << info.name << ", version " << info.version << "\n  "
            << info.summary
            << "\n\n  scores alone, none of its code runs: " << images
            << " images, " << info.classes.size() << " classes; scale "
            << info.scale << ", pipeline " << info.pipeline << "\n";
}

int DescribePlugin(const PluginReference& plugin,
                   const DescribeRequest& options,
                   const GlobalOptions& global) {
  if (plugin.kind == "scores") {
    PrintScores(plugin.path, options.json);
    return kExitOk;
  }
  RequireAllowed(AllowedPlugins(options.allow_plugins), plugin);
  for (const MethodEntry& method : AskPlugin(plugin, CacheIfThere(global))) {
    if (!plugin.method.empty() && plugin.method != method.name) continue;
    Print(method, options);
  }
  return kExitOk;
}

int Describe(const DescribeRequest& options, const GlobalOptions& global) {
  if (options.name == "partition") return DescribePartition(options, global);
  if (!options.dataset.empty() || !options.set.empty()) {
    throw ConfigError(StrCat("'", options.dataset,
                             "' and --set belong to describe partition alone"));
  }
  const DataAccess data;
  const auto names = data.registry().Names();
  if (std::find(names.begin(), names.end(), options.name) != names.end()) {
    return DescribeDataset(data.registry().Find(options.name).info,
                           options.json);
  }
  const auto catalog = CatalogIfThere();
  const bool builtin =
      catalog &&
      std::any_of(catalog->methods.begin(), catalog->methods.end(),
                  [&](const auto& each) { return each.name == options.name; });
  if (const auto plugin = builtin ? std::nullopt : NamedPlugin(options.name)) {
    return DescribePlugin(*plugin, options, global);
  }
  Print(LoadCatalog().Find(options.name), options);
  return kExitOk;
}

}  // namespace

Verb DescribeVerb(const GlobalOptions& global) {
  auto options = std::make_shared<DescribeRequest>();
  return {.name = "describe",
          .summary =
              "A method or data set: options with ranges and defaults, "
              "abilities, presets, citation; or how a data set's classes fall "
              "into parts",
          .example = "tailmark describe linear_probe",
          .declare =
              [options](Args& args) {
                args.Positional("NAME", options->name, true,
                                "A method, a data set, a plugin's folder or "
                                "file, plugin:FILE, process:FILE, scores:FILE, "
                                "or: partition");
                args.Repeated("--allow-plugin", options->allow_plugins, "PATH",
                              "Ask this plugin, or any in this folder");
                args.Positional("DATASET", options->dataset, false,
                                "With partition: whose classes");
                args.Repeated("--set", options->set, "OPTION=VALUE",
                              "With partition: graph=apart, parts=5, ...");
                args.Flag("--deviations", options->deviations,
                          "Only where paper and released code differ, and by "
                          "which options");
                args.Flag("--json", options->json, "Print JSON");
              },
          .run = [options, &global] { return Describe(*options, global); }};
}

}  // namespace tailmark
