#include "harness/base/environment.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "harness/base/error.h"

namespace tailmark {
namespace fs = std::filesystem;

std::optional<std::string> GetEnv(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

std::map<std::string, std::string> GetAllowedEnv(
    std::span<const std::string_view> allowed) {
  const auto matches = [](std::string_view name, std::string_view pattern) {
    if (!pattern.ends_with('*')) return name == pattern;
    pattern.remove_suffix(1);
    return name.starts_with(pattern);
  };
  std::map<std::string, std::string> found;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals == text.npos) continue;
    const std::string_view name = text.substr(0, equals);
    if (std::any_of(allowed.begin(), allowed.end(),
                    [&](auto pattern) { return matches(name, pattern); })) {
      found.emplace(name, text.substr(equals + 1));
    }
  }
  return found;
}

std::vector<std::string> MergedEnvironment(
    const std::map<std::string, std::string>& changes) {
  std::vector<std::string> merged;
  for (char** each = environ; *each != nullptr; ++each) {
    const std::string entry = *each;
    if (!changes.contains(entry.substr(0, entry.find('=')))) {
      merged.push_back(entry);
    }
  }
  for (const auto& [name, value] : changes) {
    merged.push_back(StrCat(name, "=", value));
  }
  return merged;
}

void SetEnv(const std::string& name, const std::string& value) {
  setenv(name.c_str(), value.c_str(), /*overwrite=*/1);
}

fs::path ExecutableFolder() {
  return fs::read_symlink("/proc/self/exe").parent_path();
}

fs::path SharedFile(const fs::path& relative) {
  const fs::path bin = ExecutableFolder();
  // build/<preset>/bin has its share beside it, as has an installed bin; tests
  // lie deeper in the build folder.
  constexpr int kLevels = 3;
  fs::path prefix = bin.parent_path();
  for (int level = 0; level < kLevels; ++level) {
    const fs::path beside = prefix / "share" / "tailmark" / relative;
    if (fs::exists(beside)) return beside;
    prefix = prefix.parent_path();
  }
  throw DataError(StrCat("no ", relative.string(), " in ",
                         (bin.parent_path() / "share" / "tailmark").string(),
                         "; build or install Tailmark again"));
}

}  // namespace tailmark
