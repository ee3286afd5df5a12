#include "methods/optim/adam.h"

#include <cmath>
#include <utility>

#include "harness/base/error.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

at::Tensor Loaded(const StateReader& in, const std::string& key,
                  const at::Tensor& like) {
  const at::Tensor value = in.Get(key);
  if (value.sizes() != like.sizes()) {
    throw DataError(StrCat("checkpoint: '", key, "' has shape ", value.sizes(),
                           ", expected ", like.sizes()));
  }
  return value.to(like.options(), /*non_blocking=*/false, /*copy=*/true);
}

}  // namespace

void Adam::Add(at::Tensor parameter, double weight_decay) {
  const torch::NoGradGuard no_grad;
  const auto mean = at::zeros_like(parameter);
  const auto square = at::zeros_like(parameter);
  slots_.push_back({std::move(parameter), weight_decay, mean, square});
}

void Adam::Step(std::span<const at::Tensor> gradients, double lr,
                std::optional<double> beta1) {
  TM_CHECK(gradients.size() == slots_.size(), "one gradient a parameter");
  const torch::NoGradGuard no_grad;
  ++steps_;
  const double b1 = beta1.value_or(options_.beta1);
  const double b2 = options_.beta2;
  const double t = static_cast<double>(steps_);
  const double step = lr / (1.0 - std::pow(b1, t));
  const double root = std::sqrt(1.0 - std::pow(b2, t));
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    at::Tensor gradient = gradients[i];
    if (slot.weight_decay != 0) {
      if (options_.decoupled) {
        slot.parameter.mul_(1.0 - lr * slot.weight_decay);
      } else {
        gradient = gradient + slot.parameter * slot.weight_decay;
      }
    }
    slot.mean.lerp_(gradient, 1.0 - b1);
    slot.square.mul_(b2).addcmul_(gradient, gradient, 1.0 - b2);
    const auto divisor = (slot.square.sqrt() / root).add_(options_.eps);
    slot.parameter.addcdiv_(slot.mean, divisor, -step);
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
    slot.mean = Loaded(in, StrCat(prefix, "/", i, "/mean"), slot.mean);
    slot.square = Loaded(in, StrCat(prefix, "/", i, "/square"), slot.square);
  }
}

}  // namespace tailmark
