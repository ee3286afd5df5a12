#include "methods/clip/openai_names.h"

#include <cmath>
#include <utility>

#include "harness/base/error.h"

namespace tailmark {
namespace {

constexpr std::int64_t kHeadWidth = 64;
constexpr std::int64_t kResNetStride = 32;

/// Shapes, each asked for by name and number of sides.
class Shapes {
 public:
  Shapes(const Safetensors::Tensors& tensors, std::string_view name)
      : tensors_(tensors), name_(name) {}

  std::int64_t Side(const std::string& tensor, std::size_t sides,
                    std::size_t which) const {
    const auto found = tensors_.find(tensor);
    if (found == tensors_.end()) {
      throw DataError(StrCat(name_, ": tensor '", tensor, "' is missing"));
    }
    const auto& shape = found->second.shape;
    if (shape.size() != sides || shape[which] < 1) {
      throw DataError(StrCat(name_, ": tensor '", tensor, "' has shape ",
                             ShapeText(shape), ", expected ", sides,
                             " sides, none of them empty"));
    }
    return shape[which];
  }
  /// Side of the square behind 1 + side^2 positions.
  std::int64_t Grid(const std::string& tensor) const {
    const std::int64_t places = Side(tensor, 2, 0) - 1;
    const auto side =
        static_cast<std::int64_t>(std::lround(std::sqrt(double(places))));
    if (side < 1 || side * side != places) {
      throw DataError(StrCat(name_, ": tensor '", tensor, "' has ", places,
                             " places beside the first, which is no square"));
    }
    return side;
  }
  /// How many of prefix0suffix, prefix1suffix, ... there are.
  std::int64_t Count(const std::string& prefix,
                     const std::string& suffix) const {
    std::int64_t count = 0;
    while (tensors_.contains(StrCat(prefix, count, suffix))) ++count;
    if (count == 0) {
      throw DataError(
          StrCat(name_, ": tensor '", prefix, "0", suffix, "' is missing"));
    }
    return count;
  }
  std::int64_t Heads(std::int64_t width) const {
    if (width % kHeadWidth != 0) {
      throw DataError(StrCat(name_, ": width ", width, " is no multiple of ",
                             kHeadWidth, ", the size of a head"));
    }
    return width / kHeadWidth;
  }
  TowerConfig Tower(const std::string& prefix, std::int64_t width) const {
    const std::string blocks = prefix + "transformer.resblocks.";
    return {.width = width,
            .mlp = Side(blocks + "0.mlp.c_fc.weight", 2, 0),
            .layers = Count(blocks, ".attn.in_proj_weight"),
            .heads = Heads(width)};
  }

 private:
  const Safetensors::Tensors& tensors_;
  std::string_view name_;
};

}  // namespace

bool HasOpenAiNames(const Safetensors::Tensors& tensors) {
  return tensors.contains("visual.conv1.weight");
}

ClipConfig ConfigFromShapes(const Safetensors::Tensors& tensors,
                            std::string_view name) {
  const Shapes shapes(tensors, name);
  ClipConfig config;
  config.end.id = -1;
  config.joint_width = shapes.Side("text_projection", 2, 1);
  config.context_length = shapes.Side("positional_embedding", 2, 0);
  config.vocabulary = shapes.Side("token_embedding.weight", 2, 0);
  config.text = shapes.Tower("", shapes.Side("ln_final.weight", 1, 0));
  if (tensors.contains("visual.proj")) {
    config.patch_size = shapes.Side("visual.conv1.weight", 4, 2);
    config.image_size =
        config.patch_size * shapes.Grid("visual.positional_embedding");
    config.vision =
        shapes.Tower("visual.", shapes.Side("visual.conv1.weight", 4, 0));
    return config;
  }
  config.resnet.width = shapes.Side("visual.layer1.0.conv1.weight", 4, 0);
  for (int layer = 1; layer <= 4; ++layer) {
    config.resnet.layers.push_back(
        shapes.Count(StrCat("visual.layer", layer, "."), ".conv1.weight"));
  }
  config.resnet.heads = shapes.Heads(config.resnet.channels());
  const std::int64_t grid = shapes.Grid("visual.attnpool.positional_embedding");
  config.image_size = kResNetStride * grid;
  config.patch_size = config.image_size;  // no patches
  config.vision = {.width = 0, .mlp = 0, .layers = 0, .heads = 1};
  return config;
}

OpenAiName ToOpenAiName(const std::string& parameter) {
  if (parameter == "visual_projection.weight") return {"visual.proj", true};
  if (parameter == "text_projection.weight") return {"text_projection", true};
  std::string name = parameter;
  const std::pair<std::string_view, std::string_view> kParts[] = {
      {"vision_model.embeddings.class_embedding", "visual.class_embedding"},
      {"vision_model.embeddings.patch_embedding", "visual.conv1"},
      {"vision_model.embeddings.position_embedding.weight",
       "visual.positional_embedding"},
      {"vision_model.pre_layrnorm", "visual.ln_pre"},
      {"vision_model.post_layernorm", "visual.ln_post"},
      {"vision_model.encoder.layers.", "visual.transformer.resblocks."},
      {"text_model.embeddings.token_embedding", "token_embedding"},
      {"text_model.embeddings.position_embedding.weight",
       "positional_embedding"},
      {"text_model.encoder.layers.", "transformer.resblocks."},
      {"text_model.final_layer_norm", "ln_final"},
      {".layer_norm1.", ".ln_1."},
      {".layer_norm2.", ".ln_2."},
      {".self_attn.qkv_proj.", ".attn.in_proj_"},
      {".self_attn.out_proj.", ".attn.out_proj."},
      {".mlp.fc1.", ".mlp.c_fc."},
      {".mlp.fc2.", ".mlp.c_proj."},
  };
  for (const auto& [ours, theirs] : kParts) {
    const std::size_t at = name.find(ours);
    if (at != name.npos) name.replace(at, ours.size(), theirs);
  }
  return {name};
}

bool IsOpenAiExtra(std::string_view name) {
  return name == "input_resolution" || name == "context_length" ||
         name == "vocab_size" || name == "attn_mask" ||
         name.ends_with(".num_batches_tracked");
}

}  // namespace tailmark
