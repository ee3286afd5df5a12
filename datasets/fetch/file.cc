#include "datasets/fetch/file.h"

#include "datasets/fetch/attempts.h"
#include "datasets/fetch/part.h"
#include "harness/base/digest.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/progress.h"

namespace tailmark::fetch {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kMiB = std::int64_t{1} << 20;

class OneFile {
 public:
  explicit OneFile(const FileJob& job)
      : job_(job),
        part_path_(job.target.string() + ".part"),
        client_(job.limits),
        progress_("fetch " + job.title, job.bytes / kMiB, "MiB") {}

  std::string Get() {
    return AskInTurn(job_.urls, job_.retry,
                     [this](const std::string& url, HttpAnswer& answer) {
                       return Try(url, answer);
                     });
  }

 private:
  std::string Try(const std::string& url, HttpAnswer& answer) {
    Part part(part_path_);
    std::int64_t done = part.size();
    answer = client_.Get(url, done,
                         {.begin =
                              [&](std::int64_t at, std::int64_t) {
                                done = at;
                                part.OpenAt(at);
                              },
                          .take =
                              [&](std::string_view bytes) {
                                done += static_cast<std::int64_t>(bytes.size());
                                progress_.Update(done / kMiB);
                                return part.Write(bytes);
                              }});
    part.Close();
    part.RequireWritten();
    constexpr long kRangeNotSatisfiable = 416;
    const bool whole = answer.outcome == HttpAnswer::Outcome::kDone;
    // Asked for what lies behind the end: all of it may be there.
    if (!whole && answer.status != kRangeNotSatisfiable) return answer.reason;
    const std::string found = Sha256File(part_path_);
    if (found != job_.sha256) {
      // Its beginning must not be gone on with.
      part.Remove();
      answer.outcome = HttpAnswer::Outcome::kTryAgain;
      return StrCat("SHA-256 is ", found, ", expected ", job_.sha256);
    }
    fs::rename(part_path_, job_.target);
    SyncFolder(job_.target.parent_path());
    progress_.Finish();
    return "";
  }

  const FileJob& job_;
  fs::path part_path_;
  HttpClient client_;
  Progress progress_;
};

}  // namespace

FileReport FetchFile(const FileJob& job) {
  MakeFolders(job.target.parent_path());
  if (fs::is_regular_file(job.target) && Sha256File(job.target) == job.sha256) {
    return {.state = FileState::kWasThere, .what = ""};
  }
  RequireRoomFor(job.target, job.bytes);
  OneFile file(job);
  const std::string wrong = file.Get();
  return {.state = wrong.empty() ? FileState::kCame : FileState::kDidNot,
          .what = wrong};
}

}  // namespace tailmark::fetch
