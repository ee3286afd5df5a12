#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "datasets/folder/index.h"

namespace tailmark::folder {

/// SHA-256 over (path, size, SHA-256) of every image and over classes and their
/// counts. Each file is read once; with a `cache` folder what was found is kept
/// there and taken again while size and time of change stay the same. Throws
/// DataError for a missing file and for one that differs from the SHA-256 in
/// the list.
std::string ManifestSha256(const Index& index,
                           const std::filesystem::path& root,
                           const std::filesystem::path& cache);

}  // namespace tailmark::folder
