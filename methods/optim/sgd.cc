#include "methods/optim/sgd.h"

#include <utility>

#include "harness/base/error.h"
#include "methods/torch_pch.h"

namespace tailmark {

void Sgd::Add(at::Tensor parameter, double weight_decay, double lr_factor) {
  const at::NoGradGuard no_grad;
  const auto velocity = at::zeros_like(parameter);
  slots_.push_back(
      {std::move(parameter), weight_decay, lr_factor, velocity, false});
}

void Sgd::Step(std::span<const at::Tensor> gradients, double lr,
               std::optional<double> momentum) {
  TM_CHECK(gradients.size() == slots_.size(), "one gradient a parameter");
  const at::NoGradGuard no_grad;
  ++steps_;
  const double mu = momentum.value_or(options_.momentum);
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    at::Tensor gradient = gradients[i];
    if (!gradient.defined()) continue;
    if (slot.weight_decay != 0) {
      gradient = gradient.add(slot.parameter, slot.weight_decay);
    }
    if (slot.begun) {
      slot.velocity.mul_(mu).add_(gradient);
    } else {
      slot.velocity.copy_(gradient);
      slot.begun = true;
    }
    slot.parameter.add_(slot.velocity, -lr * slot.lr_factor);
  }
}

void Sgd::Save(StateWriter& out, std::string_view prefix) const {
  out.PutInt(StrCat(prefix, "/steps"), steps_);
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    out.PutInt(StrCat(prefix, "/", i, "/begun"), slots_[i].begun ? 1 : 0);
    out.Put(StrCat(prefix, "/", i, "/velocity"), slots_[i].velocity);
  }
}

void Sgd::Load(const StateReader& in, std::string_view prefix) {
  steps_ = in.GetInt(StrCat(prefix, "/steps"));
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    slot.begun = in.GetInt(StrCat(prefix, "/", i, "/begun")) != 0;
    slot.velocity = internal::LoadLike(in, StrCat(prefix, "/", i, "/velocity"),
                                       slot.velocity);
  }
}

}  // namespace tailmark
