#include <gtest/gtest.h>

#include <torch/csrc/autograd/autograd.h>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/options.h"
#include "methods/losses/asymmetric.h"
#include "methods/losses/bce.h"
#include "methods/losses/class_semantic.h"
#include "methods/losses/distribution_balanced.h"
#include "methods/losses/focal.h"
#include "methods/losses/named.h"
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
  for (const auto& [focal, expected] : {std::pair{DbFocal::kNone, 0.400885},
                                        {DbFocal::kElement, 0.191930},
                                        {DbFocal::kBatch, 0.160334}}) {
    const DistributionBalancedLoss loss({.focal = focal}, counts, 10, at::kCPU);
    EXPECT_NEAR(loss(logits, labels, {}).item<double>(), expected, 1e-6);
  }
  const DistributionBalancedLoss loss({}, counts, 10, at::kCPU);
  const auto weight =
      torch::tensor({{.460907, .802063, 1.098602}, {1.052574, 1.099665, 1.1}},
                    torch::kDouble);
  EXPECT_TRUE(loss.Weight(labels).allclose(weight, 0, 1e-6));
}

// The same place, HP-DVAL's two ways of scaling positives.
TEST(DistributionBalanced, GivesThePublishedExamplesOfScaledPositives) {
  const auto logits =
      torch::tensor({{.5, -.2, .1}, {-.3, .8, .4}}, torch::kDouble);
  const auto labels = torch::tensor({{1., 0., 1.}, {0., 1., 0.}});
  const std::vector<std::int64_t> counts = {6, 3, 1};
  using Row = std::tuple<DbPositive, DbFocal, double>;
  for (const auto& [positive, focal, expected] :
       {Row{DbPositive::kFrequency, DbFocal::kNone, 0.429857},
        Row{DbPositive::kFrequency, DbFocal::kElement, 0.213115},
        Row{DbPositive::kFrequency, DbFocal::kBatch, 0.183153},
        Row{DbPositive::kConst, DbFocal::kNone, 0.289609},
        Row{DbPositive::kConst, DbFocal::kElement, 0.151786},
        Row{DbPositive::kConst, DbFocal::kBatch, 0.076937}}) {
    const DistributionBalancedLoss loss({.positive = positive, .focal = focal},
                                        counts, 10, at::kCPU);
    EXPECT_NEAR(loss(logits, labels, {}).item<double>(), expected, 1e-6);
  }
}

TEST(DistributionBalanced, WithoutBiasAndLambdaIsRebalancedBce) {
  const auto logits = torch::tensor({{.5F, -2.F}, {30.F, 1.F}});
  const auto labels = torch::tensor({{1.F, 0.F}, {0.F, 1.F}});
  const std::vector<std::int64_t> counts = {6, 3};
  const auto loss = MakeLoss("r-bce", {}, counts, 10, at::kCPU);
  const DistributionBalancedLoss db({}, counts, 10, at::kCPU);
  const auto expected =
      (db.Weight(labels).to(at::kFloat) * BceWithLogits(logits, labels)).mean();
  EXPECT_FLOAT_EQ(loss(logits, labels, {}).item<float>(),
                  expected.item<float>());
}

TEST(Losses, StayFiniteForAnyLogitAndAnyCount) {
  const auto logits = torch::tensor(
      {{100.F, -100.F, 100.F, -100.F}, {-100.F, 100.F, 0.F, 1e4F}});
  const auto labels =
      torch::tensor({{0.F, 1.F, 1.F, 0.F}, {1.F, 0.F, 1.F, 0.F}});
  for (const std::string& name : internal::SplitWords(kLossNames)) {
    for (const std::vector<std::int64_t>& counts :
         {std::vector<std::int64_t>{0, 0, 0, 0}, {0, 1, 50, 100}}) {
      const auto loss = MakeLoss(name, {}, counts, 100, at::kCPU);
      const auto got =
          Take(logits, [&](const auto& z) { return loss(z, labels, {}); });
      EXPECT_TRUE(std::isfinite(got.value)) << name;
      EXPECT_TRUE(got.gradient.isfinite().all().item<bool>()) << name;
    }
  }
  const auto got =
      Take(logits, [&](const auto& z) { return BceLoss(z, labels, {}); });
  EXPECT_FLOAT_EQ(got.value,
                  (100 + 100 + 0 + 0 + 100 + 100 + std::log(2) + 1e4) / 8);
}

TEST(Losses, RefuseAnUnknownName) {
  const std::vector<std::int64_t> counts = {1};
  try {
    MakeLoss("db-bach", {}, counts, 2, at::kCPU);
    FAIL() << "db-bach passed";
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("db-batch"), std::string::npos);
  }
}

TEST(Focal, IsBceWhenItDoesNotFocus) {
  const auto logits = torch::tensor({{3.F, -1.F}});
  const auto labels = torch::tensor({{1.F, 0.F}});
  const auto loss = FocalLoss({.gamma = 0, .alpha = 0.5}, logits, labels, {});
  EXPECT_FLOAT_EQ(loss.item<float>(),
                  0.5F * BceLoss(logits, labels, {}).item<float>());
}

// A caption equal to the prompt costs nothing where the class is there, and the
// margin where it is not; the released sign has it otherwise.
TEST(ClassSpecificEmbedding, PullsPresentClassesToTheCaption) {
  const auto prompt = torch::eye(4).unsqueeze(0);  // [1, 4, 4]
  const std::vector<std::int64_t> counts = {16};
  const auto loss = [&](const char* variant, double label) {
    const CseLoss cse({.variant = CseNamed(variant), .offset = 1}, counts,
                      at::kCPU);
    // Caption position l equals prompt position l + 1: S = 0.
    const auto caption = prompt.roll(-1, 1);
    return cse(cse.Distances(caption, prompt), torch::full({1, 1}, label), {})
        .item<double>();
  };
  const double margin = 0.2 * 0.5;  // 16^(-1/4)
  EXPECT_NEAR(loss("intended_sum", 1), 0, 1e-6);
  EXPECT_NEAR(loss("intended_mean", 0), margin, 1e-6);
  EXPECT_NEAR(loss("repo_repaired", 1), margin, 1e-6);
  EXPECT_NEAR(loss("repo_repaired", 0), margin, 1e-6);
}

TEST(ClassSpecificEmbedding, StaysFiniteWithEmptyClassesAndZeroVectors) {
  const std::vector<std::int64_t> counts = {0, 0, 700};
  const auto captions = torch::zeros({2, 6, 4});
  for (const char* variant : {"repo_repaired", "intended_sum"}) {
    const CseLoss cse({.variant = CseNamed(variant)}, counts, at::kCPU);
    auto prompts = torch::zeros({3, 6, 4}).requires_grad_();
    const auto loss =
        cse(cse.Distances(captions, prompts), torch::ones({2, 3}), {});
    EXPECT_TRUE(std::isfinite(loss.item<double>()));
    EXPECT_TRUE(torch::autograd::grad({loss}, {prompts})[0]
                    .isfinite()
                    .all()
                    .item<bool>());
  }
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
  std::vector<std::function<at::Tensor(const at::Tensor&, const at::Tensor&)>>
      losses;
  const std::vector<std::int64_t> counts = {3, 3, 3, 3};
  for (const std::string& name : internal::SplitWords(kLossNames)) {
    const auto loss = MakeLoss(name, {}, counts, 6, at::kCPU);
    losses.push_back(
        [=](const auto& z, const auto& y) { return loss(z, y, known); });
  }
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
