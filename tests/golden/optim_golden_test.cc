#include <gtest/gtest.h>

#include <iostream>

#include "methods/optim/adam.h"
#include "methods/optim/cosine.h"
#include "methods/optim/ema.h"
#include "methods/optim/one_cycle.h"
#include "methods/optim/optimiser.h"
#include "methods/optim/plateau.h"
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

TEST(OptimGolden, OtherSchedulesGiveEveryRateOfTheReference) {
  const auto goldens = MethodGoldens::Open("schedules.safetensors");
  if (!goldens) GTEST_SKIP() << "no golden folder methods (schedules)";
  int compared = 0;
  const auto same = [&](const Json& each, const auto& rate) {
    const auto lr = goldens->Out(each, "lr");
    for (std::int64_t i = 0; i < lr.numel(); ++i) {
      const double expected = lr[i].item<double>();
      ASSERT_NEAR(rate(i), expected, 1e-12 * lr.max().item<double>())
          << MethodGoldens::Id(each) << " " << i;
    }
    ++compared;
  };
  for (const Json& each : goldens->cases()) {
    const std::string id = MethodGoldens::Id(each);
    const Json& p = each.at("params");
    if (id == "coop_cosine_constant_warmup") {
      const Cosine cosine{.lr = 2e-3,
                          .epochs = p.at("epochs"),
                          .warm_up = 1,
                          .form = Cosine::WarmUp::kConstant,
                          .warm_up_lr = 1e-5};
      same(each,
           [&](std::int64_t i) { return cosine.At(static_cast<double>(i)); });
    } else if (id == "hpdval_halfcycle_cosine") {
      const Cosine cosine{.lr = p.at("lr"),
                          .epochs = p.at("epochs"),
                          .warm_up = p.at("warmup"),
                          .min_lr = p.at("min_lr")};
      same(each, [&](std::int64_t i) {
        return cosine.At(static_cast<double>(i) / 4);
      });
    } else if (id == "plateau/lmpt") {
      const auto metric = goldens->In(each, "metric").to(at::kDouble);
      Plateau plateau({.lr = p.at("lr"), .patience = p.at("patience")});
      same(each, [&](std::int64_t i) {
        const double lr = plateau.lr();
        plateau.Step(metric[i].item<double>());
        return lr;
      });
    }
  }
  std::cout << "compared " << compared << " other schedules\n";
  EXPECT_EQ(compared, 3);
}

TEST(OptimGolden, AveragesAreThoseOfTheReference) {
  const auto goldens = MethodGoldens::Open("ema.safetensors");
  if (!goldens) GTEST_SKIP() << "no golden folder methods (ema)";
  int compared = 0;
  for (const Json& each : goldens->cases()) {
    if (!each.at("params").contains("decay")) continue;
    std::vector<std::string> names;
    for (const auto& [name, entry] : each.at("inputs").items()) {
      if (name.starts_with("init/")) names.push_back(name.substr(5));
    }
    const auto state = [&](const std::string& of) {
      std::vector<at::Tensor> tensors;
      for (const std::string& name : names) {
        tensors.push_back(goldens->In(each, of + "/" + name));
      }
      return tensors;
    };
    Ema ema(each.at("params").at("decay"), state("init"));
    for (int step = 1; step <= 4; ++step) {
      const std::string n = std::to_string(step);
      ema.Update(state("model" + n));
      for (std::size_t i = 0; i < names.size(); ++i) {
        const at::Tensor& got = ema.average()[i];
        const std::string name = "ema" + n + "/" + names[i];
        if (got.is_floating_point()) {
          goldens->Expect(each, name, got);
        } else {
          EXPECT_TRUE(got.equal(goldens->Out(each, name))) << name;
        }
      }
    }
    ++compared;
  }
  std::cout << "compared " << compared << " averages over 4 steps\n";
  EXPECT_GT(compared, 0);
}

TEST(OptimGolden, StepsAreThoseOfPyTorch) {
  const auto goldens = MethodGoldens::Open("schedules.safetensors");
  if (!goldens) GTEST_SKIP() << "no golden folder methods (schedules)";
  int compared = 0;
  for (const Json& each : goldens->cases()) {
    const auto id = each.at("id").get<std::string>();
    if (!id.starts_with("steps/")) continue;
    const Json& p = each.at("params");
    const auto optimiser =
        MakeOptimiser(id.starts_with("steps/AdamW")  ? "adamw"
                      : id.starts_with("steps/Adam") ? "adam"
                                                     : "sgd");
    const auto w = goldens->In(each, "w0");
    const auto b = goldens->In(each, "b0");
    optimiser->Add(w, p.at("wd"));
    optimiser->Add(b, 0.0);
    for (int step = 1; step <= 6; ++step) {
      const std::string n = std::to_string(step);
      double lr = p.at("lr");
      std::optional<double> momentum;
      if (!p.at("total_steps").is_null()) {
        const OneCycle schedule{.max_lr = lr,
                                .total_steps = p.at("total_steps"),
                                .warm_up = p.at("pct_start")};
        lr = schedule.At(step - 1).lr;
        momentum = schedule.At(step - 1).momentum;
      }
      const std::vector<at::Tensor> gradients = {goldens->In(each, "gw" + n),
                                                 goldens->In(each, "gb" + n)};
      optimiser->Step(gradients, lr, momentum);
      goldens->Expect(each, "w" + n, w);
      goldens->Expect(each, "b" + n, b);
    }
    ++compared;
  }
  std::cout << "compared " << compared << " sequences of 6 steps\n";
  EXPECT_EQ(compared, 6);
}

}  // namespace
}  // namespace tailmark
