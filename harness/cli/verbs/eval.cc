#include <charconv>
#include <cstdio>
#include <iostream>

#include "harness/base/error.h"
#include "harness/base/log.h"
#include "harness/cli/data_access.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/planning.h"
#include "harness/cli/scored_data.h"
#include "harness/cli/tables.h"
#include "harness/cli/verbs.h"
#include "harness/metrics/decisions.h"
#include "harness/metrics/evaluate.h"
#include "harness/metrics/profile.h"
#include "results/ingest.h"
#include "results/query.h"

namespace tailmark {
namespace {

struct EvalOptions {
  std::vector<std::string> runs;
  std::string scores, labels, known, groups;
  std::vector<std::string> definitions;
  std::string difficult;
  std::vector<std::string> profiles;
  std::vector<std::string> thresholds;  ///< Numbers, or "best".
  std::optional<std::int64_t> top;
  bool per_image = false;
  bool json = false;
};

/// Everything asked for beside average precision over classes.
struct Extras {
  std::vector<DecisionResult> decisions;
  std::optional<DefinitionResult> per_image;
};

std::vector<Definition> DefinitionsOf(const EvalOptions& options,
                                      const LabelPolicy& policy) {
  if (options.definitions.empty() && options.profiles.empty()) {
    return DefaultDefinitions(policy);
  }
  std::vector<Definition> definitions;
  for (const std::string& id : options.definitions) {
    definitions.push_back(ParseDefinition(id, policy));
  }
  for (const std::string& name : options.profiles) {
    definitions.push_back(FindProfile(name).definition);
  }
  return definitions;
}

/// The rule of one --threshold.
DecisionRule RuleOf(const std::string& text, const ScoredData& in,
                    const LabelPolicy& policy) {
  if (text == "best") {
    // Chosen on the labels that it is scored with, and named so.
    return {
        .threshold = BestThreshold(in.scores.view(), in.label_spans(), policy),
        .origin = "best_on_test",
        .policy = policy};
  }
  double value = 0;
  const auto* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || at != end) {
    throw ConfigError(StrCat("--threshold ", text,
                             ": expected a number, or best for the one that "
                             "flatters most"));
  }
  return {.threshold = value, .policy = policy};
}

Extras ExtrasOf(const ScoredData& in, const EvalOptions& options,
                const LabelPolicy& policy) {
  Extras out;
  const auto decide = [&](const DecisionRule& rule) {
    out.decisions.push_back(Decide(in.scores.view(), in.label_spans(), rule));
  };
  for (const std::string& text : options.thresholds) {
    decide(RuleOf(text, in, policy));
  }
  if (options.top) decide({.top_k = *options.top, .policy = policy});
  if (options.per_image) {
    out.per_image = EvaluatePerImage(in.scores.view(), in.label_spans(),
                                     {.policy = policy});
  }
  return out;
}

/// {"op": 83.1, ...} with the rule's id.
OrderedJson DecisionToJson(const DecisionResult& result) {
  return {{"id", result.rule.Id()},
          {"threshold", NumberOrNull(result.rule.threshold)},
          {"top", result.rule.top_k},
          {"origin", result.rule.origin},
          {"images", result.images},
          {"given", result.given},
          {"right", result.right},
          {"positives", result.positives},
          {"never_given_classes", result.never_given},
          {"undefined_classes", result.undefined},
          {"OP", NumberOrNull(result.op)},
          {"OR", NumberOrNull(result.orecall)},
          {"OF1", NumberOrNull(result.of1)},
          {"CP", NumberOrNull(result.cp)},
          {"CR", NumberOrNull(result.crecall)},
          {"CF1", NumberOrNull(result.cf1)},
          {"mean_class_F1", NumberOrNull(result.mean_class_f1)}};
}

void AddExtras(const Extras& extras, OrderedJson& answer) {
  if (!extras.decisions.empty()) {
    answer["decisions"] = OrderedJson::array();
    for (const DecisionResult& each : extras.decisions) {
      answer["decisions"].push_back(DecisionToJson(each));
    }
  }
  if (extras.per_image) {
    const GroupMean& mean = extras.per_image->total();
    answer["per_image"] = {{"id", PerImageId(extras.per_image->definition)},
                           {"mean", NumberOrNull(mean.percent)},
                           {"images", mean.classes},
                           {"undefined_images", mean.undefined}};
  }
}

OrderedJson EvaluationToJson(const Evaluation& evaluation,
                             const std::string& name) {
  OrderedJson definitions = OrderedJson::object();
  for (const DefinitionResult& result : evaluation.results) {
    OrderedJson groups = OrderedJson::object();
    OrderedJson undefined = OrderedJson::object();
    for (const GroupMean& mean : result.means) {
      groups[mean.name] = NumberOrNull(mean.percent);
      undefined[mean.name] = mean.undefined;
    }
    OrderedJson per_class = OrderedJson::array();
    for (const auto& ap : result.ap) per_class.push_back(NumberOrNull(ap, 100));
    OrderedJson entry = {{"total", NumberOrNull(result.total().percent)},
                         {"groups", std::move(groups)},
                         {"per_class", std::move(per_class)},
                         {"undefined_classes", std::move(undefined)},
                         {"images", result.images}};
    definitions[IdOf(result.definition)] = std::move(entry);
  }
  const ScoreDiagnostics& odd = evaluation.diagnostics;
  return {{"scores", name},
          {"rows", evaluation.rows},
          {"classes", evaluation.classes},
          {"definitions", std::move(definitions)},
          {"tied_fraction", odd.tied_fraction},
          {"saturated_fraction", odd.saturated_fraction},
          {"rank",
           {{"best", NumberOrNull(odd.best_percent)},
            {"worst", NumberOrNull(odd.worst_percent)},
            {"expected", NumberOrNull(odd.expected_percent)}}}};
}

void Print(const Evaluation& evaluation, const std::string& name) {
  std::cout << name << ": " << evaluation.rows << " images, "
            << evaluation.classes << " classes\n";
  std::vector<std::vector<std::string>> table;
  table.push_back({"DEFINITION"});
  for (const GroupMean& mean : evaluation.results.front().means) {
    table[0].push_back(mean.name);
  }
  for (const DefinitionResult& result : evaluation.results) {
    table.push_back({IdOf(result.definition)});
    for (const GroupMean& mean : result.means) {
      char text[32] = "undefined";
      if (mean.percent) std::snprintf(text, sizeof text, "%.2f", *mean.percent);
      table.back().push_back(text);
    }
  }
  std::cout << TextTable(table);
  if (const std::string warning = TieWarning(evaluation.diagnostics);
      !warning.empty()) {
    LogWarning(warning);
  }
}

std::string CellText(const std::optional<double>& value) {
  if (!value) return "undefined";
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", *value);
  return text;
}

void Print(const Extras& extras) {
  if (!extras.decisions.empty()) {
    std::vector<std::vector<std::string>> table = {
        {"DECISIONS", "OP", "OR", "OF1", "CP", "CR", "CF1", "mean F1"}};
    for (const DecisionResult& each : extras.decisions) {
      table.push_back({each.rule.Id(), CellText(each.op),
                       CellText(each.orecall), CellText(each.of1),
                       CellText(each.cp), CellText(each.crecall),
                       CellText(each.cf1), CellText(each.mean_class_f1)});
      if (each.rule.origin == "best_on_test") {
        LogWarning("the threshold was chosen on the labels it is scored with");
      }
    }
    std::cout << TextTable(table);
  }
  if (extras.per_image) {
    const GroupMean& mean = extras.per_image->total();
    std::cout << "per-image mAP, a mean over " << mean.classes
              << " images (not over classes): " << CellText(mean.percent)
              << "  " << PerImageId(extras.per_image->definition) << "\n";
  }
}

/// What `--difficult` makes of the data set's policy.
LabelPolicy PolicyOf(const EvalOptions& options, LabelPolicy policy) {
  if (options.difficult.empty()) return policy;
  policy.difficult =
      ParseLabelPolicy("difficult=" + options.difficult).difficult;
  return policy;
}

Evaluation Compute(const ScoredData& in, const EvalOptions& options) {
  const auto definitions = DefinitionsOf(options, PolicyOf(options, in.policy));
  return Evaluate(in.scores.view(), in.label_spans(), in.groups, definitions);
}

int EvalRuns(const EvalOptions& options, const GlobalOptions& global) {
  if (!options.scores.empty() || !options.labels.empty()) {
    throw ConfigError("give runs, or --scores and --labels, not both");
  }
  OpenStoreToRead(global);
  Store store(StoreFolder(global));
  DataAccess data(CacheFolder(global));
  OrderedJson answers = OrderedJson::array();
  for (const std::string& key : options.runs) {
    const RunRow run = FindRun(store, key);
    const ScoredData in = DataFromRun(store, run, data);
    const Evaluation evaluation = Compute(in, options);
    CountTestEvaluation(store, run.key);
    const Extras extras = ExtrasOf(in, options, PolicyOf(options, in.policy));
    OrderedJson answer = EvaluationToJson(evaluation, in.name);
    AddExtras(extras, answer);
    answer["key"] = run.key;
    answers.push_back(std::move(answer));
    if (options.json) continue;
    Print(evaluation, in.name);
    Print(extras);
  }
  if (options.json) std::cout << answers.dump(2) << "\n";
  return kExitOk;
}

int Eval(const EvalOptions& options, const GlobalOptions& global) {
  if (!options.runs.empty()) return EvalRuns(options, global);
  if (options.scores.empty() || options.labels.empty()) {
    throw ConfigError("give runs, or both --scores S.npy and --labels L.npy");
  }
  const ScoredData in = DataFromFiles(options.scores, options.labels,
                                      options.known, options.groups);
  const Evaluation evaluation = Compute(in, options);
  const Extras extras = ExtrasOf(in, options, PolicyOf(options, in.policy));
  if (options.json) {
    OrderedJson answer = EvaluationToJson(evaluation, in.name);
    AddExtras(extras, answer);
    std::cout << answer.dump(2) << "\n";
  } else {
    Print(evaluation, in.name);
    Print(extras);
  }
  return kExitOk;
}

}  // namespace

