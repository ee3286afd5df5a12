#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/base/json.h"

namespace tailmark {

/// One file of the feature cache (harness/run/README.md has the format).
struct FeatureFile {
  std::filesystem::path path;
  std::int64_t bytes = 0;
  std::int64_t rows = 0;
  std::int64_t width = 0;
  std::int64_t days_unused = 0;  ///< Since it was written or last read.
  Json key = Json::object();     ///< What it is a function of.
  std::string objection;         ///< Why no run can use it; "" when fine.
};

/// Those in a cache folder, by path. Only headers are read.
std::vector<FeatureFile> FeatureFiles(const std::filesystem::path& cache);

/// Bytes of all of them.
std::int64_t FeatureBytes(const std::filesystem::path& cache);

}  // namespace tailmark
