#pragma once

#include <cstdlib>
#include <filesystem>
#include <iostream>

namespace tailmark {

/// Where the golden cases of `folder` ("clip/preprocess") lie: below
/// TAILMARK_GOLDEN_ROOT when that holds it, else below tests/golden, which is
/// said. A test whose folder is absent skips and names it.
inline std::filesystem::path GoldenFolder(const char* folder) {
  const char* root = std::getenv("TAILMARK_GOLDEN_ROOT");
  if (root != nullptr && *root != '\0') {
    auto given = std::filesystem::path(root) / folder;
    if (std::filesystem::exists(given)) return given;
    std::cerr << given.string() << " is not there; that of tests/golden is "
              << "compared\n";
  }
  return std::filesystem::path(TM_SOURCE_DIR "/tests/golden") / folder;
}

/// A folder of data that is not ours to commit, below TAILMARK_REFERENCE_DATA;
/// empty when that is not set.
inline std::filesystem::path ReferenceFolder(const char* folder) {
  const char* root = std::getenv("TAILMARK_REFERENCE_DATA");
  if (root == nullptr || *root == '\0') return {};
  return std::filesystem::path(root) / folder;
}

}  // namespace tailmark
