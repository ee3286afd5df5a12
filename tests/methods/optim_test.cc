#include <gtest/gtest.h>

#include <vector>

#include "harness/base/error.h"
#include "harness/run/state_file.h"
#include "methods/optim/adam.h"
#include "methods/optim/autocast.h"
#include "methods/optim/ema.h"
#include "methods/optim/one_cycle.h"
#include "methods/optim/optimiser.h"
#include "methods/optim/plateau.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

at::Tensor Gradient(int step) {
  return torch::randn(
      {3, 4}, at::detail::createCPUGenerator(static_cast<std::uint64_t>(step)));
}

TEST(Optimisers, StoppedAndLoadedEqualsNeverStopped) {
  const auto run = [](const char* name, int stop) {
    auto p = torch::ones({3, 4});
    auto optimiser = MakeOptimiser(name);
    optimiser->Add(p, 0.1);
    for (int step = 0; step < 9; ++step) {
      if (step == stop) {
        MemoryState state;
        state.Put("p", p);
        optimiser->Save(state, "optimiser");
        p = state.Get("p").clone();
        optimiser = MakeOptimiser(name);
        optimiser->Add(p, 0.1);
        optimiser->Load(state, "optimiser");
      }
      optimiser->Step(std::vector<at::Tensor>{Gradient(step)}, 1e-2);
    }
    return p;
  };
  for (const char* name : {"sgd", "adam", "adamw"}) {
    for (const int stop : {0, 1, 4, 8}) {
      EXPECT_TRUE(run(name, stop).equal(run(name, -1))) << name;
    }
  }
}

TEST(Optimisers, ATensorWithoutGradientStaysAsItIs) {
  for (const char* name : {"sgd", "adam", "adamw"}) {
    auto p = torch::ones({2});
    const auto optimiser = MakeOptimiser(name);
    optimiser->Add(p, 0.1);
    optimiser->Step(std::vector<at::Tensor>{at::Tensor()}, 1e-2);
    EXPECT_TRUE(p.equal(torch::ones({2}))) << name;
  }
}

TEST(Optimisers, TheFactorOfATensorMultipliesItsRate) {
  for (const char* name : {"sgd", "adam", "adamw"}) {
    auto slow = torch::zeros({1}, torch::kDouble);
    auto fast = torch::zeros({1}, torch::kDouble);
    const auto optimiser = MakeOptimiser(name);
    optimiser->Add(slow, 0.0);
    optimiser->Add(fast, 0.0, 3.0);
    const auto one = torch::ones({1}, torch::kDouble);
    optimiser->Step(std::vector<at::Tensor>{one, one}, 1e-3);
    EXPECT_NEAR(fast.item<double>(), 3 * slow.item<double>(), 1e-12) << name;
  }
}

TEST(Plateau, StoppedAndLoadedEqualsNeverStopped) {
  const std::vector<double> metrics = {1, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3,
                                       3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3};
  Plateau never({});
  Plateau stopped({});
  for (const double metric : metrics) {
    never.Step(metric);
    MemoryState state;
    stopped.Save(state, "plateau");
    stopped = Plateau({});
    stopped.Load(state, "plateau");
    stopped.Step(metric);
    EXPECT_EQ(stopped.lr(), never.lr());
  }
  EXPECT_NEAR(never.lr(), 5e-4 * 1e-3, 1e-15);
}

TEST(Ema, StoppedAndLoadedEqualsNeverStopped) {
  Ema never(0.9, std::vector<at::Tensor>{Gradient(0)});
  Ema stopped(0.9, std::vector<at::Tensor>{Gradient(0)});
  for (int step = 1; step < 4; ++step) {
    never.Update(std::vector<at::Tensor>{Gradient(step)});
    MemoryState state;
    stopped.Save(state, "ema");
    stopped = Ema(0.5 + 0.4, std::vector<at::Tensor>{torch::zeros({3, 4})});
    stopped.Load(state, "ema");
    stopped.Update(std::vector<at::Tensor>{Gradient(step)});
  }
  EXPECT_TRUE(stopped.average()[0].equal(never.average()[0]));
}

