#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "methods/optim/optimiser.h"

namespace tailmark {

/// Adam (Kingma, Ba 2015) and AdamW (Loshchilov, Hutter 2019), with PyTorch's
/// order of operations:
///
///   AdamW:  p = p (1 - lr wd)          Adam:  g = g + wd p
///   m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2
///   p = p - lr / (1 - beta1^t) * m / (sqrt(v / (1 - beta2^t)) + eps)
///
/// Under a schedule that cycles beta1, beta1^t is the current beta1 to the
/// number of steps, as PyTorch has it. Our own because LibTorch's changes group
/// options that equal the constructor's default, and because a checkpoint has
/// to hold every bit of the state. Of parameters in half precision m and v are
/// float32: squares of gradients vanish in half.
class Adam final : public Optimiser {
 public:
  struct Options {
    double beta1 = 0.9;
    double beta2 = 0.999;
    double eps = 1e-8;
    bool decoupled = true;  ///< AdamW.
  };

  explicit Adam(const Options& options) : options_(options) {}

  void Add(at::Tensor parameter, double weight_decay,
           double lr_factor = 1.0) override;
  void Step(std::span<const at::Tensor> gradients, double lr,
            std::optional<double> beta1 = std::nullopt) override;
  std::int64_t steps() const override { return steps_; }
  void Save(StateWriter& out, std::string_view prefix) const override;
  void Load(const StateReader& in, std::string_view prefix) override;

 private:
  struct Slot {
    at::Tensor parameter;
    double weight_decay;
    double lr_factor;
    at::Tensor mean;    // m
    at::Tensor square;  // v
  };
  Options options_;
  std::vector<Slot> slots_;
  std::int64_t steps_ = 0;
};

}  // namespace tailmark
