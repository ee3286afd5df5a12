#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "datasets/fetch/fetch.h"
#include "datasets/fetch/file.h"

namespace tailmark::fetch {

/// What became of one file.
struct PackedReport {
  std::string path;  ///< Below the root.
  FileState state = FileState::kDidNot;
  std::string what;        ///< Why not.
  std::int64_t bytes = 0;  ///< Of the file, when it is there.
};

/// Brings files of annotations below job.root: out of zip archives below each
/// entry of job.mirrors.images in turn, or from job.from. The manifest keeps
/// size and hash of what came first; another file is not kept. Throws
/// StoreError, Interrupted.
std::vector<PackedReport> FetchPacked(const FetchJob& job,
                                      const std::vector<PackedFile>& files);

}  // namespace tailmark::fetch
