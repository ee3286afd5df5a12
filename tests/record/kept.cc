#include "tests/record/kept.h"

#include <unistd.h>

#include "harness/base/digest.h"
#include "harness/base/environment.h"
#include "harness/base/error.h"
#include "harness/record/build_info.h"

namespace tailmark {
namespace fs = std::filesystem;

fs::path Kept(const fs::path& folder, const std::string& name, const Json& from,
              const std::function<void(const fs::path&)>& make) {
  const std::string stem = name + ".";
  const fs::path path = folder / (stem + Sha256Hex(from.dump()).substr(0, 16));
  if (!GetEnv("TAILMARK_AFRESH") && fs::exists(path)) return path;
  fs::create_directories(folder);
  // Processes may make the same file at once: each its own, then a rename.
  const fs::path making = folder / StrCat("making-", getpid(), "-", name);
  make(making);
  if (!fs::exists(making)) return {};
  for (const auto& entry : fs::directory_iterator(folder)) {
    std::error_code ignored;
    if (entry.path().filename().string().starts_with(stem)) {
      fs::remove(entry.path(), ignored);
    }
  }
  fs::rename(making, path);
  return path;
}

fs::path KeptFeatures(const fs::path& bin) {
  if (GetEnv("TAILMARK_AFRESH")) return {};
  // By its time, not its bytes: every test asks, and each link is another.
  const fs::path worker = bin / "tailmark-worker";
  const Json from = {
      {"torch", ThisBuild().torch_version},
      {"bytes", fs::file_size(worker)},
      {"written", fs::last_write_time(worker).time_since_epoch().count()}};
  const fs::path all = bin.parent_path() / "kept" / "features";
  const fs::path mine = all / Sha256Hex(from.dump()).substr(0, 16);
  fs::create_directories(mine);
  for (const auto& entry : fs::directory_iterator(all)) {
    std::error_code ignored;
    if (entry.path() != mine) fs::remove_all(entry.path(), ignored);
  }
  return mine;
}

Json WhatMovesScores(const fs::path& bin,
                     const std::vector<std::string>& programs) {
  Json hashes = {{"torch", ThisBuild().torch_version}};
  for (const std::string& name : programs) {
    hashes[name] = Sha256File(bin / name);
  }
  return hashes;
}

}  // namespace tailmark
