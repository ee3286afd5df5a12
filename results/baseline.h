#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/metrics/gate.h"
#include "results/query.h"
#include "results/store.h"

namespace tailmark {

/// Runs that somebody accepted under a name, with the reason. A name may be
/// accepted again: the newest acceptance counts, the oldest is kept to catch a
/// slow drift, and none is ever changed.
struct Baseline {
  std::string name;
  std::string accepted_utc;
  std::string accepted_by;
  std::string why;
  std::vector<RunRow> runs;  ///< In the order of Runs().
};

/// Throws ConfigError when `why` or `name` is blank, or there is no run.
void AcceptBaseline(Store& store, const std::string& name,
                    const std::vector<RunRow>& runs, const std::string& why,
                    const std::string& by);

/// Every acceptance, by name, oldest first.
std::vector<Baseline> Baselines(const Store& store);
/// The newest acceptance of a name. Throws ConfigError with the nearest name.
Baseline FindBaseline(const Store& store, std::string_view name);
/// The first acceptance of that name.
Baseline OldestBaseline(const Store& store, std::string_view name);

/// A verdict to be kept: cells that were compared.
struct VerdictRow {
  std::string subject;    ///< "embedded / linear_probe".
  std::string reference;  ///< "baseline main of 2026-01-31T...".
  std::string definition;
  GateCell cell;
};
/// Stores them as one judgement of kind "check".
void StoreVerdicts(Store& store, const std::vector<VerdictRow>& rows);
/// How often a row was judged so before, for reports: outcome -> count.
std::int64_t VerdictCount(const Store& store);

/// What repeating one run showed.
struct NoiseRow {
  std::string fingerprint;
  std::string recipe;
  std::int64_t repeats = 0;
  int tier = 2;  ///< 1: share of scores that differ; 2: points of mAP; 5:
                 ///< seconds.
  std::string group;
  double sd = 0;
  double largest = 0;
};
void StoreNoise(Store& store, const std::vector<NoiseRow>& rows);
std::vector<NoiseRow> Noise(const Store& store);
/// The largest A/A spread of the total mAP seen under that fingerprint; 0 when
/// nothing was measured.
double NoiseSd(const Store& store, std::string_view fingerprint);

}  // namespace tailmark
