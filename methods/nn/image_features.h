#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "harness/api/encoder.h"
#include "harness/api/state.h"

namespace tailmark {

/// Image features of whatever a batch holds: features as they are, images
/// encoded without a graph.
class ImageFeatures {
 public:
  /// `batch_statistics`: BatchNorm in training mode while learning, on a copy
  /// of the image tower, whose running figures move and belong to the state.
  /// Throws ConfigError when the encoder has no BatchNorm.
  ImageFeatures(Encoder& encoder, bool batch_statistics);

  /// [B, D] of inputs [B, D] or [B, 3, H, W]; `learning`: of a training batch.
  at::Tensor operator()(const at::Tensor& inputs, bool learning);

  void Save(StateWriter& out) const;
  void Load(const StateReader& in);

 private:
  Encoder* encoder_;
  std::unique_ptr<Encoder> copy_;
};

}  // namespace tailmark
