#pragma once

#include "harness/base/error.h"

namespace tailmark {

/// The method gave something that is not a result: scores of the wrong shape or
/// not finite, a loss that is NaN. The run's state is `failed`, exit code 3.
class RunFailed : public Error {
 public:
  using Error::Error;
};

/// More GPU memory than the run may have. The run's state is `oom`, exit
/// code 3.
class OverGpuLimit : public Error {
 public:
  using Error::Error;
};

/// The time budget is used up and a checkpoint written. Exit code 75.
class StoppedEarly : public Error {
 public:
  using Error::Error;
};

}  // namespace tailmark
