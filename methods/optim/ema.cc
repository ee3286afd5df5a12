#include "methods/optim/ema.h"

#include "harness/base/error.h"
#include "methods/optim/optimiser.h"
#include "methods/torch_pch.h"

namespace tailmark {

Ema::Ema(double decay, std::span<const at::Tensor> model) : decay_(decay) {
  for (const at::Tensor& each : model) {
    average_.push_back(each.detach().clone());
  }
}

void Ema::Update(std::span<const at::Tensor> model) {
  TM_CHECK(model.size() == average_.size(), "one tensor an average");
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < average_.size(); ++i) {
    at::Tensor& average = average_[i];
    const at::Tensor& now = model[i];
    if (average.is_floating_point()) {
      average.mul_(decay_).add_(now, 1.0 - decay_);
    } else {
      average.copy_(average.to(at::kFloat) * decay_ +
                    now.to(at::kFloat) * (1.0 - decay_));
    }
  }
}

void Ema::Save(StateWriter& out, std::string_view prefix) const {
  for (std::size_t i = 0; i < average_.size(); ++i) {
    out.Put(StrCat(prefix, "/", i), average_[i]);
  }
}

void Ema::Load(const StateReader& in, std::string_view prefix) {
  for (std::size_t i = 0; i < average_.size(); ++i) {
    average_[i] = internal::LoadLike(in, StrCat(prefix, "/", i), average_[i]);
  }
}

}  // namespace tailmark
