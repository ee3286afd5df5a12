#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tailmark {

/// The only place that reads environment variables and asks where this program
/// lies.

/// The value of an environment variable, or nothing when unset or empty.
std::optional<std::string> GetEnv(std::string_view name);

/// The set variables whose names are in `allowed`; an entry that ends in '*'
/// allows all that begin so. Never more: an environment may hold secrets.
std::map<std::string, std::string> GetAllowedEnv(
    std::span<const std::string_view> allowed);

/// This process's environment with `changes` on top, as "NAME=value": what a
/// child is started with.
std::vector<std::string> MergedEnvironment(
    const std::map<std::string, std::string>& changes);

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
