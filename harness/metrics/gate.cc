#include "harness/metrics/gate.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "harness/base/error.h"
#include "harness/base/suggest.h"
#include "harness/metrics/significance.h"

namespace tailmark {
namespace {

constexpr std::string_view kOutcomes[] = {
    "pass",    "regression", "improvement",    "too_good", "inconclusive",
    "missing", "new",        "not_comparable", "error"};

// Least that tier 2 grants, in points: what another machine's rounding does.
constexpr double kNumericFloor = 0.02;

std::string Points(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", value);
  return text;
}

Outcome BetterBy(const GateOptions& options) {
  return options.explained ? Outcome::kImprovement : Outcome::kTooGood;
}

GateCell Start(const std::string& group, Tier tier, const char* test,
               const GateOptions& options) {
  return {.group = group,
          .tier = tier,
          .test = test,
          .margin = options.MarginOf(group)};
}

void Undefined(GateCell& cell) {
  cell.outcome = Outcome::kError;
  cell.reason = "no class of the group has a positive image";
}

std::string BetterReason(const GateOptions& options) {
  return options.explained
             ? "better; the method's version was raised"
             : "better, and nothing says why: raise the method's version, or "
               "look for a leak";
}

}  // namespace

std::string_view NameOf(Outcome outcome) {
  return kOutcomes[static_cast<std::size_t>(outcome)];
}

Outcome OutcomeFromName(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kOutcomes); ++i) {
    if (kOutcomes[i] == name) return static_cast<Outcome>(i);
  }
  throw ConfigError(UnknownName(
      "outcome", name,
      std::vector<std::string>(std::begin(kOutcomes), std::end(kOutcomes))));
}

double GateOptions::MarginOf(const std::string& group) const {
  const auto margin = margins.find(group);
  return margin == margins.end() ? DefaultMargin(group) : margin->second;
}

std::vector<GateCell> JudgeBitwise(const std::vector<GroupMean>& means,
                                   const GateOptions& options) {
  std::vector<GateCell> cells;
  for (const GroupMean& mean : means) {
    GateCell cell = Start(mean.name, Tier::kBitwise, "equal bits", options);
    cell.reference = cell.candidate = mean.percent;
    if (mean.percent) {
      cell.difference = 0;
      cell.p = cell.p_adjusted = 1;
    } else {
      Undefined(cell);
    }
    cells.push_back(std::move(cell));
  }
  return cells;
}

std::vector<GateCell> JudgeNumeric(const std::vector<GroupMean>& reference,
                                   const std::vector<GroupMean>& candidate,
                                   const ScoreDrift& drift,
                                   const GateOptions& options) {
  TM_CHECK(reference.size() == candidate.size());
  const double limit = std::max(kNumericFloor, 4 * options.noise_sd);
  double flipped = 0;
  for (const ClassFlips& flips : drift.classes) {
    flipped = std::max(flipped, flips.fraction());
  }
  std::vector<GateCell> cells;
  for (std::size_t g = 0; g < reference.size(); ++g) {
    GateCell cell =
        Start(reference[g].name, Tier::kNumeric, "numeric difference", options);
    cell.margin = limit;
    cell.reference = reference[g].percent;
    cell.candidate = candidate[g].percent;
    if (!cell.reference || !cell.candidate) {
      Undefined(cell);
      cells.push_back(std::move(cell));
      continue;
    }
    cell.difference = *cell.candidate - *cell.reference;
    char text[160];
    std::snprintf(text, sizeof text,
                  "scores moved by up to %.3g (99 %% by at most %.3g); up to "
                  "%.3g %% of a class's pairs changed places",
                  drift.largest, drift.p99, 100 * flipped);
    cell.reason = text;
    if (*cell.difference < -limit) cell.outcome = Outcome::kRegression;
    if (*cell.difference > limit) cell.outcome = BetterBy(options);
    cells.push_back(std::move(cell));
  }
  return cells;
}

