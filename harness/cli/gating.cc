#include "harness/cli/gating.h"

#include <algorithm>
#include <set>

#include "harness/base/error.h"
#include "harness/base/log.h"
#include "harness/metrics/significance.h"
#include "results/ingest.h"

namespace tailmark {
namespace {

/// A method with fixed options on one data set, whatever the versions.
struct Side {
  std::string what;
  std::string label;
  std::string recipe;  ///< Of the first run.
  RunIdentity identity;
  std::vector<RunRow> runs;  ///< Done, by seed.
  std::vector<std::string> failures;
  bool planned = false;  ///< A cell that has not run.
};

std::string WhatOf(const RunIdentity& identity) {
  const Json json = ToJson(identity);
  Json what = Json::object();
  for (const char* member : {"method", "method_options", "dataset",
                             "dataset_options", "limit", "weights_name"}) {
    if (json.contains(member)) what[member] = json[member];
  }
  return Canonical(what);
}

Side& SideOf(std::vector<Side>& sides, const RunIdentity& identity,
             const std::string& label) {
  const std::string what = WhatOf(identity);
  for (Side& side : sides) {
    if (side.what == what) return side;
  }
  sides.push_back({.what = what,
                   .label = label,
                   .recipe = RecipeId(identity),
                   .identity = identity});
  return sides.back();
}

std::vector<Side> SidesOfBaseline(const Store& store, const Baseline& base) {
  std::vector<Side> sides;
  for (const RunRow& run : base.runs) {
    SideOf(sides, ProvenanceOf(store, run.id).identity, run.method)
        .runs.push_back(run);
  }
  return sides;
}

std::vector<Side> SidesOfCampaign(const Store& store, std::int64_t id) {
  std::vector<Side> sides;
  const auto cells = Cells(store, id);
  const auto planned = PlannedRuns(store, id);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    Side& side = SideOf(sides, planned[i].spec.identity, cells[i].label);
    if (cells[i].run && cells[i].run->state == RunState::kDone) {
      side.runs.push_back(*cells[i].run);
    } else if (cells[i].state == RunState::kPlanned) {
      side.planned = true;
    } else {
      side.failures.push_back(StrCat("seed ", cells[i].seed, " ",
                                     NameOf(cells[i].state), ": ",
                                     cells[i].reason));
    }
  }
  return sides;
}

std::string WhyNot(const RunIdentity& a, const RunIdentity& b) {
  const auto differ = [](const char* what, const auto& x, const auto& y) {
    return x == y ? std::string() : StrCat(what, " was ", x, ", is ", y);
  };
  for (const std::string& why :
       {differ("data set version", a.dataset_version, b.dataset_version),
        differ("pictures", a.manifest_sha256.substr(0, 12),
               b.manifest_sha256.substr(0, 12)),
        differ("test list", a.test_list_sha256.substr(0, 12),
               b.test_list_sha256.substr(0, 12)),
        differ("label policy", a.label_policy, b.label_policy),
        differ("pipeline", a.pipeline, b.pipeline),
        differ("pipeline version", a.pipeline_version, b.pipeline_version),
        differ("selection", a.selection, b.selection),
        differ("precision", a.precision, b.precision)}) {
    if (!why.empty()) return why;
  }
  return "";
}

std::string HashOfScores(const Store& store, const RunRow& run) {
  for (const ScoreRow& row : Scores(store, run.id)) {
    if (row.name == "test") return row.sha256;
  }
  return "";
}

class Judge {
 public:
  Judge(Store& store, DataAccess& data, const GateRequest& request)
      : store_(store), data_(data), request_(request) {}

  GateRow Row(const Side& reference, const Side* candidate) {
    GateRow row{.dataset = reference.identity.dataset,
                .label = candidate ? candidate->label : reference.label};
    if (candidate == nullptr ||
        (candidate->runs.empty() && candidate->failures.empty())) {
      Whole(row, Outcome::kMissing,
            candidate == nullptr ? "the campaign does not ask for it"
                                 : "it has not run");
      return row;
    }
    if (candidate->runs.empty()) {
      Whole(row, Outcome::kError, candidate->failures.front());
      return row;
    }
    const std::string why = WhyNot(reference.identity, candidate->identity);
    if (!why.empty()) {
      Whole(row, Outcome::kNotComparable, why);
      return row;
    }
    options_ = request_.options;
    options_.explained =
        candidate->identity.method_version > reference.identity.method_version;
    options_.noise_sd = std::max(
        options_.noise_sd,
        NoiseSd(store_, candidate->runs.front().environment_fingerprint));
    definition_ = DefinitionOf(store_, candidate->runs.front(), "");
    row.definition = IdOf(definition_);
    row.cells = Cells(reference, *candidate);
    if (!candidate->failures.empty()) {
      row.cells.push_back({.group = "runs",
                           .outcome = Outcome::kError,
                           .reason = candidate->failures.front()});
    }
    return row;
  }

