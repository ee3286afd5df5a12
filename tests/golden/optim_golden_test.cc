#include <gtest/gtest.h>

#include <iostream>

#include "methods/optim/adam.h"
#include "methods/optim/one_cycle.h"
#include "tests/golden/methods_golden.h"

namespace tailmark {
namespace {

TEST(OptimGolden, OneCycleGivesEveryRateAndMomentumOfPyTorch) {
  const auto goldens = MethodGoldens::Open("schedules.safetensors");
  if (!goldens) GTEST_SKIP() << "no golden folder methods (schedules)";
  int compared = 0;
  for (const Json& each : goldens->cases()) {
    const auto id = each.at("id").get<std::string>();
    if (!id.starts_with("onecycle/")) continue;
    const Json& p = each.at("params");
    const OneCycle schedule{
        .max_lr = p.at("max_lr"),
        .total_steps = p.at("steps_per_epoch").get<std::int64_t>() *
                       p.at("epochs").get<std::int64_t>(),
        .warm_up = p.at("pct_start")};
    const auto lr = goldens->Get(each, "outputs", "lr");
    const auto beta1 = goldens->Get(each, "outputs", "beta1");
    ASSERT_EQ(lr.numel(), schedule.total_steps) << id;
    for (std::int64_t step = 0; step < lr.numel(); ++step) {
      const auto [rate, momentum] = schedule.At(step);
      const double expected = lr[step].item<double>();
      ASSERT_NEAR(rate, expected, 1e-12 * schedule.max_lr) << id << " " << step;
      ASSERT_NEAR(momentum, beta1[step].item<double>(), 1e-12)
          << id << " " << step;
    }
    ++compared;
  }
  std::cout << "compared " << compared << " one-cycle schedules\n";
  EXPECT_GT(compared, 0);
}

TEST(OptimGolden, AdamStepsAreThoseOfPyTorch) {
  const auto goldens = MethodGoldens::Open("schedules.safetensors");
  if (!goldens) GTEST_SKIP() << "no golden folder methods (schedules)";
  int compared = 0;
  for (const Json& each : goldens->cases()) {
    const auto id = each.at("id").get<std::string>();
    if (!id.starts_with("steps/Adam")) continue;
    const Json& p = each.at("params");
    Adam adam({.decoupled = id.starts_with("steps/AdamW")});
    const auto w = goldens->Get(each, "inputs", "w0");
    const auto b = goldens->Get(each, "inputs", "b0");
    adam.Add(w, p.at("wd"));
    adam.Add(b, 0.0);
    for (int step = 1; step <= 6; ++step) {
      const std::string n = std::to_string(step);
      double lr = p.at("lr");
      std::optional<double> beta1;
      if (!p.at("total_steps").is_null()) {
        const OneCycle schedule{.max_lr = lr,
                                .total_steps = p.at("total_steps"),
                                .warm_up = p.at("pct_start")};
        lr = schedule.At(step - 1).lr;
        beta1 = schedule.At(step - 1).momentum;
      }
      const std::vector<at::Tensor> gradients = {
          goldens->Get(each, "inputs", "gw" + n),
          goldens->Get(each, "inputs", "gb" + n)};
      adam.Step(gradients, lr, beta1);
      for (const auto& [name, value] : {std::pair{"w" + n, w}, {"b" + n, b}}) {
        const auto expected = goldens->Get(each, "outputs", name);
        EXPECT_LE((value - expected).abs().max().item<double>(),
                  MethodGoldens::Bound(each, name))
            << id << " " << name;
      }
    }
    ++compared;
  }
  std::cout << "compared " << compared << " Adam sequences of 6 steps\n";
  EXPECT_GT(compared, 0);
}

}  // namespace
}  // namespace tailmark
