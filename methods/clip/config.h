#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/json.h"

namespace tailmark {

enum class Activation : std::uint8_t { kQuickGelu, kGelu };

/// The transformer of one tower.
struct TowerConfig {
  std::int64_t width = 0;
  std::int64_t mlp = 0;  ///< Width between the two layers of the MLP.
  std::int64_t layers = 0;
  std::int64_t heads = 0;
  double eps = 1e-5;  ///< Of every LayerNorm.
  Activation activation = Activation::kQuickGelu;
};

/// A ResNet in place of the vision transformer.
struct ResNetConfig {
  std::int64_t width = 0;  ///< Channels of the stem, 64 for RN50.
  std::vector<std::int64_t>
      layers;              ///< Blocks each, 3 4 6 3; empty: no ResNet.
  std::int64_t heads = 0;  ///< Of the attention pool.

  /// Channels of the last map.
  std::int64_t channels() const { return 32 * width; }
};

/// Where a text ends: the feature is read there.
struct EndRule {
  /// The first position of this id; -1: the first position of the row's largest
  /// id (OpenAI's rule, and what HuggingFace means by eos_token_id 2).
  std::int64_t id = -1;
};

/// All that is needed to build a CLIP. The defaults are HuggingFace's, which
/// its files leave out.
struct ClipConfig {
  TowerConfig vision{.width = 768, .mlp = 3072, .layers = 12, .heads = 12};
  TowerConfig text{.width = 512, .mlp = 2048, .layers = 12, .heads = 8};
  /// With one, `vision` is of width 0 and has no layers.
  ResNetConfig resnet{};
  std::int64_t joint_width = 512;  ///< D, of both projections.
  std::int64_t image_size = 224;   ///< Square, pixels.
  std::int64_t patch_size = 32;
  std::int64_t vocabulary = 49408;
  std::int64_t context_length = 77;
  EndRule end{.id = 49407};
  /// A norm before the vision transformer's blocks, as every CLIP has it; not a
  /// field of files.
  bool vision_pre_norm = true;
  /// "bpe" (CLIP's own) or "words" (nano-CLIP's).
  std::string tokenizer = "bpe";

  bool has_resnet() const { return !resnet.layers.empty(); }
  std::int64_t grid() const { return image_size / patch_size; }
};

/// Reads a HuggingFace CLIP config.json. Throws DataError that begins with
/// `name` and says which field is absent, of the wrong type or out of range.
ClipConfig ParseClipConfig(const Json& json, std::string_view name);

/// The config.json that ParseClipConfig reads back, and transformers too.
Json ToJson(const ClipConfig& config);

}  // namespace tailmark
