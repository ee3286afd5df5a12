#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "datasets/fetch/http.h"

namespace tailmark::fetch {

/// One file whose hash is known before it is asked for.
struct FileJob {
  std::string title;  ///< For progress.
  std::vector<std::string> urls;
  std::filesystem::path target;
  std::string sha256;
  std::int64_t bytes = 0;  ///< About; 0: unknown.
  HttpLimits limits = {.most_bytes = std::int64_t{1} << 36};
  RetryRules retry;
};

enum class FileState { kWasThere, kCame, kDidNot };
struct FileReport {
  FileState state = FileState::kDidNot;
  std::string what;  ///< Why not: each address and its answer.
};

/// Gets it unless the target has that hash already; goes on with what an
/// earlier call left in TARGET.part. A file of another hash is never kept.
/// Throws StoreError when there is no room or the disk fails.
FileReport FetchFile(const FileJob& job);

}  // namespace tailmark::fetch
