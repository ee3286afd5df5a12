#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>

#include "methods/clip/resnet_tower.h"
#include "methods/clip/text_tower.h"
#include "methods/clip/vision_tower.h"

namespace tailmark {

/// CLIP: both towers and the temperature, of any size. A value whose copies
/// share their parameters; Clone() makes others. Parameters are created without
/// requires_grad: gradients then flow only into prompts and embeddings that ask
/// for them.
struct ClipModel {
  /// All parameters 0 (norms: identity), to be loaded or initialised.
  ClipModel(const ClipConfig& clip_config, const at::TensorOptions& like);

  /// Every parameter, in a fixed order, under the names of HuggingFace but with
  /// query, key and value in one ("...self_attn.qkv_proj.weight"); a ResNet's
  /// under OpenAI's, running figures of its norms included.
  NamedTensors Parameters() const;
  void SetRequiresGrad(bool on) const;

  /// The same values in tensors of their own, with `like`'s type and device.
  ClipModel Clone(const at::TensorOptions& like) const;
  ClipModel Clone() const { return Clone(logit_scale.options()); }

  /// Projected features [B, D] of normalised pixels [B, 3, H, W].
  at::Tensor ImageFeature(const at::Tensor& pixels) const;

  /// exp of the learnt parameter.
  double Scale() const;

  ClipConfig config;
  VisionTower vision;  ///< Without parameters when there is a ResNet.
  std::optional<ResNetTower> resnet;
  TextTower text;
  at::Tensor logit_scale;  ///< [], the logarithm, as files have it
};

/// Fills the parameters as OpenAI's CLIP does: normal with standard deviations
/// W^-0.5 (projections, class token, vision positions, query-key-value),
/// W^-0.5 (2 layers)^-0.5 (what is added to the residual stream), (2 W)^-0.5
/// (first MLP layer), 0.02 and 0.01 (word and text position embeddings),
/// uniform within 1 / sqrt(inputs) (patches); biases 0; temperature 1 / 0.07.
/// Blocks of both towers alike. Depends on `seed` and the LibTorch version
/// alone.
void InitialiseLikeOpenAi(ClipModel& model, std::uint64_t seed);

/// SHA-256 over name, type, shape and bytes of every parameter: equal only for
/// bit-equal models. For tests that a frozen model stayed as it was.
std::string HashParameters(const ClipModel& model);

}  // namespace tailmark
