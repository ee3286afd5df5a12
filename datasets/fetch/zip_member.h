#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "datasets/fetch/file.h"
#include "datasets/fetch/http.h"

namespace tailmark::fetch {

/// One file out of a zip archive on a server.
struct ZipMemberJob {
  std::string title;  ///< For progress.
  std::vector<std::string> urls;
  std::string member;  ///< "annotations/captions_train2017.json"
  std::filesystem::path target;
  HttpLimits limits = {.most_bytes = std::int64_t{1} << 36};
  RetryRules retry;
};

/// Gets it, whatever lies at the target. From a server that gives ranges just
/// the archive's directory and the member's bytes are read; one that does not
/// sends everything before them too. Goes on with what an earlier call left in
/// TARGET.part, which is still packed. The archive's CRC-32 and size are
/// compared before the file gets its name. Throws StoreError when there is no
/// room or the disk fails.
FileReport FetchZipMember(const ZipMemberJob& job);

}  // namespace tailmark::fetch
