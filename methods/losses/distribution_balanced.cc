#include "methods/losses/distribution_balanced.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "harness/base/error.h"
#include "methods/losses/bce.h"
#include "methods/torch_pch.h"

namespace tailmark {

DistributionBalancedLoss::DistributionBalancedLoss(
    const DbOptions& options, std::span<const std::int64_t> counts,
    std::int64_t images, c10::Device device)
    : options_(options) {
  TM_CHECK(images >= 1);
  const double all = static_cast<double>(images);
  std::vector<double> inverse;
  std::vector<double> bias;
  for (const std::int64_t count : counts) {
    const double n = std::clamp(static_cast<double>(count), 0.5, all - 0.5);
    inverse.push_back(1.0 / std::max(static_cast<double>(count), 0.5));
    bias.push_back(-options.init_bias / options.neg_scale *
                   std::log(all / n - 1.0));
  }
  inverse_count_ = torch::tensor(inverse, torch::kDouble).to(device);
  bias_ = torch::tensor(bias, torch::kDouble).to(device);
}

at::Tensor DistributionBalancedLoss::Weight(const at::Tensor& labels) const {
  const torch::NoGradGuard no_grad;
  const auto y = labels.to(torch::kDouble);
  const auto row = (y * inverse_count_).sum(1, /*keepdim=*/true);
  const auto ratio = inverse_count_ / row;
  return options_.alpha + at::sigmoid(options_.beta * (ratio - options_.gamma));
}

at::Tensor DistributionBalancedLoss::operator()(const at::Tensor& logits,
                                                const at::Tensor& labels,
                                                const at::Tensor& known) const {
  const auto y = HideUnknown(labels, known).to(logits.scalar_type());
  const auto positive = y > 0.5;
  const auto weight = Weight(y);
  const auto scaled_weight =
      at::where(positive, weight, weight / options_.neg_scale)
          .to(logits.scalar_type());
  const auto shifted = logits + bias_.to(logits.scalar_type());
  const auto scaled =
      at::where(positive, shifted, shifted * options_.neg_scale);

  const auto bce = BceWithLogits(scaled, y);
  auto loss = scaled_weight * bce;
  if (options_.focal) {
    // 1 - exp(-b) loses every digit for small b; expm1 none.
    const auto miss = at::expm1(-bce).neg();
    loss = options_.focal_balance * miss.pow(options_.focal_gamma) * loss;
  }
  return MeanOverKnown(loss, known);
}

}  // namespace tailmark
