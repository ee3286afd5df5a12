// Images out of tar archives, which are read as they stream by: of the archive
// nothing but the images asked for touches the disk.
#include <map>
#include <set>
#include <utility>

#include "datasets/fetch/fetch.h"
#include "datasets/fetch/tar_stream.h"
#include "harness/base/digest.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/interrupt.h"
#include "harness/base/json.h"
#include "harness/base/json_integer.h"
#include "harness/base/log.h"
#include "harness/base/progress.h"

namespace tailmark::fetch {
namespace fs = std::filesystem;
namespace {

constexpr const char* kPositionSchema = "tailmark-archive-position/1";
constexpr const char* kNotThere = "not in the archive";
constexpr std::int64_t kMostMemberBytes = std::int64_t{64} << 20;

/// Where to go on with an archive after an interruption: everything wanted
/// before `boundary` is on disk.
class Position {
 public:
  Position(const fs::path& root, const Archive& archive)
      : file_(root / (".fetch-" + NameOf(archive) + ".json")) {}

  std::int64_t Load() const {
    if (!fs::exists(file_)) return 0;
    try {
      const Json json = ReadJson(file_);
      if (json.at("schema") != kPositionSchema) return 0;
      return IntegerOf<std::int64_t>(json.at("boundary"), "boundary", 0);
    } catch (const std::exception&) {
      return 0;  // From the beginning, then.
    }
  }
  void Save(std::int64_t boundary) const {
    WriteFileAtomic(
        file_,
        Json{{"schema", kPositionSchema}, {"boundary", boundary}}.dump());
  }
  void Remove() const {
    std::error_code ignored;
    fs::remove(file_, ignored);
  }

 private:
  // Archives may share a prefix, and mirrors of one have the same file name.
  static std::string NameOf(const Archive& archive) {
    const std::string url = archive.urls.empty() ? "" : archive.urls.front();
    return Sha256Hex(archive.prefix + url.substr(url.rfind('/') + 1))
        .substr(0, 12);
  }

  fs::path file_;
};

// "./VOCdevkit/..." and "VOC2012/..." are "VOCdevkit/VOC2012/..." in the lists.
std::string PathOfMember(std::string_view member, const Archive& archive) {
  while (member.starts_with("./")) member.remove_prefix(2);
  if (member.starts_with(archive.prefix)) return std::string(member);
  const auto slash = archive.prefix.find('/');
  const std::string below = archive.prefix.substr(slash + 1);
  return member.starts_with(below)
             ? archive.prefix.substr(0, slash + 1) + std::string(member)
             : std::string(member);
}

/// One archive.
class ArchiveFetch {
 public:
  ArchiveFetch(const FetchJob& job, const Archive& archive,
               std::set<std::string> wanted, Landing& landing)
      : job_(job),
        archive_(archive),
        wanted_(std::move(wanted)),
        landing_(landing),
        position_(job.root, archive),
        client_([&] {
          HttpLimits limits = job.limits;
          limits.most_bytes = std::int64_t{1} << 42;
          return limits;
        }()),
        all_(static_cast<std::int64_t>(wanted_.size())) {}

  std::vector<Problem> Run() {
    std::string why = "no address";
    for (const std::string& url : archive_.urls) {
      why = GetFrom(url);
      if (wanted_.empty()) break;
      why = StrCat(url, ": ", why);
      if (InterruptSignal() != 0) break;
      LogWarning(why);
    }
    for (const std::string& path : wanted_) problems_.push_back({path, why});
    return std::move(problems_);
  }

