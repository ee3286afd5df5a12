#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/cli/planning.h"
#include "results/baseline.h"

namespace tailmark {

struct NoiseOptions {
  std::optional<std::int64_t> repeats;  ///< Default 3.
  PlanOptions plan;                     ///< Of the run that is repeated.
};

/// One repeat of a run: what came out and how long it took.
struct Repeat {
  std::vector<double> scores;  ///< Test matrix, row by row.
  std::vector<std::pair<std::string, double>> map;  ///< Group -> percent.
  double seconds = 0;
};

/// How far repeats of one run are apart: tier 1, the share of scores that are
/// not the first repeat's (sd 0, the largest share); tier 2, points of mAP a
/// group; tier 5, seconds. REQUIRES: two repeats or more, of one shape.
std::vector<NoiseRow> SpreadOf(const std::vector<Repeat>& repeats,
                               const std::string& fingerprint,
                               const std::string& recipe);

/// Runs the plan's only row again and again, away from the store's results,
/// keeps the spread in the store and prints it. Throws ConfigError when the
/// plan has several rows; exit 3 when a repeat fails, 4 when it cannot run.
int MeasureNoise(const NoiseOptions& options, bool json,
                 const GlobalOptions& global);

}  // namespace tailmark
