#pragma once

#include <ATen/core/Tensor.h>

namespace tailmark {

/// x [..., K] times weight [N, K] plus bias [N] (may be undefined):
/// at::linear, but in float32 on AMD processors with AVX-512 by oneDNN's
/// kernels, since MKL's use half of such a processor's width: twice as fast,
/// forward and backward. The last bits differ between the two; a product is
/// computed alike with and without a graph.
at::Tensor FastLinear(const at::Tensor& x, const at::Tensor& weight,
                      const at::Tensor& bias);

}  // namespace tailmark
