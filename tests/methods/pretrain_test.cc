#include "methods/clip/pretrain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "methods/torch_pch.h"
#include "tests/methods/tiny_clip.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr std::int64_t kBatch = 8;

PretrainOptions Options(std::int64_t steps) {
  return {.seed = 3,
          .steps = steps,
          .batch_size = kBatch,
          .lr = 3e-3,
          .warm_up = 4};
}

// Word w of a caption colours one quarter of the picture: easy to learn.
PairBatch MakePairs(std::int64_t step) {
  at::Generator chance =
      at::detail::createCPUGenerator(static_cast<std::uint64_t>(step));
  const auto words = at::randint(1, 9, {kBatch, 4}, chance, at::kLong);
  const auto pixels = (words.to(at::kFloat) - 4.5)
                          .view({kBatch, 1, 2, 2})
                          .repeat_interleave(8, 2)
                          .repeat_interleave(8, 3)
                          .expand({kBatch, 3, 16, 16})
                          .contiguous();
  auto ids = at::zeros({kBatch, 7}, at::kLong);
  ids.select(1, 0).fill_(9);
  ids.narrow(1, 1, 4).copy_(words);
  ids.select(1, 5).fill_(10);
  return {pixels, ids};
}

struct Stopped {};
/// MakePairs that breaks off at a step, as a killed process does.
PairMaker BreaksAt(std::int64_t stop) {
  return [stop](std::int64_t step) {
    if (step == stop) throw Stopped{};
    return MakePairs(step);
  };
}

fs::path EmptyFolder(const std::string& name) {
  const fs::path folder = fs::path(testing::TempDir()) / name;
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder;
}

std::vector<Json> LinesOf(const fs::path& path) {
  std::vector<Json> lines;
  std::istringstream in(ReadFile(path));
  for (std::string line; std::getline(in, line);) {
    lines.push_back(Json::parse(line));
  }
  return lines;
}

TEST(Pretrain, AFewStepsLowerTheLoss) {
  const fs::path folder = EmptyFolder("pretrain_few");
  Pretrain(TinyConfig(), Options(40), MakePairs, {.log = folder / "log.jsonl"});
  const auto lines = LinesOf(folder / "log.jsonl");
  ASSERT_EQ(lines.size(), 40U);
  const auto mean = [&](std::size_t from) {
    double sum = 0;
    for (std::size_t i = from; i < from + 5; ++i) {
      sum += lines[i]["loss"].get<double>();
    }
    return sum / 5;
  };
  EXPECT_GT(mean(0), 2.0);
  EXPECT_LT(mean(35), mean(0) - 0.4);
  EXPECT_EQ(lines[39]["step"], 40);
  EXPECT_EQ(lines[3]["lr"], 3e-3);
}

TEST(Pretrain, StopAndResumeEqualsNeverStopped) {
  const std::string straight =
      HashParameters(Pretrain(TinyConfig(), Options(12), MakePairs, {}).model);
  const fs::path folder = EmptyFolder("pretrain_resume");
  const PretrainPlaces places{.checkpoint = folder / "checkpoint.safetensors",
                              .checkpoint_every = 5,
                              .log = folder / "log.jsonl"};
  EXPECT_THROW(Pretrain(TinyConfig(), Options(12), BreaksAt(8), places),
               Stopped);
  const auto result = Pretrain(TinyConfig(), Options(12), MakePairs, places);
  EXPECT_EQ(HashParameters(result.model), straight);
  EXPECT_EQ(result.steps, 12);
  // Steps 6 ... 8 were done twice and are logged once.
  const auto lines = LinesOf(places.log);
  ASSERT_EQ(lines.size(), 12U);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(lines[i]["step"], i + 1);
  }
  // A finished training only gives its model again.
  EXPECT_EQ(HashParameters(
                Pretrain(TinyConfig(), Options(12), BreaksAt(0), places).model),
            straight);
}

TEST(Pretrain, ACheckpointOfOtherOptionsIsRefused) {
  const fs::path folder = EmptyFolder("pretrain_other");
  const PretrainPlaces places{.checkpoint = folder / "checkpoint.safetensors"};
  Pretrain(TinyConfig(), Options(2), MakePairs, places);
  try {
    Pretrain(TinyConfig(), Options(3), MakePairs, places);
    FAIL();
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("of a training with other options"));
  }
}

TEST(Pretrain, ALossThatIsNotFiniteNamesItsStep) {
  const auto broken = [](std::int64_t step) {
    PairBatch batch = MakePairs(step);
    if (step == 2) batch.pixels.fill_(INFINITY);
    return batch;
  };
  try {
    Pretrain(TinyConfig(), Options(4), broken, {});
    FAIL();
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("the loss of step 3 is not finite"));
  }
}

TEST(Pretrain, TheRateRisesLinearlyAndFallsAsACosine) {
  const PretrainOptions options{.steps = 300, .lr = 2.0, .warm_up = 100};
  EXPECT_DOUBLE_EQ(PretrainRate(options, 0), 0.02);
  EXPECT_DOUBLE_EQ(PretrainRate(options, 99), 2.0);
  EXPECT_DOUBLE_EQ(PretrainRate(options, 100), 2.0);
  EXPECT_NEAR(PretrainRate(options, 200), 1.0, 1e-12);
  EXPECT_NEAR(PretrainRate(options, 300), 0.0, 1e-12);
}

TEST(InfoNce, WithDistinctCaptionsItIsTheMeanCrossEntropyOfBothWays) {
  const auto images = at::tensor({1.0, 0.0, 0.0, 2.0}).view({2, 2});
  const auto texts = at::tensor({3.0, 0.0, 1.0, 1.0}).view({2, 2});
  const auto ids = at::tensor({1, 2}, at::kLong).view({2, 1});
  const double scale = 2.0;
  // Cosines [[1, r], [0, r]] with r = sqrt(1/2).
  const double r = scale * std::sqrt(0.5);
  const auto entropy = [](double right, double wrong) {
    return std::log(std::exp(right) + std::exp(wrong)) - right;
  };
  const double expected = 0.5 * (0.5 * (entropy(scale, r) + entropy(r, 0.0)) +
                                 0.5 * (entropy(scale, 0.0) + entropy(r, r)));
  const auto found = InfoNce(images, texts, at::tensor(scale), ids);
  EXPECT_NEAR(found.loss.item<double>(), expected, 1e-12);
  EXPECT_EQ(found.accuracy.item<double>(), 1.0);
}

TEST(InfoNce, EqualCaptionsShareTheTargetsMass) {
  // Both images and both captions are the same: nothing is left to learn, and
  // the loss is the entropy of the shared target, log 2.
  const auto same = at::ones({2, 3}, at::kDouble);
  const auto ids = at::tensor({4, 4}, at::kLong).view({2, 1});
  auto features = same.clone().requires_grad_();
  const auto found = InfoNce(features, same, at::tensor(5.0), ids);
  EXPECT_NEAR(found.loss.item<double>(), std::log(2.0), 1e-12);
  EXPECT_EQ(found.accuracy.item<double>(), 1.0);
  found.loss.backward();
  EXPECT_NEAR(features.grad().abs().max().item<double>(), 0.0, 1e-12);
}

}  // namespace
}  // namespace tailmark
