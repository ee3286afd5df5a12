// Images one by one, each from its own address.
#include "datasets/fetch/attempts.h"
#include "datasets/fetch/fetch.h"
#include "datasets/fetch/part.h"
#include "datasets/fetch/workers.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
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
    std::vector<std::string> urls;
    for (const std::string& base : job_.mirrors.images) {
      urls.push_back(base + path);
    }
    return AskInTurn(urls, job_.retry,
                     [this, &path](const std::string& url, HttpAnswer& answer) {
                       return Try(url, path, answer);
                     });
  }

 private:
  std::string Try(const std::string& url, const std::string& path,
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
