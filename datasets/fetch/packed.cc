#include "datasets/fetch/packed.h"

#include "datasets/fetch/zip_member.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/interrupt.h"

namespace tailmark::fetch {
namespace fs = std::filesystem;
namespace {

PackedReport Bring(const FetchJob& job, const PackedFile& file) {
  const fs::path target = job.root / file.member;
  if (job.from.empty()) {
    ZipMemberJob zip{.title = fs::path(file.member).filename().string(),
                     .urls = {},
                     .member = file.member,
                     .target = target,
                     .retry = job.retry};
    for (const std::string& base : job.mirrors.images) {
      zip.urls.push_back(base + file.archive);
    }
    zip.limits.connect_seconds = job.limits.connect_seconds;
    zip.limits.stall_seconds = job.limits.stall_seconds;
    const FileReport report = FetchZipMember(zip);
    return {.path = file.member, .state = report.state, .what = report.what};
  }
  const fs::path source = LocateIn(job.from, file.member);
  if (source.empty()) {
    return {.path = file.member, .what = StrCat("not in ", job.from.string())};
  }
  LinkOrCopy(source, target);
  return {.path = file.member, .state = FileState::kCame, .what = ""};
}

PackedReport One(const FetchJob& job, const PackedFile& file,
                 DataManifest& manifest) {
  const fs::path target = job.root / file.member;
  const PictureFacts* known = manifest.Find(file.member);
  std::error_code missing;
  const auto size = static_cast<std::int64_t>(fs::file_size(target, missing));
  PackedReport report{.path = file.member, .state = FileState::kWasThere};
  // As with images: `data verify` looks closer.
  if (missing || (known != nullptr && known->size != size)) {
    report = Bring(job, file);
    if (report.state == FileState::kDidNot) return report;
  } else if (known != nullptr) {
    report.bytes = size;
    return report;
  }
  const PictureFacts now = LookAtFile(target, file.member);
  if (known != nullptr) report.what = Difference(*known, now);
  if (!report.what.empty()) {
    fs::remove(target);
    report.state = FileState::kDidNot;
    return report;
  }
  manifest.Add(file.member, now);
  manifest.Save(job.root);
  report.bytes = now.size;
  return report;
}

}  // namespace

std::vector<PackedReport> FetchPacked(const FetchJob& job,
                                      const std::vector<PackedFile>& files) {
  std::vector<PackedReport> reports;
  if (files.empty()) return reports;
  MakeFolders(job.root);
  DataManifest manifest = DataManifest::Load(job.root);
  for (const PackedFile& file : files) {
    MakeFolders((job.root / file.member).parent_path());
    reports.push_back(One(job, file, manifest));
    ThrowIfInterrupted();
  }
  return reports;
}

}  // namespace tailmark::fetch
