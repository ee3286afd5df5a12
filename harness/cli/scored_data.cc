#include "harness/cli/scored_data.h"

#include <algorithm>

#include "harness/base/error.h"
#include "harness/base/npy.h"
#include "results/measure.h"

namespace tailmark {
namespace {

constexpr std::string_view kEpisode = "test.episode-";

/// What the run was planned as: from its bundle, which knows where the data
/// lie, or from the store when the bundle is gone.
RunSpec SpecOf(const Store& store, const RunRow& run) {
  const auto bundle = store.Bundle(run.key);
  if (IsSealed(bundle)) return ReadBundle(bundle).spec;
  RunSpec spec;
  spec.identity = ProvenanceOf(store, run.id).identity;
  spec.seed = run.seed;
  spec.build = run.build;
  return spec;
}

}  // namespace

std::vector<ClassGroup> ReadGroups(const std::string& path,
                                   std::int64_t classes) {
  const Json json = ReadJson(path);
  const auto wrong = [&](std::string_view what) {
    throw DataError(StrCat(path, ": ", what,
                           "; expected {\"head\": [class indices], ...}"));
  };
  if (!json.is_object()) wrong("is not an object");
  std::vector<ClassGroup> groups;
  for (const auto& [name, list] : json.items()) {
    ClassGroup group{.name = name, .classes = {}};
    if (!list.is_array()) wrong(StrCat("'", name, "' is not a list"));
    for (const Json& index : list) {
      if (!index.is_number_integer() || index < 0 || index >= classes) {
        wrong(StrCat("'", name, "' holds ", index.dump(), ", outside [0, ",
                     classes, ")"));
      }
      group.classes.push_back(index.get<std::int64_t>());
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

ScoredData DataFromFiles(const std::string& scores, const std::string& labels,
                         const std::string& known, const std::string& groups) {
  ScoredData in;
  in.name = scores;
  in.scores = ScoresFromNpy(ReadNpy(scores), scores);
  const std::int64_t rows = in.scores.rows;
  const std::int64_t classes = in.scores.classes;
  in.labels = BitsFromNpy(ReadNpy(labels), rows, classes, labels);
  if (!known.empty()) {
    in.known = BitsFromNpy(ReadNpy(known), rows, classes, known);
  }
  if (!groups.empty()) in.groups = ReadGroups(groups, classes);
  return in;
}

std::vector<std::string> CountedScores(const Store& store, const RunRow& run) {
  std::vector<std::string> names;
  for (const ScoreRow& row : Scores(store, run.id)) {
    if (row.name == "test") return {"test"};
    if (row.name.starts_with(kEpisode)) names.push_back(row.name);
  }
  return names;
}

ScoredData DataFromRun(const Store& store, const RunRow& run, DataAccess& data,
                       const std::string& scores) {
  if (run.state != RunState::kDone) {
    throw ConfigError(StrCat("run ", run.key.substr(0, 12), " is ",
                             NameOf(run.state), ": ", run.reason));
  }
  const RunSpec spec = SpecOf(store, run);
  const DatasetFacts& facts = data.FactsOf(spec);
  ScoredData in;
  in.name = StrCat(run.method, " on ", run.dataset, ", seed ", run.seed);
  const int episode = scores.starts_with(kEpisode)
                          ? std::stoi(scores.substr(kEpisode.size()))
                          : -1;
  for (const ScoreRow& row : Scores(store, run.id)) {
    if (row.name != scores) continue;
    in.scores = ScoresFromNpy(ReadNpy(row.path), row.path.string());
  }
  if (in.scores.rows == 0) {
    throw ConfigError(StrCat("run ", run.key.substr(0, 12),
                             " has no scores of the whole test split"));
  }
  for (const SplitFacts& split : facts.splits) {
    if (split.name != "test" || split.episode != episode) continue;
    in.labels = split.positive;
    in.known = split.known;
  }
  in.groups = GroupsOf(facts.classes);
  for (const ClassFacts& each : facts.classes) {
    in.class_names.push_back(each.name);
  }
  in.policy = ParseLabelPolicy(spec.identity.label_policy);
  return in;
}

OrderedJson NumberOrNull(const std::optional<double>& value, double factor) {
  return value ? OrderedJson(*value * factor) : OrderedJson(nullptr);
}

}  // namespace tailmark
