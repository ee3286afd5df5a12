#include "harness/cli/cache_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <ctime>

#include "harness/base/error.h"
#include "harness/base/safetensors.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kSecondsOfDay = 86400;
constexpr CacheKind kKinds[] = {CacheKind::kFeatures, CacheKind::kPlugin,
                                CacheKind::kHashes};

/// Regular files whose names begin and end so, as `Iterator` goes over them.
template <class Iterator>
std::vector<fs::path> Matching(const fs::path& folder, std::string_view begin,
                               std::string_view end) {
  std::vector<fs::path> paths;
  std::error_code code;
  for (const auto& entry : Iterator(folder, code)) {
    const std::string name = entry.path().filename();
    if (entry.is_regular_file(code) && name.starts_with(begin) &&
        name.ends_with(end)) {
      paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::vector<fs::path> Below(const fs::path& cache, CacheKind kind) {
  using Folder = fs::directory_iterator;
  using Tree = fs::recursive_directory_iterator;
  switch (kind) {
    case CacheKind::kFeatures:
      return Matching<Tree>(cache / "features", "", ".safetensors");
    case CacheKind::kPlugin:
      return Matching<Folder>(cache / "plugins", "", ".json");
    case CacheKind::kHashes:
      return Matching<Folder>(cache, "file-hashes-", ".json");
  }
  return {};
}

void ReadHeader(CacheFile& file) try {
  const Safetensors tensors = Safetensors::Open(file.path);
  const auto& metadata = tensors.metadata();
  const auto format = metadata.find("format");
  const auto key = metadata.find("key");
  if (format == metadata.end() || key == metadata.end() ||
      !format->second.starts_with("tailmark-features/") ||
      !tensors.Has("features")) {
    file.objection = "no feature file";
    return;
  }
  const TensorView& view = tensors.At("features");
  if (view.shape.size() == 2) {
    file.rows = view.shape[0];
    file.width = view.shape[1];
  }
  file.key = ParseJson(key->second, file.path.string());
} catch (const DataError&) {
  file.objection = "damaged";
}

void ReadWhole(CacheFile& file) try {
  ReadJson(file.path);
} catch (const DataError&) {
  file.objection = "damaged";
}

}  // namespace

std::string_view NameOf(CacheKind kind) {
  constexpr std::string_view kNames[] = {"features", "plugin", "file-hashes"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::vector<CacheFile> CacheFiles(const fs::path& cache) {
  std::vector<CacheFile> files;
  const std::time_t now = std::time(nullptr);
  for (const CacheKind kind : kKinds) {
    for (const fs::path& path : Below(cache, kind)) {
      struct stat facts {};
      // Another process may prune at the same time.
      if (stat(path.c_str(), &facts) != 0) continue;
      CacheFile file{.path = path, .kind = kind, .bytes = facts.st_size};
      file.days_unused =
          std::max<std::int64_t>(
              0, now - std::max(facts.st_atime, facts.st_mtime)) /
          kSecondsOfDay;
      if (kind == CacheKind::kFeatures) {
        ReadHeader(file);
      } else {
        ReadWhole(file);
      }
      files.push_back(std::move(file));
    }
  }
  return files;
}

std::int64_t CacheBytes(const fs::path& cache, CacheKind kind) {
  std::int64_t bytes = 0;
  for (const fs::path& path : Below(cache, kind)) {
    std::error_code code;
    const auto size = fs::file_size(path, code);
    if (!code) bytes += static_cast<std::int64_t>(size);
  }
  return bytes;
}

}  // namespace tailmark
