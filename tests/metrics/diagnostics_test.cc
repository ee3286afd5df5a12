#include "harness/metrics/diagnostics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/metrics/cases.h"

namespace tailmark::testing {
namespace {

ScoreDiagnostics DiagnosticsOf(const Case& problem) {
  return EvaluateCase(problem, Definitions({"ap.step"})).diagnostics;
}

TEST(Diagnostics, TiesAreCountedWithinAClassOnly) {
  const Case problem{.rows = 4,
                     .classes = 2,
                     .scores = {1, 5, 1, 6, 1, 7, 2, 1},
                     .positive = {1, 0, 0, 0, 0, 1, 0, 0}};
  const auto got = DiagnosticsOf(problem);
  EXPECT_EQ(got.classes[0].distinct, 2);
  EXPECT_EQ(got.classes[0].tied, 3);
  EXPECT_EQ(got.classes[1].distinct, 4);
  EXPECT_EQ(got.classes[1].tied, 0);
  EXPECT_DOUBLE_EQ(got.tied_fraction, 3.0 / 8);
  EXPECT_EQ(got.smallest, 1);
  EXPECT_EQ(got.largest, 7);
  // The four 1s are the smallest value; 7 is there once.
  EXPECT_DOUBLE_EQ(got.saturated_fraction, 4.0 / 8);
}

TEST(Diagnostics, TheSpanIsThatOfRankAp) {
  // Two tied images, one positive: 1/2 to 1.
  const auto got = DiagnosticsOf(OneClass({3, 3, 1}, {1, 0, 0}));
  EXPECT_DOUBLE_EQ(*got.classes[0].worst, 0.5);
  EXPECT_DOUBLE_EQ(*got.classes[0].expected, 0.75);
  EXPECT_DOUBLE_EQ(*got.classes[0].best, 1);
  EXPECT_DOUBLE_EQ(*got.worst_percent, 50);
  EXPECT_DOUBLE_EQ(*got.expected_percent, 75);
  EXPECT_DOUBLE_EQ(*got.best_percent, 100);
}

TEST(Diagnostics, TheFirstDefinitionSaysWhichLabelsTheSpanIsOf) {
  const Case problem = OneClass({3, 3, 1}, {1, 0, 1}, {1, 1, 0});
  const auto positive = EvaluateCase(
      problem, Definitions({"ap.step/difficult=positive", "ap.step"}));
  EXPECT_EQ(positive.diagnostics.policy.difficult, Difficult::kPositive);
  EXPECT_DOUBLE_EQ(*positive.diagnostics.classes[0].best, (1 + 2.0 / 3) / 2);
  const auto ignore = EvaluateCase(
      problem, Definitions({"ap.step", "ap.step/difficult=positive"}));
  EXPECT_DOUBLE_EQ(*ignore.diagnostics.classes[0].best, 1);
}

TEST(Diagnostics, LogitsAreNotSaturatedTheirFloatSigmoidIs) {
  // The size of CLIP's logits: 1 / (1 + exp(-20)) is 1 in float.
  std::vector<double> logits;
  std::vector<double> sigmoid;
  std::vector<std::uint8_t> positive;
  for (int i = 0; i < 100; ++i) {
    logits.push_back(24 - i * 0.05);
    sigmoid.push_back(static_cast<float>(1 / (1 + std::exp(-logits.back()))));
    positive.push_back(i < 10 ? 1 : 0);
  }
  const auto raw = DiagnosticsOf(OneClass(logits, positive));
  EXPECT_EQ(raw.saturated_fraction, 0);
  EXPECT_EQ(raw.tied_fraction, 0);
  EXPECT_EQ(TieWarning(raw), "");
  const auto squashed = DiagnosticsOf(OneClass(sigmoid, positive));
  EXPECT_GT(squashed.saturated_fraction, 0.9);
  const auto warning = TieWarning(squashed);
  EXPECT_NE(warning.find("points of mAP"), std::string::npos) << warning;
}

TEST(Diagnostics, AConstantMatrixIsAllSaturatedAndNoCellCountsTwice) {
  const auto got = DiagnosticsOf(OneClass({0, -0.0, 0}, {1, 0, 0}));
  EXPECT_EQ(got.saturated_fraction, 1);
  EXPECT_EQ(got.tied_fraction, 1);
}

TEST(Diagnostics, TheRangeIsThatOfTheWholeMatrix) {
  ChanceStream chance(41, 0, 0);
  for (int round = 0; round < 100; ++round) {
    const Case problem =
        RandomCase(chance, chance.Range(1, 30), 20, 1U << (round % 12), false);
    const auto& all = problem.scores;
    const auto [low, high] = std::minmax_element(all.begin(), all.end());
    const auto at_low = std::count(all.begin(), all.end(), *low);
    const auto at_high = std::count(all.begin(), all.end(), *high);
    auto saturated = at_high > 1 ? at_high : 0;
    if (*low != *high && at_low > 1) saturated += at_low;
    const auto got = DiagnosticsOf(problem);
    EXPECT_EQ(got.smallest, *low);
    EXPECT_EQ(got.largest, *high);
    EXPECT_DOUBLE_EQ(
        got.saturated_fraction,
        static_cast<double>(saturated) / static_cast<double>(all.size()));
  }
}

TEST(Diagnostics, EveryInfinityIsCountedOnce) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  const Case problem{.rows = 2,
                     .classes = 4,
                     .scores = {kInf, -kInf, -kInf, 0, kInf, -kInf, kInf, 1},
                     .positive = std::vector<std::uint8_t>(8, 1)};
  const auto got = DiagnosticsOf(problem);
  EXPECT_EQ(got.infinite, 6);
  EXPECT_EQ(got.largest, kInf);
  EXPECT_EQ(got.smallest, -kInf);
  EXPECT_DOUBLE_EQ(got.saturated_fraction, 6.0 / 8);
}

TEST(Diagnostics, TheWarningComparesTheSpanWithAQuarterOfTheInterval) {
  ScoreDiagnostics diagnostics;
  diagnostics.worst_percent = 84.0;
  diagnostics.best_percent = 84.5;
  EXPECT_EQ(TieWarning(diagnostics, 2.1), "");
  EXPECT_NE(TieWarning(diagnostics, 1.9), "");
  EXPECT_NE(TieWarning(diagnostics), "");
  diagnostics.best_percent = 84.0 + kSpanWorthAWarning;
  EXPECT_EQ(TieWarning(diagnostics), "");
  diagnostics.best_percent.reset();
  EXPECT_EQ(TieWarning(diagnostics, 0.0), "");
}

}  // namespace
}  // namespace tailmark::testing
