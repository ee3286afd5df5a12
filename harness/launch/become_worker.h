#pragma once

#include <string>
#include <vector>

namespace tailmark {

/// This process becomes `tailmark-worker ARGUMENTS...`: same descriptors,
/// signals and exit code. Throws ConfigError when there is no worker,
/// StoreError when it cannot be started.
[[noreturn]] void BecomeWorker(const std::vector<std::string>& arguments);

}  // namespace tailmark
