#include "harness/metrics/significance.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "harness/base/error.h"
#include "harness/metrics/letters.h"

namespace tailmark::testing {
namespace {

using Values = std::vector<double>;

void ExpectNear(const Values& got, const Values& want) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_NEAR(got[i], want[i], 1e-12) << i;
  }
}

TEST(Adjusted, HolmStepsDown) {
  ExpectNear(HolmAdjusted(Values{0.01, 0.04, 0.03, 0.005}),
             {0.03, 0.06, 0.06, 0.02});
  ExpectNear(HolmAdjusted(Values{0.6, 0.7}), {1, 1});
  EXPECT_TRUE(HolmAdjusted(Values{}).empty());
}

TEST(Adjusted, BenjaminiHochbergStepsUp) {
  ExpectNear(BenjaminiHochbergAdjusted(Values{0.01, 0.04, 0.03, 0.005}),
             {0.02, 0.04, 0.04, 0.02});
}

// scipy.stats.ttest_ind(a, b, equal_var=False), 1.17.1.
TEST(Seeds, WelchAgreesWithScipy) {
  const Values a = {60.1, 60.4, 59.8, 60.2, 60.0};
  const Values b = {60.9, 61.3, 60.2, 60.8};
  const MeanTest test = WelchTest(a, b);
  EXPECT_NEAR(test.difference, 0.7, 1e-12);
  EXPECT_NEAR(test.p, 0.045814913004964285, 1e-9);
  EXPECT_NEAR(test.freedom, 4.156882591093137, 1e-9);
  EXPECT_NEAR(test.interval.lo, 0.020673511495291286, 1e-9);
  EXPECT_NEAR(test.interval.hi, 1.3793264885047, 1e-9);
}

TEST(Seeds, PairedAgreesWithScipy) {
  const Values a = {60.1, 60.4, 59.8, 60.2, 60.0};
  const Values b = {60.3, 60.5, 60.2, 60.1, 60.4};
  EXPECT_NEAR(PairedTest(a, b).p, 0.10270042749551335, 1e-9);
}

TEST(Seeds, EqualValuesAreNoDifference) {
  const Values a = {60, 60, 60};
  EXPECT_EQ(WelchTest(a, a).p, 1);
  EXPECT_EQ(WelchTest(a, a).difference, 0);
  EXPECT_EQ(WelchTest(a, Values{61, 61, 61}).p, 0);
  EXPECT_EQ(PermutationP(a, a), 1);
  EXPECT_EQ(SignFlipP(a, a), 1);
}

TEST(Seeds, OneRunAgainstReferencesUsesTheirSpread) {
  const Values refs = {60.1, 60.4, 59.8, 60.2, 60.0};
  const MeanTest test = WelchTest(refs, Values{59.0});
  EXPECT_EQ(test.freedom, 4);
  const auto where = PredictionInterval(refs);
  ASSERT_TRUE(where);
  // Outside the prediction interval is the same as p below 5 %.
  EXPECT_LT(test.p, 0.05);
  EXPECT_LT(59.0, where->lo);
  EXPECT_NEAR(WelchTest(refs, Values{where->lo}).p, 0.05, 1e-9);
  EXPECT_THROW(WelchTest(Values{1}, Values{2}), ConfigError);
}

TEST(Permutation, CountsEveryWay) {
  // Of 20 dealings only the one seen and its mirror image are as far apart.
  EXPECT_DOUBLE_EQ(PermutationP(Values{1, 2, 3}, Values{4, 5, 6}), 0.1);
  EXPECT_DOUBLE_EQ(SmallestPermutationP(3, 3), 0.1);
  EXPECT_NEAR(SmallestPermutationP(5, 5), 2.0 / 252, 1e-15);
  EXPECT_NEAR(SmallestPermutationP(1, 9), 0.1, 1e-15);
  // Four pairs: 16 ways of signs.
  EXPECT_DOUBLE_EQ(SignFlipP(Values{1, 2, 3, 4}, Values{2, 4, 5, 7}), 2.0 / 16);
}

