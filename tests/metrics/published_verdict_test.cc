#include "harness/metrics/published_verdict.h"

#include <gtest/gtest.h>

#include <vector>

namespace tailmark {
namespace {

constexpr double kHalf = 0.005;

PublishedTest Hold(double printed, std::vector<double> values,
                   bool stochastic = true, double margin = 0.5) {
  return HoldAgainst(printed, kHalf, values, stochastic, margin);
}

TEST(PublishedVerdict, ATightSpreadAroundThePrintedValueIsReproduced) {
  const auto got = Hold(66.19, {66.1, 66.2, 66.15, 66.25, 66.2});
  EXPECT_EQ(got.verdict, Verdict::kReproduced) << got.reason;
  EXPECT_LE(*got.p_equivalent, 0.05);
  EXPECT_EQ(got.runs, 5);
  EXPECT_NEAR(*got.difference, 66.18 - 66.19, 1e-12);
}

TEST(PublishedVerdict, AWideSpreadAroundItIsConsistentAndSaysWhy) {
  const auto got = Hold(66.19, {65.0, 67.5, 66.4, 65.6, 66.9});
  EXPECT_EQ(got.verdict, Verdict::kConsistent) << got.reason;
  EXPECT_GT(*got.p_equivalent, 0.05);
  EXPECT_NE(got.reason.find("5 runs cannot show"), std::string::npos);
  EXPECT_LT(got.prediction->lo, 66.19);
  EXPECT_GT(got.prediction->hi, 66.19);
}

TEST(PublishedVerdict, OutsideOfWhereOneMoreRunLiesIsBelowOrAbove) {
  EXPECT_EQ(Hold(70, {66.1, 66.2, 66.15, 66.25}).verdict, Verdict::kBelow);
  EXPECT_EQ(Hold(60, {66.1, 66.2, 66.15, 66.25}).verdict, Verdict::kAbove);
}

TEST(PublishedVerdict, RoundingOfThePrintedValueIsGranted) {
  // One digit printed: 66.5 may stand for all up to 66.55.
  const std::vector<double> values = {67.05};
  EXPECT_EQ(HoldAgainst(66.5, 0.05, values, false, 0.5).verdict,
            Verdict::kReproduced);
  EXPECT_EQ(HoldAgainst(66.5, 0.005, values, false, 0.5).verdict,
            Verdict::kAbove);
}

TEST(PublishedVerdict, WithoutChanceTheMarginAloneDecides) {
  EXPECT_EQ(Hold(66.19, {66.5}, false).verdict, Verdict::kReproduced);
  EXPECT_EQ(Hold(66.19, {65.6}, false).verdict, Verdict::kBelow);
  // Seeds that give one and the same number have no chance in them either.
  EXPECT_EQ(Hold(66.19, {66.2, 66.2, 66.2}).verdict, Verdict::kReproduced);
}

TEST(PublishedVerdict, OneSeedOfAMethodWithChanceSaysNothing) {
  const auto got = Hold(66.19, {66.19});
  EXPECT_EQ(got.verdict, Verdict::kNotRun);
  EXPECT_NE(got.reason.find("--seeds"), std::string::npos);
  EXPECT_EQ(Hold(66.19, {}).verdict, Verdict::kNotRun);
  EXPECT_FALSE(Hold(66.19, {}).mean);
}

TEST(PublishedVerdict, MarginsAreHalfAPointForTotalsAndOneForGroups) {
  EXPECT_EQ(ReproductionMargin("total"), 0.5);
  EXPECT_EQ(ReproductionMargin("tail"), 1.0);
}

}  // namespace
}  // namespace tailmark
