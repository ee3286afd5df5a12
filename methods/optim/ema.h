#pragma once

#include <ATen/core/Tensor.h>

#include <span>
#include <string_view>
#include <vector>

#include "harness/api/state.h"

namespace tailmark {

/// Exponential moving average of a model's whole state, parameters and buffers:
///
///   e = decay e + (1 - decay) m
///
/// started from a copy, without warm-up, as HP-DVAL, PSD and ML-VPT release it
/// (timm's ModelEma). Counters are averaged as real numbers and cut to whole
/// ones.
class Ema {
 public:
  /// Copies `model`: tensors of any type, their order is the order of Update().
  Ema(double decay, std::span<const at::Tensor> model);

  /// After each optimiser step.
  void Update(std::span<const at::Tensor> model);

  const std::vector<at::Tensor>& average() const { return average_; }

  void Save(StateWriter& out, std::string_view prefix) const;
  void Load(const StateReader& in, std::string_view prefix);

 private:
  double decay_;
  std::vector<at::Tensor> average_;
};

}  // namespace tailmark
