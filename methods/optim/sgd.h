#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "methods/optim/optimiser.h"

namespace tailmark {

/// Stochastic gradient descent with momentum and coupled weight decay, in
/// PyTorch's order and with its first step:
///
///   g = g + wd p;  v = g at the first step, else momentum v + g
///   p = p - lr v
///
/// All in the parameter's own type: with a float16 parameter, gradient and
/// momentum are float16 too.
class Sgd final : public Optimiser {
 public:
  struct Options {
    double momentum = 0.9;
  };

  explicit Sgd(const Options& options) : options_(options) {}

  void Add(at::Tensor parameter, double weight_decay,
           double lr_factor = 1.0) override;
  void Step(std::span<const at::Tensor> gradients, double lr,
            std::optional<double> momentum = std::nullopt) override;
  std::int64_t steps() const override { return steps_; }
  void Save(StateWriter& out, std::string_view prefix) const override;
  void Load(const StateReader& in, std::string_view prefix) override;

 private:
  struct Slot {
    at::Tensor parameter;
    double weight_decay;
    double lr_factor;
    at::Tensor velocity;  // v
    bool begun;           // v holds a gradient already
  };
  Options options_;
  std::vector<Slot> slots_;
  std::int64_t steps_ = 0;
};

}  // namespace tailmark
