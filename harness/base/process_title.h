#pragma once

#include <string>
#include <vector>

namespace tailmark {

/// Lets `ps` and /proc/PID/cmdline show `words`, as far as there is room where
/// `argv` and the environment lay when the process began. `argv` is main()'s,
/// and not to be read any more. Call it before any thread runs.
void SetProcessTitle(int argc, char** argv,
                     const std::vector<std::string>& words);

}  // namespace tailmark
