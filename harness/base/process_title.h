#pragma once

#include <string>
#include <vector>

namespace tailmark {

/// Lets `ps` and /proc/PID/cmdline show `words`, as far as there is room where
/// `argv` and the environment lay when the process began; /proc/PID/environ
/// shows nothing then. `argv` is main()'s: it keeps its first word where that
/// is the title's, and is not to be read any more. Call it before any thread
/// runs.
void SetProcessTitle(int argc, char** argv,
                     const std::vector<std::string>& words);

}  // namespace tailmark
