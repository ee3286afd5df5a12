// Images one by one, each from its own address.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "datasets/fetch/fetch.h"
#include "datasets/fetch/workers.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/interrupt.h"
#include "harness/base/progress.h"

namespace tailmark::fetch {
namespace fs = std::filesystem;
namespace {

/// The beginning of a file, kept on disk until the rest has come.
class Part {
 public:
  explicit Part(fs::path path) : path_(std::move(path)) {}
  ~Part() { Close(); }
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;

  std::int64_t size() const {
    std::error_code error;
    const auto bytes = fs::file_size(path_, error);
    return error ? 0 : static_cast<std::int64_t>(bytes);
  }
  void OpenAt(std::int64_t offset) {
    Close();
    const int flags =
        O_WRONLY | O_CREAT | O_CLOEXEC | (offset == 0 ? O_TRUNC : O_APPEND);
    fd_ = open(path_.c_str(), flags, 0644);
    if (fd_ < 0) failure_ = std::strerror(errno);
  }
  bool Write(std::string_view bytes) {
    while (fd_ >= 0 && !bytes.empty()) {
      const ssize_t put = write(fd_, bytes.data(), bytes.size());
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) {
        failure_ = std::strerror(errno);
        return false;
      }
      bytes.remove_prefix(static_cast<std::size_t>(put));
    }
    return fd_ >= 0;
  }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  void Remove() {
    Close();
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  /// Throws StoreError when the disk failed.
  void RequireWritten() const {
    if (!failure_.empty())
      throw StoreError(StrCat(path_.string(), ": ", failure_));
  }

 private:
  fs::path path_;
  int fd_ = -1;
  std::string failure_;
};

/// One image, from one thread.
class ImageFetch {
 public:
  ImageFetch(const FetchJob& job, HttpClient& client, Landing& landing)
      : job_(job), client_(client), landing_(landing) {}

  /// What is wrong, or "".
  std::string Get(const std::string& path) {
    std::string why;
    for (const std::string& base : job_.mirrors.images) {
      const std::string failure = GetFrom(base + path, path);
      if (failure.empty()) return "";
      why += StrCat(why.empty() ? "" : "; ", base + path, ": ", failure);
      if (InterruptSignal() != 0) break;
    }
    return why.empty() ? "no address" : why;
  }

 private:
  std::string GetFrom(const std::string& url, const std::string& path) {
    HttpAnswer answer;
    std::string failure;
    for (int attempt = 1; attempt <= job_.retry.attempts; ++attempt) {
      if (attempt > 1 && !SleepUnlessInterrupted(
                             WaitBefore(attempt - 1, job_.retry, answer))) {
        return "interrupted";
      }
      failure = TryOnce(url, path, answer);
      if (failure.empty() || answer.outcome == HttpAnswer::Outcome::kRefused ||
          answer.outcome == HttpAnswer::Outcome::kStopped) {
        return failure;
      }
    }
    return StrCat(failure, " (", job_.retry.attempts, " attempts)");
  }

  std::string TryOnce(const std::string& url, const std::string& path,
                      HttpAnswer& answer) {
    const fs::path target = job_.root / path;
    MakeFolders(target.parent_path());
    const fs::path part_path = target.string() + ".part";
    Part part(part_path);
    const std::int64_t offset = part.size();
    answer = client_.Get(
        url, offset,
        {.begin = [&](std::int64_t at, std::int64_t) { part.OpenAt(at); },
         .take = [&](std::string_view bytes) { return part.Write(bytes); }});
    part.Close();
    part.RequireWritten();
    constexpr long kRangeNotSatisfiable = 416;
    if (answer.status == kRangeNotSatisfiable) part.Remove();
    if (answer.outcome != HttpAnswer::Outcome::kDone) return answer.reason;
    const std::string wrong =
        landing_.Accept(path, part.size() == 0 ? "" : ReadFile(part_path));
    // Also when it is wrong: then its beginning must not be gone on with.
    part.Remove();
    if (!wrong.empty()) answer.outcome = HttpAnswer::Outcome::kTryAgain;
    return wrong;
  }

  const FetchJob& job_;
  HttpClient& client_;
  Landing& landing_;
};

}  // namespace

std::vector<Problem> FetchImages(const FetchJob& job,
                                 const std::vector<std::string>& paths,
                                 Landing& landing) {
  std::vector<std::unique_ptr<HttpClient>> clients;
  for (int i = 0; i < job.parallel; ++i) {
    clients.push_back(std::make_unique<HttpClient>(job.limits));
  }
  std::vector<std::string> wrong(paths.size());
  Progress progress("fetch " + job.dataset,
                    static_cast<std::int64_t>(paths.size()), "images");
  RunWorkers(
      paths.size(), job.parallel,
      [&](std::size_t i, int worker) {
        ImageFetch fetch(job, *clients[static_cast<std::size_t>(worker)],
                         landing);
        wrong[i] = fetch.Get(paths[i]);
      },
      [&](std::size_t done) {
        progress.Update(static_cast<std::int64_t>(done),
                        FormatBytes(static_cast<double>(landing.bytes())));
      });
  progress.Finish();
  std::vector<Problem> problems;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (!wrong[i].empty()) problems.push_back({paths[i], wrong[i]});
  }
  return problems;
}

}  // namespace tailmark::fetch
