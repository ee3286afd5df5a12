#include "methods/clip/weights.h"

#include <map>
#include <set>
#include <string>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/json.h"
#include "harness/base/safetensors.h"
#include "methods/clip/tensor_file.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kFused = ".qkv_proj.";

/// The names a parameter has in files: three where ours holds query, key and
/// value in one.
std::vector<std::string> FileNames(const std::string& name) {
  const auto at = name.find(kFused);
  if (at == name.npos) return {name};
  std::vector<std::string> names;
  for (const std::string_view part : {".q_proj.", ".k_proj.", ".v_proj."}) {
    names.push_back(std::string(name).replace(at, kFused.size(), part));
  }
  return names;
}

/// The files of a folder as one set of named tensors.
class WeightFiles {
 public:
  explicit WeightFiles(const fs::path& folder) {
    const fs::path index = folder / "model.safetensors.index.json";
    if (!fs::exists(index)) {
      files_.emplace("", Safetensors::Open(folder / "model.safetensors"));
      return;
    }
    const Json json = ReadJson(index);
    if (!json.is_object() || !json.contains("weight_map") ||
        !json["weight_map"].is_object()) {
      throw DataError(StrCat(index.string(),
                             ": field 'weight_map' is missing or no object"));
    }
    for (const auto& [tensor, value] : json["weight_map"].items()) {
      // A shard lies beside its index: a path could read any file there is.
      const std::string shard =
          value.is_string() ? value.get<std::string>() : std::string();
      if (shard.empty() || fs::path(shard).filename() != shard) {
        throw DataError(StrCat(index.string(), ": tensor '", tensor,
                               "' names no file of this folder"));
      }
      if (!files_.contains(shard)) {
        files_.emplace(shard, Safetensors::Open(folder / shard));
      }
      places_[tensor] = shard;
    }
    if (files_.empty()) {
      throw DataError(StrCat(index.string(), ": lists no tensor"));
    }
  }

  /// Checks the shape and remembers that the tensor was used.
  at::Tensor Take(const std::string& name, at::IntArrayRef shape) {
    const auto place = places_.find(name);
    if (!files_.contains("") && place == places_.end()) {
      throw DataError(StrCat(files_.begin()->second.name(), ": tensor '", name,
                             "' is in no shard"));
    }
    const Safetensors& file =
        files_.at(place == places_.end() ? "" : place->second);
    const TensorView& view = file.At(name);
    if (view.shape != shape.vec()) {
      throw DataError(StrCat(file.name(), ": tensor '", name, "' has shape ",
                             ShapeText(view.shape), ", expected ",
                             ShapeText(shape), " from config.json"));
    }
    const auto tensor = ToTensor(view);
    if (!tensor.is_floating_point()) {
      throw DataError(StrCat(file.name(), ": tensor '", name, "' has type ",
                             NameOf(view.dtype), ", expected floating point"));
    }
    if (!tensor.isfinite().all().item<bool>()) {
      throw DataError(StrCat(file.name(), ": tensor '", name,
                             "' holds values that are not finite"));
    }
    used_.insert(name);
    return tensor;
  }

  /// A tensor nobody asked for means the configuration is not this file's.
  void CheckAllUsed() const {
    for (const auto& [shard, file] : files_) {
      for (const auto& [name, view] : file.tensors()) {
        // Old files carry the numbers 0, 1, 2, ... as a buffer.
        if (used_.contains(name) || name.ends_with(".position_ids")) continue;
        throw DataError(StrCat(file.name(), ": tensor '", name, "' ",
                               ShapeText(view.shape),
                               " has no place in the model of config.json"));
      }
    }
  }

 private:
  std::map<std::string, Safetensors> files_;   // by shard, "" the only one
  std::map<std::string, std::string> places_;  // tensor -> shard
  std::set<std::string> used_;
};

std::vector<std::int64_t> PartShape(at::IntArrayRef whole, std::size_t parts) {
  auto shape = whole.vec();
  if (parts > 1) shape[0] /= static_cast<std::int64_t>(parts);
  return shape;
}

// A configuration that lies about sizes must not decide how much memory we ask
// for: the tensors of the file have to be there first.
void CheckSizes(const ClipConfig& config, const fs::path& folder) {
  std::uintmax_t bytes = 0;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(folder, code)) {
    if (entry.path().extension() == ".safetensors") {
      bytes += entry.file_size(code);
    }
  }
  const auto tower = [](const TowerConfig& t) {
    return double(t.layers) * double(t.width) *
           (4.0 * double(t.width) + 2.0 * double(t.mlp));
  };
  const double values =
      tower(config.vision) + tower(config.text) +
      double(config.vocabulary + config.context_length) *
          double(config.text.width) +
      (double(config.grid()) * double(config.grid()) +
       3.0 * double(config.patch_size) * double(config.patch_size) +
       double(config.joint_width)) *
          double(config.vision.width) +
      double(config.joint_width) * double(config.text.width);
  if (values > double(bytes)) {
    throw DataError(StrCat(folder.string(), ": config.json describes ", values,
                           " parameters, but the safetensors files have only ",
                           bytes, " bytes"));
  }
}

}  // namespace

ClipModel LoadClip(const fs::path& folder, const at::TensorOptions& like) {
  const torch::NoGradGuard no_grad;
  const fs::path config_path = folder / "config.json";
  const ClipConfig config =
      ParseClipConfig(ReadJson(config_path), config_path.string());
  WeightFiles files(folder);
  CheckSizes(config, folder);
  ClipModel model(config, like.requires_grad(false));
  for (const auto& [name, tensor] : model.Parameters()) {
    const auto names = FileNames(name);
    const auto shape = PartShape(tensor.sizes(), names.size());
    std::vector<at::Tensor> parts;
    for (const std::string& part : names) {
      parts.push_back(files.Take(part, shape));
    }
    tensor.copy_(parts.size() == 1 ? parts[0] : at::cat(parts));
  }
  files.CheckAllUsed();
  return model;
}

void SaveClip(const ClipModel& model, const fs::path& folder,
              at::ScalarType type) {
  TensorFile file;
  for (const auto& [name, tensor] : model.Parameters()) {
    const auto names = FileNames(name);
    const auto value = tensor.detach().to(type);
    // chunk() refuses tensors without dimensions, which the temperature is.
    const auto count = static_cast<std::int64_t>(names.size());
    const auto parts =
        count == 1 ? std::vector<at::Tensor>{value} : value.chunk(count);
    for (std::size_t i = 0; i < names.size(); ++i) file.Put(names[i], parts[i]);
  }
  file.SetNote("format", "pt");  // transformers insists on it
  MakeFolders(folder);
  file.Write(folder / "model.safetensors");
  WriteFileAtomic(folder / "config.json", ToJson(model.config).dump(1) + "\n");
}

}  // namespace tailmark
