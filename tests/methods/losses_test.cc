#include <gtest/gtest.h>

#include <vector>

#include "methods/losses/bce.h"
#include "methods/losses/distribution_balanced.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

struct Loss {
  double value;
  at::Tensor gradient;
};

template <class F>
Loss Take(const at::Tensor& logits, F loss) {
  auto z = logits.detach().clone().requires_grad_();
  const at::Tensor value = loss(z);
  return {value.item<double>(), torch::autograd::grad({value}, {z})[0]};
}

// Printed in the specification of the loss, computed there with NumPy.
TEST(DistributionBalanced, GivesThePublishedExample) {
  const auto logits =
      torch::tensor({{.5, -.2, .1}, {-.3, .8, .4}}, torch::kDouble);
  const auto labels = torch::tensor({{1., 0., 1.}, {0., 1., 0.}});
  const std::vector<std::int64_t> counts = {6, 3, 1};
  for (const auto& [focal, expected] :
       {std::pair{false, 0.400885}, {true, 0.191930}}) {
    const DistributionBalancedLoss loss({.focal = focal}, counts, 10, at::kCPU);
    EXPECT_NEAR(loss(logits, labels, {}).item<double>(), expected, 1e-6);
  }
  const DistributionBalancedLoss loss({}, counts, 10, at::kCPU);
  const auto weight =
      torch::tensor({{.460907, .802063, 1.098602}, {1.052574, 1.099665, 1.1}},
                    torch::kDouble);
  EXPECT_TRUE(loss.Weight(labels).allclose(weight, 0, 1e-6));
}

TEST(Losses, StayFiniteForAnyLogitAndAnyCount) {
  const auto logits = torch::tensor(
      {{100.F, -100.F, 100.F, -100.F}, {-100.F, 100.F, 0.F, 1e4F}});
  const auto labels =
      torch::tensor({{0.F, 1.F, 1.F, 0.F}, {1.F, 0.F, 1.F, 0.F}});
  for (const std::vector<std::int64_t>& counts :
       {std::vector<std::int64_t>{0, 0, 0, 0}, {0, 1, 50, 100}}) {
    const DistributionBalancedLoss db({}, counts, 100, at::kCPU);
    const auto got =
        Take(logits, [&](const auto& z) { return db(z, labels, {}); });
    EXPECT_TRUE(std::isfinite(got.value));
    EXPECT_TRUE(got.gradient.isfinite().all().item<bool>());
  }
  const auto got =
      Take(logits, [&](const auto& z) { return BceLoss(z, labels, {}); });
  EXPECT_FLOAT_EQ(got.value,
                  (100 + 100 + 0 + 0 + 100 + 100 + std::log(2) + 1e4) / 8);
  EXPECT_TRUE(got.gradient.isfinite().all().item<bool>());
}

TEST(Losses, AnImageWithoutLabelsWeighsOnePlusAlpha) {
  const DistributionBalancedLoss db({}, std::vector<std::int64_t>{5, 1}, 10,
                                    at::kCPU);
  EXPECT_TRUE(db.Weight(torch::zeros({1, 2})).eq(1.1).all().item<bool>());
}

TEST(Losses, UnknownLabelsHaveNeitherValueNorGradient) {
  const auto logits = torch::randn({6, 4}, at::detail::createCPUGenerator(1));
  const auto labels =
      (torch::randn({6, 4}, at::detail::createCPUGenerator(2)) > 0)
          .to(torch::kFloat);
  const auto known = torch::arange(24).remainder(3).ne(0).view({6, 4});
  const DistributionBalancedLoss db({}, std::vector<std::int64_t>{3, 3, 3, 3},
                                    6, at::kCPU);
  const std::vector<
      std::function<at::Tensor(const at::Tensor&, const at::Tensor&)>>
      losses = {
          [&](const auto& z, const auto& y) { return BceLoss(z, y, known); },
          [&](const auto& z, const auto& y) { return db(z, y, known); }};
  for (const auto& loss : losses) {
    const auto one =
        Take(logits, [&](const auto& z) { return loss(z, labels); });
    const auto flipped =
        at::where(known, labels, std::numeric_limits<float>::quiet_NaN());
    const auto other =
        Take(logits, [&](const auto& z) { return loss(z, flipped); });
    EXPECT_EQ(one.value, other.value);
    EXPECT_TRUE(one.gradient.equal(other.gradient));
    EXPECT_TRUE(one.gradient.masked_select(known.logical_not())
                    .eq(0)
                    .all()
                    .item<bool>());
    EXPECT_GT(one.gradient.abs().sum().item<double>(), 0);
  }
}

TEST(Losses, NothingKnownIsZeroNotNan) {
  const auto none = torch::zeros({2, 3}, torch::kBool);
  EXPECT_EQ(
      BceLoss(torch::ones({2, 3}), torch::ones({2, 3}), none).item<double>(),
      0);
}

}  // namespace
}  // namespace tailmark
