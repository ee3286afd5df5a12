#include "harness/cli/feature_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <ctime>

#include "harness/base/error.h"
#include "harness/base/safetensors.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kSecondsOfDay = 86400;

std::vector<fs::path> Below(const fs::path& cache) {
  std::vector<fs::path> paths;
  std::error_code code;
  for (const auto& entry :
       fs::recursive_directory_iterator(cache / "features", code)) {
    if (entry.is_regular_file(code) &&
        entry.path().extension() == ".safetensors") {
      paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

void ReadHeader(FeatureFile& file) try {
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

}  // namespace

std::vector<FeatureFile> FeatureFiles(const fs::path& cache) {
  std::vector<FeatureFile> files;
  const std::time_t now = std::time(nullptr);
  for (const fs::path& path : Below(cache)) {
    struct stat facts {};
    // Another process may prune at the same time.
    if (stat(path.c_str(), &facts) != 0) continue;
    FeatureFile file{.path = path, .bytes = facts.st_size};
    file.days_unused = std::max<std::int64_t>(
                           0, now - std::max(facts.st_atime, facts.st_mtime)) /
                       kSecondsOfDay;
    ReadHeader(file);
    files.push_back(std::move(file));
  }
  return files;
}

std::int64_t FeatureBytes(const fs::path& cache) {
  std::int64_t bytes = 0;
  for (const fs::path& path : Below(cache)) {
    std::error_code code;
    const auto size = fs::file_size(path, code);
    if (!code) bytes += static_cast<std::int64_t>(size);
  }
  return bytes;
}

}  // namespace tailmark
