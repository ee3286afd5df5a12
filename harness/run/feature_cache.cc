#include "harness/run/feature_cache.h"

#include <ATen/ATen.h>

#include <memory>
#include <utility>

#include "harness/base/digest.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/log.h"
#include "harness/base/safetensors.h"
#include "harness/run/tensors.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

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
