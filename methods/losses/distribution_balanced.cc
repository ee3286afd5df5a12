#include "methods/losses/distribution_balanced.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "harness/base/error.h"
#include "methods/losses/bce.h"
#include "methods/losses/focal.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

at::Tensor Column(const std::vector<double>& values, c10::Device device) {
  return torch::tensor(values, torch::kDouble).to(device);
}

void RejectEmpty(std::span<const std::int64_t> counts, std::int64_t images) {
  for (std::size_t c = 0; c < counts.size(); ++c) {
    if (counts[c] > 0 && counts[c] < images) continue;
    throw DataError(StrCat("class ", c, " is in ", counts[c], " of ", images,
                           " training images; the DB loss has no value there, "
                           "expected between 1 and ",
                           images - 1));
  }
}

}  // namespace

DistributionBalancedLoss::DistributionBalancedLoss(
    const DbOptions& options, std::span<const std::int64_t> counts,
    std::int64_t images, c10::Device device)
    : options_(options) {
  TM_CHECK(images >= 1);
  if (options.empty_class == DbEmptyClass::kReject) RejectEmpty(counts, images);
  const double all = static_cast<double>(images);
  double most = 0.5;
  for (const std::int64_t count : counts) {
    most = std::max(most, static_cast<double>(count));
  }
  std::vector<double> inverse, bias, scale, weight;
  for (const std::int64_t count : counts) {
    const double n = std::max(static_cast<double>(count), 0.5);
    inverse.push_back(1.0 / n);
    bias.push_back(-options.init_bias / options.neg_scale *
                   std::log(all / std::min(n, all - 0.5) - 1.0));
    scale.push_back(options.positive == DbPositive::kFrequency ? n / most
                    : options.positive == DbPositive::kConst ? options.pos_scale
                                                             : 1.0);
    weight.push_back((1.0 - options.cb_beta) /
                     (1.0 - std::pow(options.cb_beta, n)));
  }
  inverse_count_ = Column(inverse, device);
  bias_ = Column(bias, device);
  positive_scale_ = Column(scale, device);
  class_weight_ = Column(weight, device);
}

at::Tensor DistributionBalancedLoss::Weight(const at::Tensor& labels) const {
  const at::NoGradGuard no_grad;
  const auto y = labels.to(torch::kDouble);
  switch (options_.weight) {
    case DbWeight::kNone:
      return at::ones_like(y);
    case DbWeight::kClassBalanced:
      return class_weight_.expand_as(y);
    case DbWeight::kRebalance:
    case DbWeight::kAllClasses:
      break;
  }
  const auto sum = options_.weight == DbWeight::kAllClasses
                       ? inverse_count_.sum()
                       : (y * inverse_count_).sum(1, /*keepdim=*/true);
  const auto ratio = (inverse_count_ / sum).expand_as(y);
  return options_.alpha + at::sigmoid(options_.beta * (ratio - options_.gamma));
}

at::Tensor DistributionBalancedLoss::ScaledWeight(
    const at::Tensor& labels) const {
  const auto weight = Weight(labels);
  return at::where(labels.gt(0.5), weight, weight / options_.neg_scale);
}

at::Tensor DistributionBalancedLoss::ScaledLogits(
    const at::Tensor& logits, const at::Tensor& labels) const {
  const auto type = logits.scalar_type();
  const auto shifted = logits + bias_.to(type);
  return at::where(labels.gt(0.5), shifted * positive_scale_.to(type),
                   shifted * options_.neg_scale);
}

at::Tensor DistributionBalancedLoss::operator()(const at::Tensor& logits,
                                                const at::Tensor& labels,
                                                const at::Tensor& known) const {
  const auto y = HideUnknown(labels, known).to(logits.scalar_type());
  const auto bce = BceWithLogits(ScaledLogits(logits, y), y);
  auto weighted = ScaledWeight(y).to(logits.scalar_type()) * bce;
  if (options_.focal == DbFocal::kElement) {
    weighted = FocalFactor(bce, options_.focal_gamma, options_.focal_balance) *
               weighted;
  }
  auto loss = MeanOverKnown(weighted, known);
  if (options_.focal == DbFocal::kBatch) {
    loss = FocalFactor(MeanOverKnown(bce, known), options_.focal_gamma,
                       options_.focal_balance) *
           loss;
  }
  return loss * options_.loss_weight;
}

}  // namespace tailmark
