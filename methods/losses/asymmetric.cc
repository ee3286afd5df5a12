#include "methods/losses/asymmetric.h"

#include "methods/losses/bce.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

constexpr double kMlVptFactor = 1000.0;

/// (1 - p_t)^gamma without a graph.
at::Tensor Focusing(const AslOptions& options, const at::Tensor& p,
                    const at::Tensor& q, const at::Tensor& positive) {
  const at::NoGradGuard no_grad;
  return at::where(positive, (1 - p).pow(options.gamma_positive),
                   (1 - q).pow(options.gamma_negative));
}

}  // namespace

AslOptions MlVptAsl() {
  return {.gamma_negative = 2.0,
          .gamma_positive = 0.0,
          .clip = 0.0,
          .eps = 1e-5,
          .reduction = AslReduction::kSumPerElementTimes1000};
}

at::Tensor AsymmetricLoss(const AslOptions& options, const at::Tensor& logits,
                          const at::Tensor& labels, const at::Tensor& known) {
  const auto positive = HideUnknown(labels, known).gt(0.5);
  const auto p = at::sigmoid(logits);
  const auto q = (1 - p + options.clip).clamp_max(1);
  const auto likelihood = at::where(positive, p, q).clamp_min(options.eps);
  const auto loss = -Focusing(options, p, q, positive) * at::log(likelihood);
  switch (options.reduction) {
    case AslReduction::kMean:
      return MeanOverKnown(loss, known);
    case AslReduction::kSum:
      return SumOverKnown(loss, known);
    case AslReduction::kSumPerElementTimes1000:
      break;
  }
  return MeanOverKnown(loss, known) * kMlVptFactor;
}

}  // namespace tailmark
