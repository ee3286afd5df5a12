#include "harness/metrics/comparison.h"

#include <gtest/gtest.h>

#include <cmath>

#include "harness/base/error.h"
#include "harness/metrics/rank_flips.h"
#include "tests/metrics/cases.h"

namespace tailmark::testing {
namespace {

const std::vector<ClassGroup> kTwoGroups = {{.name = "head", .classes = {0, 1}},
                                            {.name = "tail", .classes = {2}}};

Case Sample() {
  ChanceStream chance(11, 7, 1);
  Case out = RandomCase(chance, 80, 3, 1000, false);
  for (std::size_t i = 0; i < out.positive.size(); ++i) {
    out.positive[i] = chance.Below(4) == 0;
    if (out.positive[i] != 0) out.scores[i] += 200;
  }
  return out;
}

Replicates Of(const Case& problem) {
  return BootstrapImages(problem.view(), problem.labels(), kTwoGroups,
                         Definition{}, {.resamples = 200});
}

Case Worse(const Case& problem) {
  Case out = problem;
  ChanceStream chance(12, 7, 1);
  for (double& score : out.scores) score += chance.Below(600);
  return out;
}

TEST(Compare, AMatrixAgainstItselfDiffersByExactlyNothing) {
  const Case problem = Sample();
  const auto compared = ComparePaired(Of(problem), Of(problem));
  ASSERT_EQ(compared.groups.size(), 3U);
  for (const PairedGroup& group : compared.groups) {
    EXPECT_EQ(group.difference, 0.0);
    EXPECT_EQ(group.p, 1.0);
    EXPECT_EQ(group.p_adjusted, 1.0);
    EXPECT_EQ(group.interval.lo, 0.0);
    EXPECT_EQ(group.interval.hi, 0.0);
    EXPECT_EQ(group.mde, 0.0);
    EXPECT_EQ(group.finding, Finding::kEquivalent);
  }
  for (const PairedClass& each : compared.classes) EXPECT_EQ(each.p, 1.0);
}

TEST(Compare, TheDifferenceIsThatOfThePlainNumbers) {
  const Case a = Sample();
  const Case b = Worse(a);
  const auto compared = ComparePaired(Of(a), Of(b));
  const Definition definition;
  const auto total = [&](const Case& problem) {
    return *EvaluateCase(problem, {definition}).results[0].total().percent;
  };
  EXPECT_NEAR(*compared.groups[0].difference, total(b) - total(a), 1e-9);
  EXPECT_EQ(compared.groups[0].finding, Finding::kDifferent);
  EXPECT_LE(compared.groups[0].interval.hi, 0);
  const auto back = ComparePaired(Of(b), Of(a));
  EXPECT_EQ(*back.groups[0].difference, -*compared.groups[0].difference);
  EXPECT_EQ(back.groups[0].p, compared.groups[0].p);
}

TEST(Compare, AMarginMayBeGiven) {
  const Case a = Sample();
  const auto compared =
      ComparePaired(Of(a), Of(Worse(a)), {.margins = {{"total", 90}}});
  EXPECT_EQ(compared.groups[0].margin, 90);
  EXPECT_LT(compared.groups[0].p_equivalent, 0.05);
  EXPECT_EQ(compared.groups[2].margin, 1.0);
}

TEST(Compare, AGroupWithoutPositivesIsUndefined) {
  Case a = Sample();
  for (std::size_t row = 0; row < 80; ++row) a.positive[row * 3 + 2] = 0;
  const auto compared = ComparePaired(Of(a), Of(a));
  EXPECT_EQ(compared.groups[2].finding, Finding::kUndefined);
  EXPECT_FALSE(compared.groups[2].difference);
  EXPECT_FALSE(compared.classes[2].difference);
}

TEST(Compare, TheMeanOverSeedsIsTakenResampleByResample) {
  const std::vector<Replicates> seeds = {Of(Sample()), Of(Worse(Sample()))};
  const Replicates mean = MeanOverSeeds(seeds);
  EXPECT_DOUBLE_EQ(
      mean.groups[0].values[17],
      (seeds[0].groups[0].values[17] + seeds[1].groups[0].values[17]) / 2);
  EXPECT_DOUBLE_EQ(
      *mean.groups[1].percent,
      (*seeds[0].groups[1].percent + *seeds[1].groups[1].percent) / 2);
}

TEST(Compare, RowsThatAgreeAreNotDistinguished) {
  const Replicates a = Of(Sample());
  const Replicates b = Of(Worse(Sample()));
  const std::vector<std::vector<double>> rows = {
      a.groups[0].values, a.groups[0].values, b.groups[0].values};
  const auto differs = Distinguishable(rows);
  EXPECT_FALSE(differs[0][1]);
  EXPECT_TRUE(differs[0][2]);
  EXPECT_TRUE(differs[2][1]);
  EXPECT_FALSE(differs[1][1]);
}

TEST(Compare, TheWorstImageIsTheOneThatWasSpoilt) {
  const Case a = Sample();
  Case b = a;
  // The image whose labels b now denies.
  std::size_t spoilt = 0;
  while (b.positive[spoilt * 3] == 0) ++spoilt;
  for (std::size_t c = 0; c < 3; ++c) {
    if (b.positive[spoilt * 3 + c] != 0) b.scores[spoilt * 3 + c] = -1000;
  }
  const auto worst =
      FindWorstImages(a.view(), b.view(), a.labels(), Definition{}, 5);
  ASSERT_FALSE(worst.against.empty());
  EXPECT_EQ(worst.against[0].row, static_cast<std::int64_t>(spoilt));
  EXPECT_LT(worst.against[0].influence, 0);
  const auto none =
      FindWorstImages(a.view(), a.view(), a.labels(), Definition{}, 5);
  EXPECT_TRUE(none.against.empty());
  EXPECT_TRUE(none.for_b.empty());
}

TEST(Flips, ASwapOfTwoImagesIsOnePair) {
  // AP 5/6 -> 1: the negative of row 1 falls below the positive of row 2.
  const Case a = OneClass({0.1, 0.4, 0.35, 0.8}, {0, 0, 1, 1});
  const Case b = OneClass({0.1, 0.2, 0.35, 0.8}, {0, 0, 1, 1});
  const ScoreDrift drift =
      FindDrift(a.view(), b.view(), a.labels(), LabelPolicy{});
  ASSERT_EQ(drift.classes.size(), 1U);
  EXPECT_EQ(drift.classes[0].gained, 1);
  EXPECT_EQ(drift.classes[0].lost, 0);
  EXPECT_EQ(drift.classes[0].pairs, 4);
  EXPECT_DOUBLE_EQ(drift.classes[0].fraction(), 0.25);
  EXPECT_EQ(drift.moved, 1);
  EXPECT_DOUBLE_EQ(drift.largest, 0.2);
  ASSERT_EQ(drift.pairs.size(), 1U);
  EXPECT_EQ(drift.pairs[0].positive_row, 2);
  EXPECT_EQ(drift.pairs[0].negative_row, 1);
  EXPECT_TRUE(drift.pairs[0].gained);
  // What the swap is worth is what AP moved by.
  EXPECT_NEAR(drift.pairs[0].effect, 100.0 / 6, 1e-12);
}

TEST(Flips, TheSameScoresFlipNothing) {
  const Case a = Sample();
  const ScoreDrift drift =
      FindDrift(a.view(), a.view(), a.labels(), LabelPolicy{});
  EXPECT_EQ(drift.moved, 0);
  EXPECT_EQ(drift.largest, 0);
  EXPECT_EQ(drift.p99, 0);
  EXPECT_TRUE(drift.pairs.empty());
}

TEST(Flips, OtherShapesAreRefused) {
  const Case a = OneClass({1, 2}, {0, 1});
  const Case b = OneClass({1, 2, 3}, {0, 1, 1});
  EXPECT_THROW(FindDrift(a.view(), b.view(), a.labels(), LabelPolicy{}),
               DataError);
}

}  // namespace
}  // namespace tailmark::testing
