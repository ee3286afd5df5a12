#pragma once

#include <cstdlib>
#include <filesystem>

namespace tailmark {

/// Where the golden cases of `folder` ("clip/preprocess") lie: below
/// TAILMARK_GOLDEN_ROOT when that is set, whether there or not, else below
/// tests/golden. A test whose folder or file is absent skips and names it.
inline std::filesystem::path GoldenFolder(const char* folder) {
  const char* root = std::getenv("TAILMARK_GOLDEN_ROOT");
  const bool given = root != nullptr && *root != '\0';
  return std::filesystem::path(given ? root : TM_SOURCE_DIR "/tests/golden") /
         folder;
}

/// A folder of data that is not ours to commit, below TAILMARK_REFERENCE_DATA;
/// empty when that is not set.
inline std::filesystem::path ReferenceFolder(const char* folder) {
  const char* root = std::getenv("TAILMARK_REFERENCE_DATA");
  if (root == nullptr || *root == '\0') return {};
  return std::filesystem::path(root) / folder;
}

}  // namespace tailmark
