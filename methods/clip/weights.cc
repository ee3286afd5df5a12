#include "methods/clip/weights.h"

#include <string>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/json.h"
#include "methods/clip/openai_names.h"
#include "methods/clip/tensor_file.h"
#include "methods/clip/weight_files.h"
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

std::vector<std::int64_t> PartShape(at::IntArrayRef whole, std::size_t parts) {
  auto shape = whole.vec();
  if (parts > 1) shape[0] /= static_cast<std::int64_t>(parts);
  return shape;
}

// A configuration that lies about sizes must not decide how much memory we ask
// for: the tensors of the files have to be there first.
void CheckSizes(const ClipConfig& config, const WeightFiles& files) {
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
      double(config.joint_width) * double(config.text.width) +
      // Of a ResNet, the three projections of its attention pool.
      3.0 * double(config.resnet.channels()) * double(config.resnet.channels());
  if (values > double(files.bytes())) {
    throw DataError(StrCat(files.name(),
                           files.openai_names() ? ": the shapes describe "
                                                : ": config.json describes ",
                           values, " parameters, but the files have only ",
                           files.bytes(), " bytes of tensors"));
  }
}

/// OpenCLIP's own models have the exact GELU unless their configuration says
/// otherwise; such files look like OpenAI's.
void ReadOpenClipConfig(const fs::path& path, ClipConfig& config) {
  const fs::path file = path / "open_clip_config.json";
  if (!fs::exists(file)) return;
  const Json json = ReadJson(file);
  const Json model = json.value("model_cfg", Json::object());
  const Json quick = model.value("quick_gelu", Json(false));
  if (!quick.is_boolean()) {
    throw DataError(StrCat(file.string(), ": field 'model_cfg.quick_gelu' is ",
                           quick.dump(), ", expected true or false"));
  }
  if (!quick.get<bool>()) {
    config.vision.activation = Activation::kGelu;
    config.text.activation = Activation::kGelu;
  }
}

ClipConfig ReadConfig(const fs::path& path, const WeightFiles& files) {
  if (!files.openai_names()) {
    const fs::path folder = fs::is_directory(path) ? path : path.parent_path();
    return ParseClipConfig(ReadJson(folder / "config.json"),
                           (folder / "config.json").string());
  }
  ClipConfig config = ConfigFromShapes(files.tensors(), files.name());
  if (fs::is_directory(path)) ReadOpenClipConfig(path, config);
  return config;
}

/// One parameter, put together from what files call it.
at::Tensor TakeParameter(const std::string& name, at::IntArrayRef shape,
                         WeightFiles& files) {
  if (files.openai_names()) {
    const OpenAiName theirs = ToOpenAiName(name);
    if (!theirs.transposed) return files.Take(theirs.name, shape);
    return files.Take(theirs.name, {shape[1], shape[0]}).t();
  }
  const auto names = FileNames(name);
  std::vector<at::Tensor> parts;
  for (const std::string& part : names) {
    parts.push_back(files.Take(part, PartShape(shape, names.size())));
  }
  return parts.size() == 1 ? parts[0] : at::cat(parts);
}

}  // namespace

ClipModel LoadClip(const fs::path& path, const at::TensorOptions& like) {
  const at::NoGradGuard no_grad;
  WeightFiles files(path);
  const ClipConfig config = ReadConfig(path, files);
  CheckSizes(config, files);
  ClipModel model(config, like.requires_grad(false));
  for (const auto& [name, tensor] : model.Parameters()) {
    tensor.copy_(TakeParameter(name, tensor.sizes(), files));
  }
  files.CheckAllUsed();
  return model;
}

void SaveClip(const ClipModel& model, const fs::path& folder,
              at::ScalarType type) {
  if (model.resnet) {
    throw ConfigError("HuggingFace folders hold no CLIP with a ResNet");
  }
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
