#include "harness/run/feature_cache.h"

#include <ATen/ATen.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "harness/base/clock.h"
#include "harness/base/digest.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/log.h"
#include "harness/base/safetensors.h"
#include "harness/run/tensors.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

// Whoever has the turn may have been stopped.
constexpr double kLongestWait = 600;  // seconds
constexpr std::string_view kFormat = "tailmark-features/1";

std::string Metadata(const Safetensors& file, std::string_view name) {
  const auto it = file.metadata().find(name);
  return it == file.metadata().end() ? "" : it->second;
}

/// Why `file` is not what `key` asks for; "" when it is.
std::string Objection(const Safetensors& file, const FeatureKey& key,
                      std::int64_t rows) {
  if (Metadata(file, "format") != kFormat) return "it is not a feature file";
  if (Metadata(file, "key") != Canonical(key.ToJson())) {
    return "the key inside is another one";
  }
  if (!file.Has("features")) return "it has no features";
  const TensorView& view = file.At("features");
  if (view.dtype != DType::kFloat32 || view.shape.size() != 2 ||
      view.shape[0] != rows) {
    return StrCat("features are ", NameOf(view.dtype), " ",
                  ShapeText(view.shape), ", expected float32 [", rows, ", D]");
  }
  const auto found = Sha256().Update(view.bytes).Hex();
  return found == Metadata(file, "sha256") ? "" : "its bytes have changed";
}

}  // namespace

Json FeatureKey::ToJson() const {
  return {{"weights_sha256", weights_sha256},
          {"pipeline", pipeline},
          {"pipeline_version", pipeline_version},
          {"dtype", dtype},
          {"ids_sha256", ids_sha256},
          {"manifest_sha256", manifest_sha256},
          {"view", view},
          {"device_type", device_type},
          {"encoder_settings", encoder_settings},
          {"numerics", numerics},
          {"batch_size", batch_size}};
}

std::string FeatureKey::Id() const { return HashOf(ToJson()); }

FeatureCache::FeatureCache(fs::path folder) : folder_(std::move(folder)) {}

fs::path FeatureCache::PathOf(const FeatureKey& key) const {
  const std::string id = key.Id();
  return folder_ / "features" / id.substr(0, 2) / (id + ".safetensors");
}

std::optional<at::Tensor> FeatureCache::Load(const FeatureKey& key,
                                             std::int64_t rows) const {
  if (folder_.empty()) return std::nullopt;
  const fs::path path = PathOf(key);
  std::error_code code;
  if (!fs::exists(path, code)) return std::nullopt;
  std::string objection;
  try {
    const Safetensors file = Safetensors::Open(path);
    objection = Objection(file, key, rows);
    if (objection.empty()) {
      const TensorView& view = file.At("features");
      // The tensor reads the mapped file; the owner keeps the mapping alive.
      // Nobody writes to it: sources only select rows.
      auto* data = const_cast<std::byte*>(view.bytes.data());
      return at::from_blob(
          data, view.shape,
          [owner = file.owner()](void*) mutable { owner.reset(); }, at::kFloat);
    }
  } catch (const DataError& error) {
    objection = error.what();
  }
  LogWarning(StrCat(path.string(), " is not used: ", objection,
                    "; the features are computed again"));
  return std::nullopt;
}

FeatureCache::Turn::Turn(fs::path path, int fd)
    : path_(std::move(path)), fd_(fd) {}

FeatureCache::Turn::~Turn() {
  if (fd_ < 0) return;
  // Who waits on this file sees that it lost its name, and opens the next.
  unlink(path_.c_str());
  close(fd_);
}

std::unique_ptr<FeatureCache::Turn> FeatureCache::WaitForTurn(
    const FeatureKey& key, const std::function<void()>& tick) const {
  const auto made = [](const fs::path& path, int fd) {
    return std::unique_ptr<Turn>(new Turn(path, fd));
  };
  if (folder_.empty()) return made({}, -1);
  const fs::path path = PathOf(key).replace_extension(".turn");
  MakeFolders(path.parent_path());
  const Stopwatch watch;
  while (true) {
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) return made({}, -1);
    int failed = flock(fd, LOCK_EX | LOCK_NB);
    while (failed != 0 && (errno == EWOULDBLOCK || errno == EINTR)) {
      if (watch.Seconds() > kLongestWait) {
        close(fd);
        return made({}, -1);
      }
      tick();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      failed = flock(fd, LOCK_EX | LOCK_NB);
    }
    struct stat ours {};
    struct stat named {};
    const bool same = fstat(fd, &ours) == 0 &&
                      stat(path.c_str(), &named) == 0 &&
                      ours.st_ino == named.st_ino;
    if (failed == 0 && same) return made(path, fd);
    close(fd);
    if (failed != 0) return made({}, -1);
  }
}

void FeatureCache::Store(const FeatureKey& key,
                         const at::Tensor& features) const {
  if (folder_.empty()) return;
  TM_CHECK(features.scalar_type() == at::kFloat && features.dim() == 2);
  const auto bytes = BytesOf(features);
  const fs::path path = PathOf(key);
  MakeFolders(path.parent_path());
  WriteSafetensors(path,
                   {{"features", TensorView{.dtype = DType::kFloat32,
                                            .shape = features.sizes().vec(),
                                            .bytes = bytes}}},
                   {{"format", std::string(kFormat)},
                    {"key", Canonical(key.ToJson())},
                    {"sha256", Sha256().Update(bytes).Hex()}});
}

}  // namespace tailmark
