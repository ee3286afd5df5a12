#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/fetch/data_manifest.h"
#include "datasets/fetch/http.h"
#include "datasets/fetch/mirrors.h"

namespace tailmark::fetch {

/// What is to be there, and from where.
struct FetchJob {
  std::string dataset;  ///< For messages.
  /// Below the root: pictures, and files of annotations from archives.
  std::vector<std::string> paths;
  Mirrors mirrors;
  std::filesystem::path root;
  std::filesystem::path from;  ///< An existing copy instead of the network.
  int parallel = 8;
  HttpLimits limits;
  RetryRules retry;
};

/// What became of it.
struct FetchReport {
  std::int64_t there = 0;  ///< Files that were there before.
  std::int64_t got = 0;
  std::int64_t bytes = 0;  ///< Of those got.
  std::vector<Problem> problems;
};

/// How much there is to do.
struct FetchEstimate {
  std::int64_t images = 0;
  std::int64_t missing = 0;
  std::int64_t annotations = 0;  ///< Files of them among the paths.
  std::int64_t missing_annotations = 0;
  std::int64_t bytes_on_disk = 0;    ///< Of the missing ones, about.
  std::int64_t bytes_to_read = 0;    ///< Over the network, about.
  std::int64_t bytes_available = 0;  ///< On the disk of the root.
};
FetchEstimate Estimate(const FetchJob& job);

/// Brings every image below the root: whole files only, each decoded before it
/// gets its name and compared with the manifest once that knows it. An
/// interrupted job goes on where it was. The manifest is written even when some
/// images could not be had: those are in the report. Throws StoreError when the
/// disk fails or has not enough room, Interrupted after saving.
FetchReport Fetch(const FetchJob& job);

// ---- The three ways --------------------------------------------------------

/// A file that is being put together.
class Landing {
 public:
  Landing(const FetchJob& job, DataManifest& manifest);
  /// Decodes, compares with the manifest, writes; returns what is wrong or "".
  /// Thread-safe.
  std::string Accept(const std::string& path, std::string_view bytes);
  /// Notes a file that lies in place already. Thread-safe.
  void Note(const std::string& path, const PictureFacts& facts);
  /// What is wrong with bytes that claim to be `path`, or "".
  std::string Judge(const std::string& path, std::string_view bytes,
                    PictureFacts& facts) const;
  std::int64_t bytes() const;

 private:
  struct Shared;
  const FetchJob& job_;
  std::shared_ptr<Shared> shared_;
};

/// Each image from its own address.
std::vector<Problem> FetchImages(const FetchJob& job,
                                 const std::vector<std::string>& paths,
                                 Landing& landing);
/// Out of archives that stream by.
std::vector<Problem> FetchFromArchives(const FetchJob& job,
                                       const std::vector<std::string>& paths,
                                       Landing& landing);
/// Where a copy has `path`: as it is, below images/, or with its first folder
/// left out; "" when nowhere.
std::filesystem::path LocateIn(const std::filesystem::path& from,
                               const std::string& path);
/// Makes `target` the same file as `source`, or a copy where there can be no
/// hard link. Throws StoreError.
void LinkOrCopy(const std::filesystem::path& source,
                const std::filesystem::path& target);
/// From an existing copy: a hard link where that is possible, else a copy.
std::vector<Problem> TakeFromCopy(const FetchJob& job,
                                  const std::vector<std::string>& paths,
                                  Landing& landing);

}  // namespace tailmark::fetch
