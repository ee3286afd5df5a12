#pragma once

#include <cstddef>
#include <vector>

#include "harness/launch/plan.h"
#include "harness/launch/task_run.h"

namespace tailmark {

struct ClaimOptions {
  /// `stop_after_s`: of this process, not of each run. `force` is not looked
  /// at.
  LaunchOptions launch;
  double beat_s = 10;  ///< Of leases.
  bool quiet = false;  ///< No progress on stderr.
  /// Try again what has failed. Else a failure that lies there is taken over,
  /// but for one that was killed from outside.
  bool again = false;
};

/// Runs the tasks `wanted` of a plan one at a time, longest first, each under a
/// lease and once what it starts from is done, together with any number of
/// processes that do the same on any machines that see the bundles. Returns
/// when each of them has ended, here or elsewhere, or time is up; one result
/// for each, in the order of `wanted`. Throws as RunLocally does.
std::vector<TaskResult> RunClaimed(const Plan& plan,
                                   const std::vector<std::size_t>& wanted,
                                   const ClaimOptions& options);

}  // namespace tailmark