  static void Whole(GateRow& row, Outcome outcome, const std::string& reason) {
    row.cells = {{.group = "total", .outcome = outcome, .reason = reason}};
  }

 private:
  std::vector<GateCell> Cells(const Side& reference, const Side& candidate) {
    std::vector<RunRow> old_runs;
    std::vector<RunRow> new_runs;
    bool equal = true;
    for (const RunRow& now : candidate.runs) {
      for (const RunRow& then : reference.runs) {
        if (now.seed != then.seed) continue;
        old_runs.push_back(then);
        new_runs.push_back(now);
        equal =
            equal && HashOfScores(store_, now) == HashOfScores(store_, then);
      }
    }
    if (!new_runs.empty() && equal &&
        new_runs.size() == candidate.runs.size()) {
      return JudgeBitwise(MeansOf(new_runs.front()), options_);
    }
    std::set<std::string> hashes;
    for (const RunRow& run : reference.runs) {
      hashes.insert(HashOfScores(store_, run));
    }
    const bool stochastic = hashes.size() > 1;
    constexpr std::size_t kSeedsForAClaim = 5;
    if (stochastic && reference.runs.size() >= kSeedsForAClaim) {
      return OverSeeds(reference, candidate);
    }
    if (new_runs.empty()) {
      if (reference.runs.size() + candidate.runs.size() >= 3) {
        return OverSeeds(reference, candidate);
      }
      return {{.group = "total",
               .outcome = Outcome::kInconclusive,
               .reason = "no seed is on both sides, and a test over seeds "
                         "needs three runs"}};
    }
    if (!stochastic && old_runs.front().build == new_runs.front().build) {
      return Numeric(old_runs.front(), new_runs.front());
    }
    return OverImages(old_runs, new_runs);
  }

  std::vector<GroupMean> MeansOf(const RunRow& run) {
    std::vector<GroupMean> means;
    for (const MetricRow& metric : Metrics(store_, run.id)) {
      if (metric.scores != "test" || metric.definition != IdOf(definition_)) {
        continue;
      }
      means.push_back({.name = metric.group,
                       .percent = metric.value,
                       .classes = metric.classes,
                       .undefined = metric.undefined_classes});
    }
    return means;
  }

  std::vector<GateCell> Numeric(const RunRow& then, const RunRow& now) {
    const ScoredData a = DataFromRun(store_, then, data_);
    const ScoredData b = DataFromRun(store_, now, data_);
    const ScoreDrift drift = FindDrift(a.scores.view(), b.scores.view(),
                                       a.label_spans(), definition_.policy);
    return JudgeNumeric(MeansOf(then), MeansOf(now), drift, options_);
  }

  std::vector<GateCell> OverImages(const std::vector<RunRow>& then,
                                   const std::vector<RunRow>& now) {
    const auto mean = [&](const std::vector<RunRow>& runs) {
      const ComparedRow row{.dataset = "", .label = "", .runs = runs};
      return MeanOverSeeds(Resample(store_, row, definition_,
                                    {.resamples = request_.resamples}, data_));
    };
    return JudgeImages(
        ComparePaired(mean(then), mean(now),
                      {.alpha = options_.alpha, .margins = options_.margins}),
        options_);
  }

  std::vector<SeedGroup> SeedGroups(const std::vector<RunRow>& then,
                                    const std::vector<RunRow>& now) {
    std::vector<SeedGroup> groups;
    for (const GroupMean& mean : MeansOf(now.front())) {
      if (!mean.percent) continue;
      groups.push_back({.name = mean.name});
    }
    const auto fill = [&](const std::vector<RunRow>& runs,
                          std::vector<double> SeedGroup::*side) {
      for (const RunRow& run : runs) {
        for (const GroupMean& mean : MeansOf(run)) {
          for (SeedGroup& group : groups) {
            if (group.name == mean.name && mean.percent) {
              (group.*side).push_back(*mean.percent);
            }
          }
        }
      }
    };
    fill(then, &SeedGroup::reference);
    fill(now, &SeedGroup::candidate);
    return groups;
  }

