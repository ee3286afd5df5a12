#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/json.h"

namespace tailmark {

/// What a file of the cache folder is kept for.
enum class CacheKind : std::uint8_t {
  kFeatures,  ///< Of a frozen encoder (harness/run/README.md has the format).
  kPlugin,    ///< What a worker said of a plugin's methods.
  kHashes,    ///< SHA-256 of a data set's files, by size and time of change.
};
/// "features", "plugin", "file-hashes".
std::string_view NameOf(CacheKind kind);

/// One file of the cache.
struct CacheFile {
  std::filesystem::path path;
  CacheKind kind = CacheKind::kFeatures;
  std::int64_t bytes = 0;
  std::int64_t rows = 0;  ///< Features only, as `width` and `key`.
  std::int64_t width = 0;
  std::int64_t days_unused = 0;  ///< Since it was written or last read.
  Json key = Json::object();     ///< What the features are a function of.
  std::string objection;         ///< Why no run can use it; "" when fine.
};

/// Those in a cache folder, features first, then by path. Of features only
/// headers are read.
std::vector<CacheFile> CacheFiles(const std::filesystem::path& cache);

/// Bytes of all of a kind.
std::int64_t CacheBytes(const std::filesystem::path& cache, CacheKind kind);

}  // namespace tailmark
