#include "harness/record/encoder_shape.h"

#include <cmath>
#include <string_view>

#include "harness/base/safetensors.h"
#include "harness/base/torch_archive.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;

using Shape = std::vector<std::int64_t>;

constexpr double kSavedPerNumber = 15 * sizeof(float);
// Of a ResNet: the input of each convolution, its norm and what is cut at 0.
constexpr double kSavedPerOutput = 3 * sizeof(float);

double Elements(const Shape& shape) {
  double count = 1;
  for (const std::int64_t side : shape) count *= static_cast<double>(side);
  return count;
}

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != text.npos;
}

bool OfImages(std::string_view name) {
  return name.starts_with("visual.") || name.starts_with("vision_model.") ||
         name.starts_with("visual_projection.");
}

/// A matrix that every token passes.
bool OfBlock(std::string_view name, const Shape& shape) {
  return shape.size() == 2 &&
         (Contains(name, "resblocks.") || Contains(name, "encoder.layers."));
}

/// "visual.layer3.0.conv2.weight" -> 3; 0: no part of a stage.
int StageOf(std::string_view name) {
  constexpr std::string_view kStage = "visual.layer";
  return name.starts_with(kStage) && name.size() > kStage.size()
             ? name[kStage.size()] - '0'
             : 0;
}

const Shape* FirstOf(const TensorShapes& tensors,
                     std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (const auto it = tensors.find(name); it != tensors.end()) {
      return &it->second;
    }
  }
  return nullptr;
}

/// Matrices of a block have twelve squares of the width together: so layers are
/// counted.
void AddBlocks(const TensorShapes& tensors, bool images,
               EncoderShape::Tower& tower) {
  double numbers = 0;
  for (const auto& [name, shape] : tensors) {
    if (OfImages(name) != images) continue;
    if (Contains(name, "logit_scale")) continue;
    tower.numbers += Elements(shape);
    if (OfBlock(name, shape)) numbers += Elements(shape);
  }
  const double layers = numbers / (12 * tower.width * tower.width);
  tower.flops +=
      tower.tokens * (2 * numbers + 4 * layers * tower.tokens * tower.width);
  tower.saved += tower.tokens * layers * tower.width * kSavedPerNumber;
}

/// Side of the map that a convolution gives, of a picture's side: the stem
/// halves it, its pool too, and each later stage behind the first two
/// convolutions of its first block.
double MapOf(std::string_view name, double side) {
  const int stage = StageOf(name);
  if (stage == 0) return side / 2;
  const bool before = stage > 1 && (name.ends_with(".0.conv1.weight") ||
                                    name.ends_with(".0.conv2.weight"));
  return side / std::exp2(stage + (before ? 0 : 1));
}

void AddConvolutions(const TensorShapes& tensors, double side,
                     EncoderShape::Tower& tower) {
  for (const auto& [name, shape] : tensors) {
    if (!OfImages(name)) continue;
    // Keys and values of the attention pool: of the mean and every place.
    if (name == "visual.attnpool.k_proj.weight" ||
        name == "visual.attnpool.v_proj.weight") {
      tower.flops += 2 * Elements(shape) * (side * side / (32 * 32) + 1);
    }
    if (shape.size() != 4) continue;
    const double map = MapOf(name, side);
    tower.flops += 2 * Elements(shape) * map * map;
    tower.saved += static_cast<double>(shape[0]) * map * map * kSavedPerOutput;
  }
}

}  // namespace

std::optional<EncoderShape> EncoderShapeOf(const TensorShapes& tensors) {
  const Shape* first =
      FirstOf(tensors, {"visual.conv1.weight",
                        "vision_model.embeddings.patch_embedding.weight"});
  if (first == nullptr || first->size() != 4) return std::nullopt;
  EncoderShape shape;
  shape.image.width = static_cast<double>(first->at(0));
  const auto patch = static_cast<double>(first->at(2));
  const Shape* places =
      FirstOf(tensors, {"visual.positional_embedding",
                        "vision_model.embeddings.position_embedding.weight"});
  const Shape* pool =
      FirstOf(tensors, {"visual.attnpool.positional_embedding"});
  if (places != nullptr && !places->empty()) {
    shape.image.tokens = static_cast<double>(places->at(0));
    shape.pixels = patch * std::sqrt(shape.image.tokens - 1);
    shape.image.flops = 2 * Elements(*first) * (shape.image.tokens - 1);
    AddBlocks(tensors, true, shape.image);
  } else if (pool != nullptr && !pool->empty()) {
    shape.pixels = 32 * std::sqrt(static_cast<double>(pool->at(0)) - 1);
    // It has no blocks, only numbers. Of its stages the second is as wide as
    // most of its work is.
    shape.image.width *= 16;
    AddBlocks(tensors, true, shape.image);
    AddConvolutions(tensors, shape.pixels, shape.image);
  } else {
    return std::nullopt;
  }
  const Shape* words =
      FirstOf(tensors, {"token_embedding.weight",
                        "text_model.embeddings.token_embedding.weight"});
  if (words != nullptr && words->size() == 2) {
    shape.text.width = static_cast<double>(words->at(1));
    AddBlocks(tensors, false, shape.text);
  }
  return shape;
}

std::optional<EncoderShape> EncoderShapeOf(const fs::path& path) {
  TensorShapes shapes;
  const auto add = [&](const Safetensors::Tensors& tensors) {
    for (const auto& [name, view] : tensors) shapes[name] = view.shape;
  };
  const auto look = [&](const fs::path& file) {
    if (file.extension() == ".safetensors") {
      add(Safetensors::Open(file).tensors());
    } else if (file.extension() == ".pt") {
      add(TorchArchive::Open(file).tensors());
    }
  };
  if (fs::is_directory(path)) {
    for (const auto& entry : fs::directory_iterator(path)) look(entry.path());
  } else {
    look(path);
  }
  return EncoderShapeOf(shapes);
}

}  // namespace tailmark
