#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/metrics/comparison.h"
#include "harness/metrics/evaluate.h"
#include "harness/metrics/rank_flips.h"

namespace tailmark {

/// What a gate says of one cell: a group of one row.
enum class Outcome : std::uint8_t {
  kPass,
  kRegression,     ///< Worse: significantly, and by more than the margin.
  kImprovement,    ///< Better likewise, and somebody said why.
  kTooGood,        ///< Better likewise, and nobody said why.
  kInconclusive,   ///< The test could not have seen the margin.
  kMissing,        ///< In the baseline only.
  kNew,            ///< In the candidate only.
  kNotComparable,  ///< Definition, data, pipeline or selection differ.
  kError           ///< The candidate failed, or the group is undefined.
};
std::string_view NameOf(Outcome outcome);  ///< "pass", "too_good", ...
/// Throws ConfigError with the nearest name.
Outcome OutcomeFromName(std::string_view name);

/// How a cell was compared, strongest first; the strongest that applies is
/// taken.
enum class Tier : std::uint8_t {
  kGolden = 0,   ///< Exact vectors; the tests of the source tree.
  kBitwise = 1,  ///< Same environment, strict determinism: equal bits.
  kNumeric = 2,  ///< Deterministic recipe, another machine or library.
  kImages = 3,   ///< Same recipe and seed: paired over images.
  kSeeds = 4,    ///< Stochastic training: over seeds.
  kTime = 5      ///< Seconds and bytes.
};

struct GateOptions {
  double alpha = 0.05;        ///< Tier 3, over the groups of a row (Holm).
  double alpha_seeds = 0.01;  ///< Tier 4, likewise.
  std::map<std::string, double> margins = {};  ///< Override DefaultMargin.
  double noise_sd = 0;     ///< A/A spread of this machine, points of mAP.
  bool explained = false;  ///< The method's version was raised.

  double MarginOf(const std::string& group) const;
};

struct GateCell {
  std::string group;
  Outcome outcome = Outcome::kPass;
  std::optional<Tier> tier;          ///< None: nothing could be compared.
  std::string test;                  ///< "paired bootstrap", "equal bits", ...
  std::optional<double> reference;   ///< Percent.
  std::optional<double> candidate;   ///< Percent.
  std::optional<double> difference;  ///< Candidate minus reference.
  std::optional<Interval> interval;
  std::optional<double> p;
  std::optional<double> p_adjusted;  ///< Holm within the row.
  std::optional<double> mde;
  double margin = 0;
  int tries = 1;       ///< With confirmation reruns.
  std::string reason;  ///< A sentence; "" for a plain pass.
};

/// Tier 1: the very same bits.
std::vector<GateCell> JudgeBitwise(const std::vector<GroupMean>& means,
                                   const GateOptions& options);
/// Tier 2: |difference| of each group at most max(0.02, 4 noise_sd) points.
std::vector<GateCell> JudgeNumeric(const std::vector<GroupMean>& reference,
                                   const std::vector<GroupMean>& candidate,
                                   const ScoreDrift& drift,
                                   const GateOptions& options);
/// Tier 3: `compared` is candidate minus reference. Regression: p adjusted
/// below alpha and the interval's lower end below -margin.
std::vector<GateCell> JudgeImages(const PairedComparison& compared,
                                  const GateOptions& options);

/// Values of a group over seeds.
struct SeedGroup {
  std::string name;
  std::vector<double> reference;
  std::vector<double> candidate;
};
/// Tier 4: Welch's t, adjusted over the groups, and, where it can reach alpha
/// at all, the permutation test as it is; both below alpha and |difference|
/// above the margin.
std::vector<GateCell> JudgeSeeds(std::span<const SeedGroup> groups,
                                 const GateOptions& options);

/// Whether these outcomes fail a gate: regression, missing and error do, and
/// too_good when `strict`. `fail_on` replaces the list when not empty.
bool Fails(std::span<const Outcome> outcomes, bool strict,
           std::span<const Outcome> fail_on);

}  // namespace tailmark
