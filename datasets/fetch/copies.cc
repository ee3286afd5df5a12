// Images out of a copy that the user has.
#include <algorithm>
#include <array>
#include <thread>

#include "datasets/fetch/fetch.h"
#include "datasets/fetch/workers.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/progress.h"

namespace tailmark::fetch {
namespace fs = std::filesystem;

fs::path LocateIn(const fs::path& from, const std::string& path) {
  const auto slash = path.find('/');
  const std::string below = slash == path.npos ? path : path.substr(slash + 1);
  const std::array<fs::path, 3> places = {from / path, from / "images" / path,
                                          from / below};
  for (const fs::path& place : places) {
    std::error_code ignored;
    if (fs::is_regular_file(place, ignored)) return place;
  }
  return {};
}

void LinkOrCopy(const fs::path& source, const fs::path& target) {
  std::error_code error;
  fs::remove(target, error);
  fs::create_hard_link(fs::canonical(source), target, error);
  if (!error) return;
  // Another disk, or one that knows no links.
  fs::copy_file(source, target, fs::copy_options::overwrite_existing, error);
  if (error) throw StoreError(StrCat(target.string(), ": ", error.message()));
}

namespace {

std::string Take(const FetchJob& job, const std::string& path,
                 Landing& landing) {
  const fs::path source = LocateIn(job.from, path);
  if (source.empty()) return StrCat("not in ", job.from.string());
  std::string bytes;
  try {
    bytes = ReadFile(source, kMostPictureBytes);
  } catch (const DataError& error) {
    return error.what();
  }
  PictureFacts facts;
  const std::string wrong = landing.Judge(path, bytes, facts);
  if (!wrong.empty()) return StrCat(source.string(), ": ", wrong);
  const fs::path target = job.root / path;
  MakeFolders(target.parent_path());
  std::error_code error;
  fs::remove(target, error);
  fs::create_hard_link(fs::canonical(source), target, error);
  // Another disk, or one that knows no links.
  if (error) return landing.Accept(path, bytes);
  landing.Note(path, facts);
  return "";
}

}  // namespace

std::vector<Problem> TakeFromCopy(const FetchJob& job,
                                  const std::vector<std::string>& paths,
                                  Landing& landing) {
  if (!fs::is_directory(job.from)) {
    throw ConfigError(StrCat("--from ", job.from.string(), " is no folder"));
  }
  std::vector<std::string> wrong(paths.size());
  Progress progress("take " + job.dataset,
                    static_cast<std::int64_t>(paths.size()), "images");
  RunWorkers(
      paths.size(),
      std::max(1, static_cast<int>(std::thread::hardware_concurrency())),
      [&](std::size_t i, int) { wrong[i] = Take(job, paths[i], landing); },
      [&](std::size_t done) {
        progress.Update(static_cast<std::int64_t>(done));
      });
  progress.Finish();
  std::vector<Problem> problems;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (!wrong[i].empty()) problems.push_back({paths[i], wrong[i]});
  }
  return problems;
}

}  // namespace tailmark::fetch
