#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace tailmark {

/// The only place that reads environment variables and asks where this program
/// lies.

/// The value of an environment variable, or nothing when unset or empty.
std::optional<std::string> GetEnv(std::string_view name);

/// Sets one for this process and its children. Call it before any thread runs.
void SetEnv(const std::string& name, const std::string& value);

/// The folder of the running executable.
std::filesystem::path ExecutableFolder();

/// A file that ships with the program, by its path in the source tree
/// ("harness/recipes/quickstart.json"): the build's copy of the tree when run
/// from a build folder, else <prefix>/share/tailmark. Throws DataError naming
/// the places when it is nowhere.
std::filesystem::path SharedFile(const std::filesystem::path& relative);

}  // namespace tailmark
