#include <gtest/gtest.h>

#include <vector>

#include "harness/base/error.h"
#include "harness/run/state_file.h"
#include "methods/optim/adam.h"
#include "methods/optim/one_cycle.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

at::Tensor Gradient(int step) {
  return torch::randn(
      {3, 4}, at::detail::createCPUGenerator(static_cast<std::uint64_t>(step)));
}

TEST(Adam, StoppedAndLoadedEqualsNeverStopped) {
  const auto run = [](int stop) {
    auto p = torch::ones({3, 4});
    Adam adam({});
    adam.Add(p, 0.1);
    for (int step = 0; step < 9; ++step) {
      if (step == stop) {
        MemoryState state;
        state.Put("p", p);
        adam.Save(state, "adam");
        p = state.Get("p").clone();
        adam = Adam({});
        adam.Add(p, 0.1);
        adam.Load(state, "adam");
      }
      adam.Step(std::vector<at::Tensor>{Gradient(step)}, 1e-2);
    }
    return p;
  };
  for (const int stop : {1, 4, 8}) EXPECT_TRUE(run(stop).equal(run(-1)));
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

}  // namespace
}  // namespace tailmark
