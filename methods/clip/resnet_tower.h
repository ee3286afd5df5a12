#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "methods/clip/transformer.h"

namespace tailmark {

/// Normalisation over a batch or, frozen, by the running figures of training.
struct BatchNorm {
  BatchNorm(std::int64_t width, const at::TensorOptions& like);
  /// `training`: by the batch's own mean and variance, and mean and variance
  /// are moved towards them by a tenth, as torch.nn.BatchNorm2d does.
  at::Tensor operator()(const at::Tensor& x, bool training) const;
  void Collect(const std::string& prefix, NamedTensors& out) const;

  at::Tensor weight, bias, mean, variance;  ///< [W] each
};

/// A 1x1, a 3x3 and a 1x1 convolution; strides are average pools, so that no
/// pixel is skipped.
struct Bottleneck {
  Bottleneck(std::int64_t in, std::int64_t width, std::int64_t stride,
             const at::TensorOptions& like);
  at::Tensor operator()(const at::Tensor& x, bool training) const;
  void Collect(const std::string& prefix, NamedTensors& out) const;

  at::Tensor conv1, conv2, conv3;
  BatchNorm norm1, norm2, norm3;
  at::Tensor down;  ///< Of the shortcut; undefined: the input itself.
  BatchNorm norm_down;
  std::int64_t stride;
};

/// CLIP's modified ResNet: three convolutions as stem, anti-aliased strides,
/// attention instead of average pooling at the end (Radford et al. 2021, 2.4).
/// B images, D joint width, W = 32 x width of the last map's channels.
struct ResNetTower {
  ResNetTower(const ClipConfig& config, const at::TensorOptions& like);

  /// The last feature map [B, W, rows, columns] of normalised pixels
  /// [B, 3, H, W]. `states`, if not null, gets stem and every layer. Throws
  /// ConfigError unless both sides are multiples of 32.
  at::Tensor Map(const at::Tensor& pixels,
                 std::vector<at::Tensor>* states = nullptr) const;
  /// Attention-pooled features [B, D] of a map; positions are interpolated to
  /// its size.
  at::Tensor Pool(const at::Tensor& map) const;
  at::Tensor Feature(const at::Tensor& pixels) const;
  /// Value and output projection at every location of a map, [B, rows x
  /// columns, D], with position embeddings or without.
  at::Tensor Dense(const at::Tensor& map, bool positions) const;
  /// Position embedding [1 + rows columns, W], as VisionTower's.
  at::Tensor Positions(std::int64_t rows, std::int64_t columns) const;

  /// Names as OpenAI has them, "visual.layer1.0.conv1.weight".
  void Collect(NamedTensors& out) const;

  at::Tensor conv1, conv2, conv3;
  BatchNorm norm1, norm2, norm3;
  std::vector<std::vector<Bottleneck>> layers;
  at::Tensor position_weight;  ///< [1 + grid^2, W]
  Linear query, key, value, out;
  /// BatchNorm by the batch's statistics, running figures moving along: what
  /// features are then depends on the batch.
  bool train_mode = false;

 private:
  at::Tensor Tokens(const at::Tensor& map) const;

  std::int64_t heads_;
  std::int64_t grid_;
};

}  // namespace tailmark
