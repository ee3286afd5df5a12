#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>

namespace tailmark {

/// A linear layer's weight [out, in] and bias [out].
struct LinearLayer {
  at::Tensor weight;
  at::Tensor bias;
};

/// As PyTorch starts one: uniform within 1 / sqrt(in), both. Drawn on the CPU,
/// float32; depends on `seed` alone.
LinearLayer NewLinear(std::int64_t in, std::int64_t out, std::uint64_t seed,
                      c10::Device device);

}  // namespace tailmark
