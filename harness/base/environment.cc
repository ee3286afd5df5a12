#include "harness/base/environment.h"

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

void SetEnv(const std::string& name, const std::string& value) {
  setenv(name.c_str(), value.c_str(), /*overwrite=*/1);
}

fs::path ExecutableFolder() {
  return fs::read_symlink("/proc/self/exe").parent_path();
}

fs::path SharedFile(const fs::path& relative) {
  const fs::path bin = ExecutableFolder();
  // build/<preset>/bin has its share beside it, as has an installed bin.
  const fs::path beside = bin.parent_path() / "share" / "tailmark" / relative;
  if (fs::exists(beside)) return beside;
  throw DataError(StrCat("no ", relative.string(), " in ",
                         (bin.parent_path() / "share" / "tailmark").string(),
                         "; build or install Tailmark again"));
}

}  // namespace tailmark