  static bool AnyRegression(const std::vector<GateCell>& cells) {
    return std::any_of(cells.begin(), cells.end(), [](const GateCell& cell) {
      return cell.outcome == Outcome::kRegression;
    });
  }

  /// A suspicion is looked at again with seeds that nobody has seen; each round
  /// may spend its share of alpha. The first look does not count as evidence.
  std::vector<GateCell> OverSeeds(const Side& reference,
                                  const Side& candidate) {
    auto cells =
        JudgeSeeds(SeedGroups(reference.runs, candidate.runs), options_);
    if (!AnyRegression(cells) || !request_.rerun) return cells;
    GateOptions share = options_;
    share.alpha_seeds /= std::max(1, request_.rounds);
    std::uint64_t next = 0;
    for (const auto& runs : {reference.runs, candidate.runs}) {
      for (const RunRow& run : runs) next = std::max(next, run.seed + 1);
    }
    std::vector<RunRow> fresh;
    for (int round = 1; round <= request_.rounds; ++round) {
      std::vector<std::uint64_t> seeds;
      for (std::size_t i = 0; i < candidate.runs.size(); ++i) {
        seeds.push_back(next++);
      }
      for (RunRow& run : request_.rerun(candidate.recipe, seeds)) {
        fresh.push_back(std::move(run));
      }
      if (fresh.empty()) return cells;
      cells = JudgeSeeds(SeedGroups(reference.runs, fresh), share);
      for (GateCell& cell : cells) cell.tries = round + 1;
      if (AnyRegression(cells)) return cells;
    }
    for (GateCell& cell : cells) {
      cell.reason = StrCat("a suspicion was not confirmed",
                           cell.reason.empty() ? "" : "; ", cell.reason);
    }
    return cells;
  }

  Store& store_;
  DataAccess& data_;
  const GateRequest& request_;
  GateOptions options_;
  Definition definition_;
};

const Side* Match(const std::vector<Side>& sides, const Side& wanted) {
  for (const Side& side : sides) {
    if (side.what == wanted.what) return &side;
  }
  return nullptr;
}

void Keep(Store& store, const GateReport& report) {
  std::vector<VerdictRow> rows;
  for (const GateRow& row : report.rows) {
    for (const GateCell& cell : row.cells) {
      if (row.definition.empty()) continue;
      rows.push_back({.subject = StrCat(row.dataset, " / ", row.label),
                      .reference = StrCat("baseline ", report.baseline, " of ",
                                          report.accepted_utc),
                      .definition = row.definition,
                      .cell = cell});
    }
  }
  StoreVerdicts(store, rows);
}

}  // namespace

GateReport RunGate(Store& store, DataAccess& data, const GateRequest& request) {
  const Baseline base = FindBaseline(store, request.baseline);
  const auto campaign = FindCampaign(store, request.campaign);
  GateReport report{.baseline = base.name,
                    .accepted_utc = base.accepted_utc,
                    .why = base.why};
  std::vector<Side> candidates;
  if (campaign) {
    report.campaign = campaign->name;
    candidates = SidesOfCampaign(store, campaign->id);
  }
  const auto references = SidesOfBaseline(store, base);
  Judge judge(store, data, request);
  for (const Side& side : references) {
    report.rows.push_back(judge.Row(side, Match(candidates, side)));
  }
  for (const Side& side : candidates) {
    if (Match(references, side) != nullptr || side.runs.empty()) continue;
    GateRow row{.dataset = side.identity.dataset, .label = side.label};
    Judge::Whole(row, Outcome::kNew, "the baseline does not have it");
    report.rows.push_back(std::move(row));
  }
  const Baseline oldest = OldestBaseline(store, request.baseline);
  if (oldest.accepted_utc != base.accepted_utc) {
    GateRequest calm = request;
    calm.rerun = nullptr;
    Judge slow(store, data, calm);
    for (const Side& side : SidesOfBaseline(store, oldest)) {
      const Side* candidate = Match(candidates, side);
      if (candidate == nullptr || candidate->runs.empty()) continue;
      report.drift.push_back(slow.Row(side, candidate));
    }
  }
  FinishGate(report);
  Keep(store, report);
  return report;
}

}  // namespace tailmark
