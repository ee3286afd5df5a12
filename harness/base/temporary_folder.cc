#include "harness/base/temporary_folder.h"

#include <cstdlib>
#include <string>

#include "harness/base/environment.h"
#include "harness/base/error.h"
#include "harness/base/files.h"

namespace tailmark {
namespace fs = std::filesystem;

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

const fs::path& TemporaryFolder::path() {
  if (!path_.empty()) return path_;
  const auto given = GetEnv("TAILMARK_SCRATCH");
  const fs::path root = given ? fs::path(*given) : fs::temp_directory_path();
  MakeFolders(root);
  std::string name = (root / "tailmark-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) {
    throw StoreError(name + ": cannot be made");
  }
  return path_ = name;
}

}  // namespace tailmark
