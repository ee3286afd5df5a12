#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "datasets/dataset.h"

namespace tailmark::lists {

/// What a manifest is made of: the images of some splits and the classes.
struct ListedFiles {
  std::vector<const Split*> splits;  ///< Ids are paths below the root.
  std::span<const ClassInfo> classes;
  /// SHA-256 by path, where a list states it; may be null.
  const std::unordered_map<std::string, std::string>* stated = nullptr;
};

/// SHA-256 over (path, size, SHA-256) of every image and over classes and their
/// counts. Each file is read once; with a `cache` folder what was found is kept
/// there and taken again while size and time of change stay the same. Throws
/// DataError for a missing file and for one that differs from the SHA-256 in
/// the list.
std::string ManifestSha256(const ListedFiles& files,
                           const std::filesystem::path& root,
                           const std::filesystem::path& cache);

}  // namespace tailmark::lists
