#include "methods/optim/adam.h"

#include <cmath>
#include <utility>

#include "harness/base/error.h"
#include "methods/torch_pch.h"

namespace tailmark {
void Adam::Add(at::Tensor parameter, double weight_decay, double lr_factor) {
  const at::NoGradGuard no_grad;
  // In half precision squares of gradients vanish, and a step becomes a leap.
  const bool half = parameter.scalar_type() == at::kHalf ||
                    parameter.scalar_type() == at::kBFloat16;
  const auto type = half ? at::kFloat : parameter.scalar_type();
  const auto mean = at::zeros_like(parameter, type);
  const auto square = at::zeros_like(parameter, type);
  slots_.push_back(
      {std::move(parameter), weight_decay, lr_factor, mean, square});
}

void Adam::Step(std::span<const at::Tensor> gradients, double lr,
                std::optional<double> beta1) {
  TM_CHECK(gradients.size() == slots_.size(), "one gradient a parameter");
  const at::NoGradGuard no_grad;
  ++steps_;
  const double b1 = beta1.value_or(options_.beta1);
  const double b2 = options_.beta2;
  const double t = static_cast<double>(steps_);
  const double correction = 1.0 - std::pow(b1, t);
  const double root = std::sqrt(1.0 - std::pow(b2, t));
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    if (!gradients[i].defined()) continue;
    at::Tensor gradient = gradients[i].to(slot.mean.scalar_type());
    const double rate = lr * slot.lr_factor;
    if (slot.weight_decay != 0) {
      if (options_.decoupled) {
        slot.parameter.mul_(1.0 - rate * slot.weight_decay);
      } else {
        gradient = gradient + slot.parameter * slot.weight_decay;
      }
    }
    slot.mean.lerp_(gradient, 1.0 - b1);
    slot.square.mul_(b2).addcmul_(gradient, gradient, 1.0 - b2);
    const auto divisor = (slot.square.sqrt() / root).add_(options_.eps);
    if (slot.parameter.scalar_type() == slot.mean.scalar_type()) {
      slot.parameter.addcdiv_(slot.mean, divisor, -rate / correction);
    } else {
      slot.parameter.add_(slot.mean / divisor, -rate / correction);
    }
  }
}

void Adam::Save(StateWriter& out, std::string_view prefix) const {
  out.PutInt(StrCat(prefix, "/steps"), steps_);
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    out.Put(StrCat(prefix, "/", i, "/mean"), slots_[i].mean);
    out.Put(StrCat(prefix, "/", i, "/square"), slots_[i].square);
  }
}

void Adam::Load(const StateReader& in, std::string_view prefix) {
  steps_ = in.GetInt(StrCat(prefix, "/steps"));
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    slot.mean =
        internal::LoadLike(in, StrCat(prefix, "/", i, "/mean"), slot.mean);
    slot.square =
        internal::LoadLike(in, StrCat(prefix, "/", i, "/square"), slot.square);
  }
}

}  // namespace tailmark
