#include "harness/cli/noise.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/log.h"
#include "harness/base/npy.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/tables.h"
#include "harness/launch/local.h"
#include "harness/metrics/arrays.h"
#include "harness/metrics/evaluate.h"
#include "harness/metrics/interval.h"
#include "results/measure.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

/// Bundles of the repeats; gone afterwards.
class ScratchStore {
 public:
  ScratchStore()
      : path_(fs::temp_directory_path() /
              StrCat("tailmark-noise-", ::getpid())) {
    MakeFolders(path_);
  }
  ~ScratchStore() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ScratchStore(const ScratchStore&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::int64_t RowCount(const Plan& plan) {
  return std::count_if(plan.tasks.begin(), plan.tasks.end(),
                       [](const PlanTask& task) { return task.row(); });
}

Repeat ReadRepeat(const fs::path& bundle, const RunRecord& record,
                  DataAccess& data) {
  Repeat out;
  for (const PhaseTime& phase : record.phases) out.seconds += phase.wall_s;
  const fs::path file = bundle / "scores/test.npy";
  const NpyArray array = ReadNpy(file);
  out.scores = ToDoubles(array);
  const ScoreArray scores = ScoresFromNpy(array, file.string());
  const DatasetFacts& facts = data.FactsOf(record.spec);
  const Definition definition = ParseDefinition(
      "ap.step", ParseLabelPolicy(record.spec.identity.label_policy));
  for (const SplitFacts& split : facts.splits) {
    if (split.role != "test") continue;
    const Evaluation evaluation = Evaluate(
        scores.view(), {.positive = split.positive, .known = split.known},
        GroupsOf(facts.classes), std::span(&definition, 1));
    for (const GroupMean& mean : evaluation.results.front().means) {
      if (mean.percent) out.map.emplace_back(mean.name, *mean.percent);
    }
  }
  return out;
}

double Largest(const std::vector<double>& values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return *high - *low;
}

std::string Digits(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

void Print(const std::vector<NoiseRow>& rows, bool json) {
  OrderedJson answer = OrderedJson::array();
  std::vector<std::vector<std::string>> table = {
      {"TIER", "WHAT", "REPEATS", "SD", "LARGEST DIFFERENCE"}};
  for (const NoiseRow& row : rows) {
    const std::string what = row.tier == 1 ? "share of scores that differ"
                             : row.tier == 2
                                 ? StrCat("points of mAP, ", row.group)
                                 : "seconds";
    answer.push_back({{"tier", row.tier},
                      {"group", row.group},
                      {"repeats", row.repeats},
                      {"sd", row.sd},
                      {"largest", row.largest},
                      {"fingerprint", row.fingerprint},
                      {"recipe", row.recipe}});
    table.push_back({StrCat(row.tier), what, StrCat(row.repeats),
                     Digits(row.sd), Digits(row.largest)});
  }
  std::cout << (json ? answer.dump(2) + "\n" : TextTable(table));
}

}  // namespace

std::vector<NoiseRow> SpreadOf(const std::vector<Repeat>& repeats,
                               const std::string& fingerprint,
                               const std::string& recipe) {
  TM_CHECK(repeats.size() >= 2);
  const NoiseRow base{.fingerprint = fingerprint,
                      .recipe = recipe,
                      .repeats = static_cast<std::int64_t>(repeats.size())};
  std::vector<NoiseRow> rows;
  const auto add = [&](int tier, const std::string& group,
                       const std::vector<double>& values) {
    NoiseRow row = base;
    row.tier = tier;
    row.group = group;
    row.sd = StandardError(values);
    row.largest = Largest(values);
    rows.push_back(row);
  };
  const Repeat& first = repeats.front();
  std::vector<double> shares;
  for (const Repeat& each : repeats) {
    std::size_t other = 0;
    for (std::size_t i = 0; i < first.scores.size(); ++i) {
      if (each.scores[i] != first.scores[i]) ++other;
    }
    shares.push_back(static_cast<double>(other) /
                     static_cast<double>(first.scores.size()));
  }
  add(1, "scores", shares);
  for (std::size_t g = 0; g < first.map.size(); ++g) {
    std::vector<double> values;
    for (const Repeat& each : repeats) values.push_back(each.map[g].second);
    add(2, first.map[g].first, values);
  }
  std::vector<double> seconds;
  for (const Repeat& each : repeats) seconds.push_back(each.seconds);
  add(5, "seconds", seconds);
  return rows;
}

int MeasureNoise(const NoiseOptions& options, bool json,
                 const GlobalOptions& global) {
  const std::int64_t count = options.repeats.value_or(3);
  if (count < 2 || count > 1000) {
    throw ConfigError(StrCat("--repeats ", count, " is outside [2, 1000]"));
  }
  DataAccess data(CacheIfThere(global));
  PlanOptions wanted = options.plan;
  if (wanted.overrides.seeds.empty()) wanted.overrides.seeds = "0";
  const Campaign campaign = MakeCampaign(wanted, global, data, nullptr);
  if (const auto rows = RowCount(campaign.plan); rows != 1) {
    throw ConfigError(StrCat("--noise repeats one run, the recipe has ", rows,
                             "; choose with --only"));
  }
  const ScratchStore scratch;
  std::vector<Repeat> repeats;
  RunRecord record;
  std::string recipe;
  for (std::int64_t i = 0; i < count; ++i) {
    LocalOptions local;
    local.launch.bundles = scratch.path() / StrCat(i);
    MakeFolders(local.launch.bundles);
    local.launch.worker = WorkerProgram();
    // What depends on where things lie in memory is noise, too.
    local.launch.forks = false;
    local.quiet = global.quiet;
    local.on_end = [](const PlanTask&, const TaskResult& result) {
      return result;
    };
    const auto results = RunLocally(campaign.plan, local);
    for (std::size_t t = 0; t < results.size(); ++t) {
      if (!campaign.plan.tasks[t].row()) continue;
      if (results[t].state != RunState::kDone) {
        LogError(StrCat("repeat ", i + 1, ": ", NameOf(results[t].state), ": ",
                        results[t].reason));
        return results[t].state == RunState::kSkipped ? kExitNothing
                                                      : kExitRunFailed;
      }
      record = ReadBundle(results[t].bundle);
      recipe = campaign.plan.tasks[t].recipe;
      repeats.push_back(ReadRepeat(results[t].bundle, record, data));
    }
  }
  const auto rows = SpreadOf(repeats, record.environment_fingerprint, recipe);
  Store store(StoreFolder(global));
  StoreNoise(store, rows);
  Print(rows, json);
  return kExitOk;
}

}  // namespace tailmark
