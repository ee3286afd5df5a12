#include <iostream>

#include "harness/base/error.h"
#include "harness/base/log.h"
#include "harness/cli/data_access.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/planning.h"
#include "harness/cli/scored_data.h"
#include "harness/cli/tables.h"
#include "harness/cli/verbs.h"
#include "harness/metrics/evaluate.h"
#include "results/ingest.h"
#include "results/query.h"

namespace tailmark {
namespace {

struct EvalOptions {
  std::vector<std::string> runs;
  std::string scores, labels, known, groups;
  std::vector<std::string> definitions;
  std::string difficult;
  bool json = false;
};

std::vector<Definition> DefinitionsOf(const EvalOptions& options,
                                      LabelPolicy policy) {
  if (!options.difficult.empty()) {
    policy.difficult =
        ParseLabelPolicy("difficult=" + options.difficult).difficult;
  }
  if (options.definitions.empty()) return DefaultDefinitions(policy);
  std::vector<Definition> definitions;
  for (const std::string& id : options.definitions) {
    definitions.push_back(ParseDefinition(id, policy));
  }
  return definitions;
}

OrderedJson Answer(const Evaluation& evaluation, const std::string& name) {
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

Evaluation Compute(const ScoredData& in, const EvalOptions& options) {
  const auto definitions = DefinitionsOf(options, in.policy);
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
    OrderedJson answer = Answer(evaluation, in.name);
    answer["key"] = run.key;
    answers.push_back(std::move(answer));
    if (!options.json) Print(evaluation, in.name);
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
  if (options.json) {
    std::cout << Answer(evaluation, in.name).dump(2) << "\n";
  } else {
    Print(evaluation, in.name);
  }
  return kExitOk;
}

}  // namespace

Verb EvalVerb(const GlobalOptions& global) {
  auto options = std::make_shared<EvalOptions>();
  return {.name = "eval",
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
                args.Flag("--json", options->json, "Print JSON");
              },
          .run = [options, &global] { return Eval(*options, global); }};
}

}  // namespace tailmark
