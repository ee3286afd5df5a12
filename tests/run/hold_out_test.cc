#include "harness/run/hold_out.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "harness/base/error.h"
#include "harness/metrics/arrays.h"
#include "harness/metrics/definition.h"
#include "harness/metrics/evaluate.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

/// [200, 6] with about 40%, 20%, 10%, ... of positives, the last class with 2.
at::Tensor LongTail() {
  const auto draws = torch::rand({200, 6}, at::detail::createCPUGenerator(1));
  at::Tensor labels = torch::zeros({200, 6}, torch::kByte);
  for (int c = 0; c < 5; ++c) {
    labels.select(1, c).copy_(draws.select(1, c) < 0.4 / (1 << c));
  }
  labels[3][5] = 1;
  labels[150][5] = 1;
  return labels;
}

std::int64_t Positives(const at::Tensor& labels,
                       const std::vector<std::int64_t>& rows, int c) {
  return labels.index_select(0, torch::tensor(rows))
      .select(1, c)
      .sum()
      .item<std::int64_t>();
}

TEST(HoldOut, EveryClassKeepsTheLargerPartAndRareOnesAreOnBothSides) {
  const auto labels = LongTail();
  const HeldOut held = HoldOut(labels, {}, 0.25, 7);
  EXPECT_EQ(held.train.size() + held.validation.size(), 200u);
  EXPECT_NEAR(static_cast<double>(held.validation.size()), 50, 10);
  for (int c = 0; c < 6; ++c) {
    const auto away = Positives(labels, held.validation, c);
    const auto kept = Positives(labels, held.train, c);
    EXPECT_GE(away, 1) << c;
    EXPECT_GE(kept, away) << c;
    EXPECT_LE(static_cast<double>(away),
              std::max(1.0, 0.25 * static_cast<double>(away + kept)))
        << c;
  }
  EXPECT_TRUE(std::is_sorted(held.train.begin(), held.train.end()));
}

TEST(HoldOut, DependsOnTheSeedAndNothingElse) {
  const auto labels = LongTail();
  EXPECT_EQ(HoldOut(labels, {}, 0.2, 1).validation,
            HoldOut(labels, {}, 0.2, 1).validation);
  EXPECT_NE(HoldOut(labels, {}, 0.2, 1).validation,
            HoldOut(labels, {}, 0.2, 2).validation);
}

TEST(HoldOut, AClassWithOnePositiveIsLeftToTraining) {
  at::Tensor labels = LongTail();
  labels[150][5] = 0;
  const HeldOut held = HoldOut(labels, {}, 0.25, 7);
  EXPECT_EQ(Positives(labels, held.train, 5), 1);
}

TEST(HoldOut, UnknownPositivesAreNone) {
  const auto labels = LongTail();
  const auto known = torch::zeros({200, 6}, torch::kBool);
  EXPECT_THROW(HoldOut(labels, known, 0.25, 7), DataError);
}

TEST(HoldOut, TooLittleToHoldOutIsRefused) {
  EXPECT_THROW(HoldOut(torch::eye(3).to(torch::kByte), {}, 0.5, 1), DataError);
  EXPECT_THROW(HoldOut(torch::ones({1, 3}, torch::kByte), {}, 0.5, 1),
               DataError);
}

TEST(ValidationMap, IsApStepOfTheMetricsAlsoWithTiesAndUnknownLabels) {
  const auto labels = LongTail();
  const auto chance = at::detail::createCPUGenerator(4);
  const auto scores = torch::randint(0, 9, {200, 6}, chance).to(torch::kFloat);
  const auto known = torch::rand({200, 6}, chance) < 0.8;
  const auto bits = [](const at::Tensor& t) {
    const auto bytes = t.to(torch::kByte).contiguous();
    return std::vector<std::uint8_t>(
        bytes.data_ptr<std::uint8_t>(),
        bytes.data_ptr<std::uint8_t>() + bytes.numel());
  };
  const std::vector<float> values(scores.data_ptr<float>(),
                                  scores.data_ptr<float>() + scores.numel());
  const std::vector<std::uint8_t> positive = bits(labels);
  const std::vector<std::uint8_t> mask = bits(known);
  const std::vector<Definition> step = {ParseDefinition("ap.step")};
  const ScoreArray array{.values = values, .rows = 200, .classes = 6};
  const Evaluation expected =
      Evaluate(array.view(), {.positive = positive, .known = mask}, {}, step);
  const auto found = MeanAveragePrecision(scores, labels, known);
  ASSERT_TRUE(found);
  EXPECT_NEAR(*found, *expected.results[0].total().percent, 1e-10);
}

TEST(ValidationMap, IsNothingWithoutAPositive) {
  const auto none = torch::zeros({4, 2});
  EXPECT_FALSE(MeanAveragePrecision(none, none, {}));
}

}  // namespace
}  // namespace tailmark
