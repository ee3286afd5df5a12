#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/cli/comparing.h"
#include "reports/gate_report.h"
#include "results/baseline.h"

namespace tailmark {

struct GateRequest {
  std::string baseline = "main";
  std::string campaign;  ///< "": the newest.
  GateOptions options;
  std::int64_t resamples = 2000;
  /// Rounds in which a suspected regression of a stochastic method is rerun
  /// with fresh seeds; 0: it is red at once.
  int rounds = 0;
  /// Runs `recipe` again with those seeds and gives the finished runs. Null:
  /// nothing can be rerun.
  std::function<std::vector<RunRow>(const std::string& recipe,
                                    const std::vector<std::uint64_t>& seeds)>
      rerun;
};

/// Holds every row of the baseline against the campaign's, by the strongest
/// tier that applies, and stores what was compared. A row is a method with
/// fixed options on one data set; versions may differ. Throws ConfigError for
/// unknown names.
GateReport RunGate(Store& store, DataAccess& data, const GateRequest& request);

/// Whether the gate tells an injected regression from an A/A comparison, on
/// scores of its own. Returns what it saw; `good` is set.
std::string GateSelfTest(bool& good);

}  // namespace tailmark
