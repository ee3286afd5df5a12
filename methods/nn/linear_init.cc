#include "methods/nn/linear_init.h"

#include <cmath>

#include "methods/torch_pch.h"

namespace tailmark {

LinearLayer NewLinear(std::int64_t in, std::int64_t out, std::uint64_t seed,
                      c10::Device device) {
  const at::NoGradGuard no_grad;
  at::Generator chance = at::detail::createCPUGenerator(seed);
  const double bound = 1.0 / std::sqrt(static_cast<double>(in));
  LinearLayer layer{at::empty({out, in}, at::TensorOptions(at::kFloat)),
                    at::empty({out}, at::TensorOptions(at::kFloat))};
  layer.weight.uniform_(-bound, bound, chance);
  layer.bias.uniform_(-bound, bound, chance);
  return {layer.weight.to(device), layer.bias.to(device)};
}

}  // namespace tailmark