std::vector<GateCell> JudgeImages(const PairedComparison& compared,
                                  const GateOptions& options) {
  std::vector<GateCell> cells;
  for (const PairedGroup& group : compared.groups) {
    GateCell cell =
        Start(group.name, Tier::kImages, "paired image bootstrap", options);
    cell.reference = group.a;
    cell.candidate = group.b;
    if (!group.difference) {
      Undefined(cell);
      cells.push_back(std::move(cell));
      continue;
    }
    cell.difference = group.difference;
    cell.interval = group.interval;
    cell.p = group.p;
    cell.p_adjusted = group.p_adjusted;
    cell.mde = MinimumDetectable(group.standard_error, 0, options.alpha);
    const bool significant = group.p_adjusted < options.alpha;
    if (significant && *group.difference < 0 &&
        group.interval.lo < -cell.margin) {
      cell.outcome = Outcome::kRegression;
      cell.reason = "worse on the same images";
    } else if (significant && *group.difference > 0 &&
               group.interval.hi > cell.margin) {
      cell.outcome = BetterBy(options);
      cell.reason = BetterReason(options);
    } else if (!significant && *cell.mde > cell.margin) {
      cell.outcome = Outcome::kInconclusive;
      const double more = *cell.mde / cell.margin;
      char text[128];
      std::snprintf(text, sizeof text,
                    "sees %.2f points at best, the margin is %.2f: %.0f times "
                    "the images would do",
                    *cell.mde, cell.margin, std::ceil(more * more));
      cell.reason = text;
    }
    cells.push_back(std::move(cell));
  }
  return cells;
}

std::vector<GateCell> JudgeSeeds(std::span<const SeedGroup> groups,
                                 const GateOptions& options) {
  std::vector<GateCell> cells;
  std::vector<double> p;
  // Where it can reach alpha at all. Over few seeds its smallest p is so coarse
  // that adjusting it for the groups would leave nothing to find: five a side
  // reach .008.
  std::vector<double> permuted;
  for (const SeedGroup& group : groups) {
    GateCell cell =
        Start(group.name, Tier::kSeeds, "Welch t over seeds", options);
    const MeanTest test = WelchTest(group.reference, group.candidate);
    permuted.push_back(0);
    if (SmallestPermutationP(
            static_cast<std::int64_t>(group.reference.size()),
            static_cast<std::int64_t>(group.candidate.size())) <
        options.alpha_seeds) {
      cell.test = "Welch t and permutation over seeds";
      permuted.back() = PermutationP(group.reference, group.candidate);
    }
    const auto mean = [](const std::vector<double>& values) {
      double sum = 0;
      for (const double value : values) sum += value;
      return sum / static_cast<double>(values.size());
    };
    cell.reference = mean(group.reference);
    cell.candidate = mean(group.candidate);
    cell.difference = test.difference;
    cell.interval = test.interval;
    cell.p = std::max(test.p, permuted.back());
    cell.mde = MinimumDetectable(test.standard_error, test.freedom,
                                 options.alpha_seeds);
    p.push_back(test.p);
    cells.push_back(std::move(cell));
  }
  const auto adjusted = HolmAdjusted(p);
  for (std::size_t g = 0; g < cells.size(); ++g) {
    GateCell& cell = cells[g];
    cell.p_adjusted = adjusted[g];
    const bool significant =
        adjusted[g] < options.alpha_seeds && permuted[g] < options.alpha_seeds;
    if (significant && *cell.difference < -cell.margin) {
      cell.outcome = Outcome::kRegression;
      cell.reason = "worse than the seeds of the baseline explain";
    } else if (significant && *cell.difference > cell.margin) {
      cell.outcome = BetterBy(options);
      cell.reason = BetterReason(options);
    } else if (!significant && *cell.mde > cell.margin) {
      cell.outcome = Outcome::kInconclusive;
      const double sd = StandardError(groups[g].reference);
      const auto needed = SeedsNeeded(sd, cell.margin, options.alpha_seeds);
      cell.reason = StrCat(
          "sees ", Points(*cell.mde), " points at best, the margin is ",
          Points(cell.margin), ": ",
          needed ? StrCat(*needed, " seeds a side") : "over 1000 seeds a side",
          " would do");
    }
  }
  return cells;
}

bool Fails(std::span<const Outcome> outcomes, bool strict,
           std::span<const Outcome> fail_on) {
  return std::any_of(outcomes.begin(), outcomes.end(), [&](Outcome outcome) {
    if (!fail_on.empty()) {
      return std::find(fail_on.begin(), fail_on.end(), outcome) !=
             fail_on.end();
    }
    return outcome == Outcome::kRegression || outcome == Outcome::kMissing ||
           outcome == Outcome::kError ||
           (strict && outcome == Outcome::kTooGood);
  });
}

}  // namespace tailmark