 private:
  // "" when the archive was read to its end or all was found.
  std::string GetFrom(const std::string& url) {
    Progress progress("fetch " + archive_.prefix, archive_.bytes, "bytes");
    const std::int64_t start = position_.Load();
    Restart(url, start);
    HttpAnswer answer;
    int failures = 0;
    while (failures < job_.retry.attempts) {
      const std::int64_t before = tar_->position();
      answer = ReadOn(url, progress);
      if (!failure_.empty()) {
        Rethrow();
        position_.Remove();
        return std::exchange(failure_, "");
      }
      position_.Save(tar_->boundary());
      ThrowIfInterrupted();
      if (wanted_.empty() || tar_->finished()) break;
      if (answer.outcome == HttpAnswer::Outcome::kRefused) return answer.reason;
      if (answer.outcome == HttpAnswer::Outcome::kDone) {
        answer.reason = StrCat("ends after ", tar_->position(),
                               " bytes, before the archive does");
      }
      // Attempts are counted anew whenever something came.
      failures = tar_->position() > before ? 1 : failures + 1;
      if (!SleepUnlessInterrupted(WaitBefore(failures, job_.retry, answer))) {
        ThrowIfInterrupted();
      }
    }
    progress.Finish();
    if (wanted_.empty()) {
      position_.Remove();
      return "";
    }
    if (tar_->finished() && start > 0) {  // Somebody removed what was there.
      position_.Remove();
      return GetFrom(url);
    }
    return tar_->finished()
               ? kNotThere
               : StrCat(answer.reason, " (", job_.retry.attempts, " attempts)");
  }

  void Restart(const std::string& url, std::int64_t boundary) {
    tar_ = std::make_unique<TarStream>(
        url,
        TarStream::Calls{
            .wanted =
                [this](const std::string& member, std::int64_t) {
                  return wanted_.contains(PathOfMember(member, archive_));
                },
            .file =
                [this](const std::string& member, const std::string& bytes) {
                  const std::string path = PathOfMember(member, archive_);
                  const std::string wrong = landing_.Accept(path, bytes);
                  if (!wrong.empty()) problems_.push_back({path, wrong});
                  wanted_.erase(path);
                }},
        kMostMemberBytes);
    if (boundary > 0) tar_->StartAt(boundary);
  }

  HttpAnswer ReadOn(const std::string& url, Progress& progress) {
    std::int64_t skip = 0;
    return client_.Get(
        url, tar_->position(),
        {.begin =
             [&](std::int64_t at, std::int64_t) {
               skip = tar_->position() - at;  // It sends all from the start.
             },
         .take =
             [&](std::string_view bytes) {
               const auto dropped =
                   std::min(skip, static_cast<std::int64_t>(bytes.size()));
               skip -= dropped;
               bytes.remove_prefix(static_cast<std::size_t>(dropped));
               return Take(bytes, progress);
             }});
  }

  // Called by libcurl, through which no exception may pass.
  bool Take(std::string_view bytes, Progress& progress) {
    try {
      tar_->Feed(bytes);
      progress.Update(tar_->position(),
                      StrCat(all_ - static_cast<std::int64_t>(wanted_.size()),
                             " of ", all_, " images"));
    } catch (const DataError& error) {
      failure_ = error.what();
    } catch (...) {
      failure_ = "see the error";
      thrown_ = std::current_exception();
    }
    return failure_.empty() && !wanted_.empty() && !tar_->finished();
  }

  void Rethrow() {
    if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
  }

  const FetchJob& job_;
  const Archive& archive_;
  std::set<std::string> wanted_;
  Landing& landing_;
  Position position_;
  HttpClient client_;
  std::int64_t all_;
  std::unique_ptr<TarStream> tar_;
  std::string failure_;
  std::exception_ptr thrown_;
  std::vector<Problem> problems_;
};

}  // namespace

std::vector<Problem> FetchFromArchives(const FetchJob& job,
                                       const std::vector<std::string>& paths,
                                       Landing& landing) {
  std::map<std::string, std::string> missing;  // And why.
  for (const std::string& path : paths) {
    missing[path] = "in no archive of the mirrors file";
  }
  std::vector<Problem> problems;
  for (const Archive& archive : job.mirrors.archives) {
    std::set<std::string> wanted;
    for (const auto& each : missing) {
      if (MayHold(archive, each.first)) wanted.insert(each.first);
    }
    if (wanted.empty()) continue;
    for (const std::string& path : wanted) missing.erase(path);
    ArchiveFetch fetch(job, archive, std::move(wanted), landing);
    for (Problem& each : fetch.Run()) {
      // The next archive of the folder may have it.
      if (each.what.ends_with(kNotThere)) {
        missing[each.path] = each.what;
      } else {
        problems.push_back(std::move(each));
      }
    }
  }
  for (const auto& [path, why] : missing) problems.push_back({path, why});
  return problems;
}

}  // namespace tailmark::fetch
