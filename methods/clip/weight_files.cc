#include "methods/clip/weight_files.h"

#include <set>

#include "harness/base/error.h"
#include "harness/base/json.h"
#include "harness/base/suggest.h"
#include "harness/base/torch_archive.h"
#include "methods/clip/openai_names.h"
#include "methods/clip/tensor_file.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

/// The folder's only archive of torch. Throws DataError.
fs::path OnlyArchive(const fs::path& folder) {
  std::set<fs::path> found;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(folder, code)) {
    if (entry.path().extension() == ".pt") found.insert(entry.path());
  }
  if (found.size() != 1) {
    throw DataError(StrCat(folder.string(),
                           ": holds no weights: expected "
                           "model.safetensors, open_clip_model.safetensors or "
                           "one .pt file, found ",
                           found.size(), " of the last"));
  }
  return *found.begin();
}

// In parts: what the comparison makes then fits in the processor's caches.
bool AllFinite(const at::Tensor& tensor) {
  constexpr std::int64_t kPart = std::int64_t{1} << 17;
  for (const at::Tensor& part : tensor.flatten().split(kPart)) {
    if (!part.isfinite().all().item<bool>()) return false;
  }
  return true;
}

}  // namespace

WeightFiles::WeightFiles(const fs::path& path) : name_(path.string()) {
  const fs::path index = path / "model.safetensors.index.json";
  if (!fs::exists(path)) {
    throw DataError(StrCat(name_, ": no such file or folder"));
  }
  if (!fs::is_directory(path)) {
    path.extension() == ".pt" ? AddArchive(path) : AddSafetensors(path);
  } else if (fs::exists(index)) {
    AddShards(index);
  } else if (fs::exists(path / "model.safetensors")) {
    AddSafetensors(path / "model.safetensors");
  } else if (fs::exists(path / "open_clip_model.safetensors")) {
    AddSafetensors(path / "open_clip_model.safetensors");
  } else {
    AddArchive(OnlyArchive(path));
  }
  openai_names_ = HasOpenAiNames(tensors_);
}

void WeightFiles::AddSafetensors(const fs::path& path) {
  const auto file = Safetensors::Open(path);
  name_ = path.string();
  owners_.push_back(file.owner());
  tensors_.insert(file.tensors().begin(), file.tensors().end());
}

void WeightFiles::AddArchive(const fs::path& path) {
  const auto file = TorchArchive::Open(path);
  name_ = path.string();
  owners_.push_back(file.owner());
  tensors_ = file.tensors();
}

void WeightFiles::AddShards(const fs::path& index) {
  name_ = index.string();
  const Json json = ReadJson(index);
  if (!json.is_object() || !json.contains("weight_map") ||
      !json["weight_map"].is_object()) {
    throw DataError(
        StrCat(name_, ": field 'weight_map' is missing or no object"));
  }
  std::map<std::string, Safetensors> shards;
  for (const auto& [tensor, value] : json["weight_map"].items()) {
    // A shard lies beside its index: a path could read any file there is.
    const std::string shard =
        value.is_string() ? value.get<std::string>() : std::string();
    if (shard.empty() || fs::path(shard).filename() != shard) {
      throw DataError(StrCat(name_, ": tensor '", tensor,
                             "' names no file of this folder"));
    }
    if (!shards.contains(shard)) {
      shards.emplace(shard, Safetensors::Open(index.parent_path() / shard));
    }
    tensors_.emplace(tensor, shards.at(shard).At(tensor));
  }
  if (shards.empty()) throw DataError(StrCat(name_, ": lists no tensor"));
  for (const auto& [shard, file] : shards) {
    owners_.push_back(file.owner());
    for (const auto& [tensor, view] : file.tensors()) {
      if (tensors_.contains(tensor)) continue;
      throw DataError(StrCat(name_, ": tensor '", tensor,
                             "' is in no shard by the index, but ", shard,
                             " has it"));
    }
  }
}

std::size_t WeightFiles::bytes() const {
  std::size_t sum = 0;
  for (const auto& [name, view] : tensors_) sum += view.bytes.size();
  return sum;
}

at::Tensor WeightFiles::Take(const std::string& name, at::IntArrayRef shape) {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) {
    std::vector<std::string> names;
    for (const auto& [key, view] : tensors_) names.push_back(key);
    const std::string near = Nearest(name, names);
    throw DataError(StrCat(
        name_, ": tensor '", name, "' is missing",
        near.empty() ? "" : StrCat("; the nearest name is '", near, "'")));
  }
  const TensorView& view = found->second;
  if (view.shape != shape.vec()) {
    throw DataError(StrCat(name_, ": tensor '", name, "' has shape ",
                           ShapeText(view.shape), ", expected ",
                           ShapeText(shape), " from the configuration"));
  }
  const auto tensor = ToTensor(view);
  if (!tensor.is_floating_point()) {
    throw DataError(StrCat(name_, ": tensor '", name, "' has type ",
                           NameOf(view.dtype), ", expected floating point"));
  }
  if (!AllFinite(tensor)) {
    throw DataError(StrCat(name_, ": tensor '", name,
                           "' holds values that are not finite"));
  }
  used_.insert(name);
  return tensor;
}

void WeightFiles::CheckAllUsed() const {
  for (const auto& [name, view] : tensors_) {
    // Old files carry the numbers 0, 1, 2, ... as a buffer.
    if (used_.contains(name) || name.ends_with(".position_ids")) continue;
    if (openai_names_ && IsOpenAiExtra(name)) continue;
    throw DataError(StrCat(name_, ": tensor '", name, "' ",
                           ShapeText(view.shape),
                           " has no place in the model of the configuration"));
  }
}

}  // namespace tailmark