TEST(Permutation, SamplingComesNearToCounting) {
  const Values a = {1, 2.5, 3, 4.5, 2, 3.5, 2.2};
  const Values b = {3, 4, 5.5, 2.1, 4.6, 3.8, 5};
  const double exact = PermutationP(a, b);
  EXPECT_NEAR(PermutationP(a, b, 1, 1000), exact, 0.03);
  EXPECT_EQ(PermutationP(a, b, 1, 1000), PermutationP(a, b, 1, 1000));
  EXPECT_NEAR(SignFlipP(a, b, 1, 100), SignFlipP(a, b), 0.12);
}

// The table "how many seeds" of the noise study, to its printed digits.
TEST(Power, TheSeedsTableIsReproduced) {
  const struct {
    std::int64_t n;
    double mde;
  } rows[] = {{3, 3.07}, {5, 2.03}, {8, 1.51}, {10, 1.33}};
  for (const auto& row : rows) {
    EXPECT_NEAR(MinimumDetectableSeeds(row.n), row.mde, 0.015) << row.n;
    EXPECT_EQ(SeedsNeeded(1, row.mde + 0.02), row.n);
  }
  EXPECT_FALSE(SeedsNeeded(1, 0.0001));
  EXPECT_EQ(SeedsNeeded(0, 1), 2);
}

TEST(Power, TheNormalCaseIsTheTextbookSum) {
  EXPECT_NEAR(MinimumDetectable(1, 0), 1.959963985 + 0.841621234, 1e-8);
  EXPECT_EQ(MinimumDetectable(0, 0), 0);
}

TEST(Equivalence, NeedsBothSides) {
  EXPECT_LT(TostP(0, 0.1, 0, 0.3), 0.05);
  EXPECT_GT(TostP(0.25, 0.1, 0, 0.3), 0.05);
  EXPECT_GT(TostP(-0.25, 0.1, 0, 0.3), 0.05);
  EXPECT_EQ(TostP(0, 0, 0, 0.3), 0);
  EXPECT_EQ(TostP(0.5, 0, 0, 0.3), 1);
}

TEST(Prediction, IsWiderThanTheMeansInterval) {
  const Values values = {1, 2, 3, 4};
  const auto mean = MeanInterval(values);
  const auto next = PredictionInterval(values);
  ASSERT_TRUE(mean && next);
  // t(3) = 3.1824463, sd = 1.2909944
  EXPECT_NEAR(mean->hi - 2.5, 3.1824463 * 1.2909944 / 2, 1e-6);
  EXPECT_NEAR(next->hi - 2.5, 3.1824463 * 1.2909944 * std::sqrt(1.25), 1e-6);
  EXPECT_FALSE(PredictionInterval(Values{1}));
}

std::vector<std::string> Letters(
    std::size_t n, std::initializer_list<std::pair<int, int>> differ) {
  std::vector<std::vector<bool>> matrix(n, std::vector<bool>(n));
  for (const auto& [i, j] : differ) {
    matrix[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)] = true;
    matrix[static_cast<std::size_t>(j)][static_cast<std::size_t>(i)] = true;
  }
  return CompactLetters(matrix);
}

using Words = std::vector<std::string>;

TEST(Letters, RowsThatShareOneAreNotDistinguishable) {
  EXPECT_EQ(Letters(3, {}), (Words{"a", "a", "a"}));
  EXPECT_EQ(Letters(3, {{0, 1}, {0, 2}, {1, 2}}), (Words{"a", "b", "c"}));
  EXPECT_EQ(Letters(3, {{0, 2}}), (Words{"a", "ab", "b"}));
  EXPECT_EQ(Letters(1, {}), (Words{"a"}));
}

TEST(Letters, SayExactlyWhichPairsDiffer) {
  // All 64 ways in which four rows may differ.
  for (unsigned bits = 0; bits < 64; ++bits) {
    std::vector<std::vector<bool>> differs(4, std::vector<bool>(4));
    unsigned bit = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      for (std::size_t j = i + 1; j < 4; ++j, ++bit) {
        differs[i][j] = differs[j][i] = (bits >> bit & 1U) != 0;
      }
    }
    const Words letters = CompactLetters(differs);
    for (std::size_t i = 0; i < 4; ++i) {
      EXPECT_FALSE(letters[i].empty());
      for (std::size_t j = i + 1; j < 4; ++j) {
        const bool share =
            letters[i].find_first_of(letters[j]) != std::string::npos;
        EXPECT_NE(share, differs[i][j]) << bits << " " << i << " " << j;
      }
    }
  }
}

}  // namespace
}  // namespace tailmark::testing
