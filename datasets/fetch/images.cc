// Images one by one, each from its own address.
#include "datasets/fetch/fetch.h"
#include "datasets/fetch/part.h"
#include "datasets/fetch/workers.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/interrupt.h"
#include "harness/base/progress.h"

namespace tailmark::fetch {
namespace fs = std::filesystem;
namespace {

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
