#include "harness/metrics/decisions.h"

#include <gtest/gtest.h>

#include "harness/base/error.h"
#include "tests/metrics/cases.h"

namespace tailmark::testing {
namespace {

// Three images, two classes. At 0.5: image 0 gets both, 1 gets class 1, 2
// gets class 0.
Case Three() {
  return {.rows = 3,
          .classes = 2,
          .scores = {0.9, 0.6, 0.1, 0.5, 0.7, 0.2},
          .positive = {1, 0, 0, 1, 0, 1}};
}

DecisionResult At(const Case& problem, double threshold,
                  const LabelPolicy& policy = {}) {
  return Decide(problem.view(), problem.labels(),
                {.threshold = threshold, .policy = policy});
}

TEST(Decisions, AThresholdGivesPrecisionRecallAndF1BothWays) {
  const auto got = At(Three(), 0.5);
  EXPECT_EQ(got.given, 4);
  EXPECT_EQ(got.right, 2);
  EXPECT_EQ(got.positives, 3);
  EXPECT_DOUBLE_EQ(*got.op, 50);
  EXPECT_DOUBLE_EQ(*got.orecall, 200 / 3.0);
  EXPECT_DOUBLE_EQ(*got.of1, 400 / 7.0);
  // Class 0: precision 1/2, recall 1; class 1: 1/2, 1/2.
  EXPECT_DOUBLE_EQ(*got.cp, 50);
  EXPECT_DOUBLE_EQ(*got.crecall, 75);
  EXPECT_DOUBLE_EQ(*got.cf1, 60);
  EXPECT_DOUBLE_EQ(*got.mean_class_f1, 100 * (2 / 3.0 + 1 / 2.0) / 2);
}

TEST(Decisions, TheHighestKTakeEqualScoresInClassOrder) {
  const Case problem{.rows = 1,
                     .classes = 3,
                     .scores = {0.5, 0.5, 0.5},
                     .positive = {0, 1, 1}};
  const auto got =
      Decide(problem.view(), problem.labels(), {.top_k = 2, .policy = {}});
  EXPECT_EQ(got.given, 2);
  EXPECT_EQ(got.right, 1);
  EXPECT_EQ(got.never_given, 1);
  EXPECT_EQ(got.rule.origin, "rule");
}

TEST(Decisions, WhereTheThresholdComesFromIsInTheId) {
  const auto given = At(Three(), 0.5);
  EXPECT_EQ(given.rule.Id(),
            "decide/at=0.5/origin=given/difficult=ignore/empty=keep/"
            "nopos=exclude/v1");
  const DecisionRule top{.top_k = 3, .origin = "rule", .policy = {}};
  EXPECT_EQ(top.Id(),
            "decide/top=3/origin=rule/difficult=ignore/empty=keep/"
            "nopos=exclude/v1");
}

TEST(Decisions, AClassWithoutAPositiveIsLeftOutOrZeroAsThePolicySays) {
  Case problem = Three();
  problem.positive = {1, 0, 0, 0, 0, 0};
  const auto excluded = At(problem, 0.5);
  EXPECT_EQ(excluded.undefined, 1);
  EXPECT_DOUBLE_EQ(*excluded.cp, 50);
  EXPECT_DOUBLE_EQ(*excluded.crecall, 100);
  const auto zero = At(problem, 0.5, {.no_positive = NoPositive::kZero});
  EXPECT_DOUBLE_EQ(*zero.crecall, 50);
}

TEST(Decisions, UnknownCellsNeverCountAndDifficultOnesAsThePolicySays) {
  Case problem = Three();
  problem.known = {0, 1, 1, 1, 1, 1};
  EXPECT_EQ(At(problem, 0.5).given, 3);
  EXPECT_EQ(At(problem, 0.5).positives, 2);
  EXPECT_EQ(At(problem, 0.5, {.difficult = Difficult::kPositive}).positives, 3);
  EXPECT_EQ(At(problem, 0.5, {.difficult = Difficult::kNegative}).right, 1);
  // Image 0 has no other label.
  EXPECT_EQ(At(problem, 0.5, {.empty = Empty::kDrop}).images, 2);
}

TEST(Decisions, NothingGivenIsPrecisionZeroAndNothingThereIsUndefined) {
  const auto none = At(Three(), 2);
  EXPECT_EQ(none.given, 0);
  EXPECT_DOUBLE_EQ(*none.op, 0);
  EXPECT_DOUBLE_EQ(*none.of1, 0);
  Case empty = Three();
  empty.positive.assign(6, 0);
  EXPECT_FALSE(At(empty, 0.5).orecall);
  EXPECT_FALSE(At(empty, 0.5).cf1);
}

TEST(Decisions, TheBestThresholdIsNoWorseThanAnyScore) {
  ChanceStream chance(3, 0, 0);
  for (int round = 0; round < 50; ++round) {
    const Case problem =
        RandomCase(chance, chance.Range(2, 12), 5, 1U << (round % 6), true);
    double best = 0;
    try {
      best = BestThreshold(problem.view(), problem.labels(), {});
    } catch (const DataError&) {
      continue;  // no positive label
    }
    const double f1 = At(problem, best).of1.value();
    for (const double score : problem.scores) {
      EXPECT_LE(At(problem, score).of1.value(), f1 + 1e-9);
    }
  }
}

TEST(Decisions, ARuleTakesOneOfThresholdAndTopAndNoMoreThanTheClasses) {
  const Case problem = Three();
  const auto decide = [&](const DecisionRule& rule) {
    return Decide(problem.view(), problem.labels(), rule);
  };
  EXPECT_THROW(decide({}), ConfigError);
  EXPECT_THROW(decide({.threshold = 0.5, .top_k = 1}), ConfigError);
  EXPECT_THROW(decide({.top_k = 3}), ConfigError);
  EXPECT_THROW(decide({.top_k = -1}), ConfigError);
}

TEST(Decisions, PerImageApIsTheApOfEachRowAndNamedSo) {
  const Case problem = Three();
  const auto got = EvaluatePerImage(problem.view(), problem.labels(), {});
  // Ranks of the positive among two classes: 1, 1, 2.
  ASSERT_EQ(got.ap.size(), 3u);
  EXPECT_DOUBLE_EQ(*got.ap[0], 1);
  EXPECT_DOUBLE_EQ(*got.ap[1], 1);
  EXPECT_DOUBLE_EQ(*got.ap[2], 0.5);
  EXPECT_DOUBLE_EQ(*got.total().percent, 250 / 3.0);
  EXPECT_EQ(PerImageId({}),
            "per-image/ap.step/difficult=ignore/empty=keep/nopos=exclude/v1");
}

TEST(Decisions, AnImageWithoutALabelHasNoPerImageAp) {
  Case problem = Three();
  problem.positive[0] = 0;
  const auto got = EvaluatePerImage(problem.view(), problem.labels(),
                                    {.policy = {.empty = Empty::kDrop}});
  EXPECT_FALSE(got.ap[0]);
  EXPECT_EQ(got.total().undefined, 1);
  EXPECT_DOUBLE_EQ(*got.total().percent, 75);
}

}  // namespace
}  // namespace tailmark::testing