// LibTorch 2.13 takes a group's value that equals the constructor's default for
// unset; each tensor here has the decay and the rate it was given.
TEST(Adam, EachTensorHasTheDecayItWasGiven) {
  auto decayed = torch::ones({2});
  auto kept = torch::ones({2});
  Adam adam({});
  adam.Add(decayed, 1e-2);
  adam.Add(kept, 0.0);
  const auto zero = torch::zeros({2});
  adam.Step(std::vector<at::Tensor>{zero, zero}, 1e-3);
  EXPECT_FLOAT_EQ(decayed[0].item<float>(), 1.0F - 1e-5F);
  EXPECT_EQ(kept[0].item<float>(), 1.0F);
}

TEST(Adam, TheFirstStepIsTheRateWhateverTheGradient) {
  for (const float gradient : {1e-3F, 1.0F, 1e3F}) {
    auto p = torch::zeros({1});
    Adam adam({});
    adam.Add(p, 0.0);
    adam.Step(std::vector<at::Tensor>{torch::full({1}, gradient)}, 5e-4);
    EXPECT_NEAR(p.item<double>(), -5e-4, 1e-8);
  }
}

TEST(Adam, RefusesTheStateOfOtherTensors) {
  auto p = torch::zeros({3});
  Adam adam({});
  adam.Add(p, 0.0);
  MemoryState state;
  adam.Save(state, "adam");
  Adam other({});
  other.Add(torch::zeros({4}), 0.0);
  EXPECT_THROW(other.Load(state, "adam"), DataError);
  EXPECT_THROW(other.Load(state, "sgd"), DataError);
}

TEST(OneCycle, GoesUpAndDownAndStaysInBounds) {
  for (const std::int64_t steps : {1, 2, 3, 10, 750}) {
    const OneCycle schedule{.max_lr = 0.1, .total_steps = steps};
    double top = 0;
    for (std::int64_t step = 0; step < steps + 3; ++step) {
      const auto [lr, momentum] = schedule.At(step);
      EXPECT_TRUE(std::isfinite(lr));
      EXPECT_GT(lr, 0);
      EXPECT_LE(lr, 0.1 * (1 + 1e-12));
      EXPECT_GE(momentum, 0.85 - 1e-12);
      EXPECT_LE(momentum, 0.95 + 1e-12);
      top = std::max(top, lr);
    }
    if (steps == 10) {
      EXPECT_NEAR(top, 0.1, 1e-12);
    }
    if (steps > 1) {
      EXPECT_NEAR(schedule.At(steps - 1).lr, 0.1 / 25 / 1e4, 1e-12);
    }
  }
}

TEST(Autocast, ComputesProductsInTheRunsPrecisionAndPutsTheSwitchBack) {
  const auto a = torch::ones({2, 2}).set_requires_grad(true);
  const auto product_in = [&](const char* precision) {
    Problem problem;
    problem.precision = precision;
    const Autocast lower(problem);
    return a.matmul(a).scalar_type();
  };
  EXPECT_EQ(product_in("fp32"), torch::kFloat);
  EXPECT_EQ(product_in("fp16-state"), torch::kFloat);
  EXPECT_EQ(product_in("bf16"), torch::kBFloat16);
  EXPECT_EQ(product_in("fp16"), torch::kHalf);
  EXPECT_EQ(a.matmul(a).scalar_type(), torch::kFloat);
}

TEST(Autocast, GradientsArriveInFloat32AndSeeTheStepBefore) {
  Problem problem;
  problem.precision = "bf16";
  auto weight = torch::full({1, 1}, 2.0).set_requires_grad(true);
  for (const double expected : {2.0, 3.0}) {
    at::Tensor loss;
    {
      const Autocast lower(problem);
      loss = torch::ones({1, 1}).matmul(weight).to(torch::kFloat).sum();
    }
    EXPECT_EQ(loss.item<double>(), expected);
    loss.backward();
    EXPECT_EQ(weight.grad().scalar_type(), torch::kFloat);
    const at::NoGradGuard no_graph;
    weight += weight.grad();  // a kept cast of the parameter would hide this
    weight.mutable_grad().zero_();
  }
}

}  // namespace
}  // namespace tailmark
