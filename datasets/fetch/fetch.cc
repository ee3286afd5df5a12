#include "datasets/fetch/fetch.h"

#include <algorithm>
#include <mutex>
#include <thread>

#include "datasets/fetch/workers.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/interrupt.h"
#include "harness/base/log.h"
#include "harness/base/progress.h"

namespace tailmark::fetch {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kXmlBytes = 1000;  // A file of VOC, about.
constexpr double kMargin = 1.1;  // Room asked for, beyond what is expected.

bool IsThere(const fs::path& file) {
  std::error_code ignored;
  return fs::is_regular_file(file, ignored);
}

// The disk that `folder` would be on.
std::int64_t Available(fs::path folder) {
  std::error_code ignored;
  folder = fs::absolute(folder);
  while (!fs::exists(folder, ignored) && folder.has_relative_path()) {
    folder = folder.parent_path();
  }
  const auto space = fs::space(folder, ignored);
  return ignored ? -1 : static_cast<std::int64_t>(space.available);
}

void RequireRoom(const FetchJob& job, std::int64_t missing) {
  const auto needed = static_cast<std::int64_t>(
      kMargin * static_cast<double>(missing * job.mirrors.bytes_per_image));
  const std::int64_t available = Available(job.root);
  if (available < 0 || needed <= available) return;
  throw StoreError(StrCat(
      job.root.string(), ": ", missing, " images of '", job.dataset,
      "' need about ", FormatBytes(static_cast<double>(needed)),
      ", there is room for ", FormatBytes(static_cast<double>(available)),
      "; make room or give another --root"));
}

/// Splits what is to be there into what is and what must still come.
struct Sorted {
  std::vector<std::string> missing;
  std::int64_t there = 0;
};

// A file that the manifest knows is taken by its size: `data verify` looks
// closer. One that it does not know is decoded, and got again if it is no
// picture.
Sorted SortOut(const FetchJob& job, const DataManifest& manifest,
               Landing& landing) {
  std::vector<char> good(job.paths.size());
  std::vector<std::size_t> unknown;
  for (std::size_t i = 0; i < job.paths.size(); ++i) {
    const fs::path file = job.root / job.paths[i];
    if (!IsThere(file)) continue;
    const PictureFacts* known = manifest.Find(job.paths[i]);
    if (known == nullptr) {
      unknown.push_back(i);
    } else {
      const auto size = static_cast<std::int64_t>(fs::file_size(file));
      good[i] = size == known->size ? 1 : 0;
    }
  }
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  RunWorkers(
      unknown.size(), std::max(1, cores),
      [&](std::size_t at, int) {
        const std::size_t i = unknown[at];
        const std::string& path = job.paths[i];
        PictureFacts facts;
        const std::string bytes = ReadFile(job.root / path, kMostPictureBytes);
        good[i] = landing.Judge(path, bytes, facts).empty() ? 1 : 0;
        if (good[i] != 0) landing.Note(path, facts);
      },
      [](std::size_t) {});
  Sorted sorted;
  for (std::size_t i = 0; i < job.paths.size(); ++i) {
    if (good[i] != 0) {
      ++sorted.there;
    } else {
      sorted.missing.push_back(job.paths[i]);
    }
  }
  return sorted;
}

}  // namespace

struct Landing::Shared {
  explicit Shared(DataManifest& all) : manifest(all) {}
  std::mutex mutex;
  DataManifest& manifest;
  std::int64_t bytes = 0;
};

Landing::Landing(const FetchJob& job, DataManifest& manifest)
    : job_(job), shared_(std::make_shared<Shared>(manifest)) {}

std::string Landing::Judge(const std::string& path, std::string_view bytes,
                           PictureFacts& facts) const {
  try {
    facts = LookAtBytes(bytes, path);
  } catch (const DataError& error) {
    return StrCat(IsAnnotation(path) ? "no annotation: " : "no whole picture: ",
                  error.what());
  }
  const std::lock_guard lock(shared_->mutex);
  const PictureFacts* known = shared_->manifest.Find(path);
  return known == nullptr ? "" : Difference(*known, facts);
}

void Landing::Note(const std::string& path, const PictureFacts& facts) {
  const std::lock_guard lock(shared_->mutex);
  shared_->manifest.Add(path, facts);
}

std::string Landing::Accept(const std::string& path, std::string_view bytes) {
  PictureFacts facts;
  if (const auto wrong = Judge(path, bytes, facts); !wrong.empty()) {
    return wrong;
  }
  MakeFolders((job_.root / path).parent_path());
  WriteFileAtomic(job_.root / path, bytes);
  Note(path, facts);
  const std::lock_guard lock(shared_->mutex);
  shared_->bytes += facts.size;
  return "";
}

std::int64_t Landing::bytes() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->bytes;
}

FetchEstimate Estimate(const FetchJob& job) {
  FetchEstimate estimate;
  std::vector<char> read(job.mirrors.archives.size());
  for (const std::string& path : job.paths) {
    const bool picture = !IsAnnotation(path);
    ++(picture ? estimate.images : estimate.annotations);
    if (IsThere(job.root / path)) continue;
    ++(picture ? estimate.missing : estimate.missing_annotations);
    for (std::size_t i = 0; i < read.size(); ++i) {
      if (MayHold(job.mirrors.archives[i], path)) read[i] = 1;
    }
  }
  estimate.bytes_on_disk = estimate.missing * job.mirrors.bytes_per_image +
                           estimate.missing_annotations * kXmlBytes;
  estimate.bytes_to_read = read.empty() ? estimate.bytes_on_disk : 0;
  for (std::size_t i = 0; i < read.size(); ++i) {
    if (read[i] != 0) estimate.bytes_to_read += job.mirrors.archives[i].bytes;
  }
  estimate.bytes_available = Available(job.root);
  return estimate;
}

FetchReport Fetch(const FetchJob& job) {
  MakeFolders(job.root);
  DataManifest manifest = DataManifest::Load(job.root);
  Landing landing(job, manifest);
  const Sorted sorted = SortOut(job, manifest, landing);
  FetchReport report{.there = sorted.there};
  try {
    if (!sorted.missing.empty()) {
      RequireRoom(job, static_cast<std::int64_t>(sorted.missing.size()));
      const auto way = !job.from.empty()              ? TakeFromCopy
                       : job.mirrors.archives.empty() ? FetchImages
                                                      : FetchFromArchives;
      report.problems = way(job, sorted.missing, landing);
    }
  } catch (...) {
    // What came is kept, and is known for good.
    manifest.Save(job.root);
    throw;
  }
  manifest.Save(job.root);
  report.got = static_cast<std::int64_t>(sorted.missing.size()) -
               static_cast<std::int64_t>(report.problems.size());
  report.bytes = landing.bytes();
  return report;
}

}  // namespace tailmark::fetch
