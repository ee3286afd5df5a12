#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tailmark {

/// Reads an environment variable.
using EnvReader =
    std::function<std::optional<std::string>(std::string_view name)>;

/// "3", "0,4,7", "2-5" or "auto": which of `count` tasks, in the order given.
/// "auto" is the number that an engine gave this process: of a Slurm array, a
/// Kubernetes indexed Job, SGE, PBS, LSF or HTCondor. SGE and LSF count from 1
/// and so do not know a task 0: there 1 is task 0. Throws ConfigError, which
/// for "auto" names the variables.
std::vector<std::size_t> TaskNumbers(const std::string& text, std::size_t count,
                                     const EnvReader& env);

}  // namespace tailmark
