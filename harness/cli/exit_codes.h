#pragma once

namespace tailmark {

/// What `tailmark` returns. Other programs rely on these numbers.
enum ExitCode : int {
  kExitOk = 0,
  kExitRegression = 1,     ///< A gate was missed; not reproduced.
  kExitUsage = 2,          ///< Command line, configuration or input data.
  kExitRunFailed = 3,      ///< At least one run failed.
  kExitNothing = 4,        ///< Nothing measured, or not all of it.
  kExitNotComparable = 5,  ///< Environment, data or definition differ.
  kExitStore = 6,          ///< The store or a disk.
  kExitComeAgain = 75,     ///< Stopped early with a checkpoint.
  kExitSignal = 128        ///< Plus the number of the signal: 130, 143.
};

}  // namespace tailmark