Verb EvalVerb(const GlobalOptions& global) {
  auto options = std::make_shared<EvalOptions>();
  return {
      .name = "eval",
      .summary =
          "Score again under any definition, from stored runs or "
          ".npy files",
      .example =
          "tailmark eval --scores s.npy --labels l.npy "
          "--definition ap.voc07 --json",
      .declare =
          [options](Args& args) {
            args.Rest("RUN", options->runs, false,
                      "Keys of stored runs, or how they begin");
            args.Option("--scores", options->scores, "S.npy",
                        "Scores [N, C], float16, float32 or float64");
            args.Option("--labels", options->labels, "L.npy",
                        "Labels [N, C], uint8 0 or 1");
            args.Option("--known", options->known, "K.npy",
                        "Which labels are known [N, C], bool");
            args.Option("--groups", options->groups, "G.json",
                        "{\"head\": [class indices], ...}");
            args.Repeated("--definition", options->definitions, "ID",
                          "ap.step, ap.rank/ties=best, a full id, ...");
            args.Option("--difficult", options->difficult, "HOW",
                        "ignore, negative or positive");
            args.Repeated("--profile", options->profiles, "NAME",
                          "As another program counts: hpdval, asl, voc2007, "
                          "... (tailmark list profiles)");
            args.Repeated("--threshold", options->thresholds, "X",
                          "Also precision, recall and F1 of decisions at X; "
                          "best: at the one that is best on these labels");
            args.Option("--top", options->top, "K",
                        "The same for the K highest scores of an image");
            args.Flag("--per-image", options->per_image,
                      "Also the mean over images of the AP over classes");
            args.Flag("--json", options->json, "Print JSON");
          },
      .run = [options, &global] { return Eval(*options, global); }};
}

}  // namespace tailmark
