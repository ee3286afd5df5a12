#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "harness/api/encoder.h"

namespace tailmark {

/// Two linear layers with tanh between, from a tower's width W to the joint
/// width D (HP-DVAL, section IV-A3). All undefined: not used.
struct TwoLinear {
  at::Tensor weight1, bias1;  ///< [D, W], [D]
  at::Tensor weight2, bias2;  ///< [D, D], [D]

  bool used() const { return weight1.defined(); }
  at::Tensor operator()(const at::Tensor& x) const;
  /// Uniform within 1 / sqrt(inputs), as PyTorch's layers begin.
  static TwoLinear Random(std::int64_t width, std::int64_t joint,
                          std::uint64_t seed, const at::TensorOptions& like);
};

/// Whatever HP-DVAL may train, once with the weights that are trained and once
/// with their moving average. Copies share tensors.
struct Student {
  /// An encoder with an image tower of its own, and a text tower of its own
  /// where that is trained.
  std::shared_ptr<Encoder> encoder;
  bool own_text = false;
  TwoLinear embedding;
  at::Tensor global_context, local_context;  ///< [M, W]; undefined in stage 1.

  /// Tokens [B, 1 + N, D] in the joint space, class token first.
  at::Tensor Tokens(const at::Tensor& pixels) const;
  /// Image tower and embedding layers, and the text tower but for its words.
  std::vector<EncoderParameter> Towers() const;
  /// The two sets of context vectors.
  std::vector<EncoderParameter> Contexts() const;
  /// Both of the above.
  std::vector<EncoderParameter> All() const;

  /// With parameters of its own where this one's own are.
  Student Copy() const;
};

/// Makes `parameters` show the values of `source`, memory and all, in the same
/// order.
void ShareValues(const std::vector<EncoderParameter>& parameters,
                 const std::vector<at::Tensor>& source);

}  // namespace tailmark
