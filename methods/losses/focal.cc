#include "methods/losses/focal.h"

#include "methods/losses/bce.h"
#include "methods/torch_pch.h"

namespace tailmark {

at::Tensor FocalFactor(const at::Tensor& bce, double gamma, double balance) {
  // 1 - exp(-b) loses every digit for small b; expm1 none.
  return balance * at::expm1(-bce).neg().pow(gamma);
}

at::Tensor FocalLoss(const FocalOptions& options, const at::Tensor& logits,
                     const at::Tensor& labels, const at::Tensor& known) {
  const auto y = HideUnknown(labels, known).to(logits.scalar_type());
  const auto bce = BceWithLogits(logits, y);
  const auto share = y * options.alpha + (1 - y) * (1 - options.alpha);
  return MeanOverKnown(share * FocalFactor(bce, options.gamma, 1.0) * bce,
                       known);
}

}  // namespace tailmark
