#include "harness/metrics/gate.h"

#include <gtest/gtest.h>

#include "harness/base/error.h"
#include "tests/metrics/cases.h"

namespace tailmark::testing {
namespace {

PairedGroup Group(double difference, double error, double p) {
  return {.name = "total",
          .a = 60.0,
          .b = 60.0 + difference,
          .difference = difference,
          .interval = {difference - 1.96 * error, difference + 1.96 * error},
          .standard_error = error,
          .p = p,
          .p_adjusted = p};
}

Outcome Of(const PairedGroup& group, const GateOptions& options = {}) {
  return JudgeImages({.groups = {group}, .classes = {}}, options)[0].outcome;
}

TEST(Gate, ARegressionIsSignificantAndBeyondTheMargin) {
  EXPECT_EQ(Of(Group(-1, 0.1, 0.001)), Outcome::kRegression);
  // Significant, but the interval ends above the margin.
  EXPECT_EQ(Of(Group(-0.1, 0.02, 0.001)), Outcome::kPass);
  // Beyond the margin, but not significant: and the test could not see it.
  EXPECT_EQ(Of(Group(-1, 0.8, 0.2)), Outcome::kInconclusive);
  EXPECT_EQ(Of(Group(0, 0.05, 0.9)), Outcome::kPass);
}

TEST(Gate, AnImprovementThatNothingExplainsIsTooGood) {
  EXPECT_EQ(Of(Group(1, 0.1, 0.001)), Outcome::kTooGood);
  EXPECT_EQ(Of(Group(1, 0.1, 0.001), {.explained = true}),
            Outcome::kImprovement);
}

TEST(Gate, MarginsMayBeGiven) {
  EXPECT_EQ(Of(Group(-1, 0.1, 0.001), {.margins = {{"total", 2}}}),
            Outcome::kPass);
}

TEST(Gate, AnUndefinedGroupIsAnError) {
  EXPECT_EQ(Of({.name = "tail"}), Outcome::kError);
  EXPECT_EQ(JudgeBitwise({{.name = "tail", .percent = {}}}, {})[0].outcome,
            Outcome::kError);
}

TEST(Gate, AnInconclusiveCellSaysWhatWouldDo) {
  const auto cell =
      JudgeImages({.groups = {Group(-1, 0.8, 0.2)}, .classes = {}}, {})[0];
  EXPECT_EQ(cell.reason,
            "sees 2.24 points at best, the margin is 0.30: 56 times the "
            "images would do");
}

TEST(Gate, EqualBitsPass) {
  const auto cell = JudgeBitwise({{.name = "total", .percent = 61.5}}, {})[0];
  EXPECT_EQ(cell.outcome, Outcome::kPass);
  EXPECT_EQ(cell.tier, Tier::kBitwise);
  EXPECT_EQ(cell.difference, 0.0);
  EXPECT_EQ(cell.p, 1.0);
}

TEST(Gate, AnotherMachineMayMoveScoresByItsNoise) {
  const auto of = [](double now, double noise) {
    return JudgeNumeric({{.name = "total", .percent = 60.0}},
                        {{.name = "total", .percent = now}}, ScoreDrift{},
                        {.noise_sd = noise})[0]
        .outcome;
  };
  EXPECT_EQ(of(59.99, 0), Outcome::kPass);
  EXPECT_EQ(of(59.97, 0), Outcome::kRegression);
  EXPECT_EQ(of(60.03, 0), Outcome::kTooGood);
  EXPECT_EQ(of(59.97, 0.01), Outcome::kPass);
}

GateCell OverSeeds(const std::vector<double>& then,
                   const std::vector<double>& now) {
  const SeedGroup group{.name = "total", .reference = then, .candidate = now};
  return JudgeSeeds(std::span(&group, 1), {})[0];
}

TEST(Gate, SeedsDecideWhereTrainingIsStochastic) {
  const std::vector<double> then = {60.1, 60.3, 59.9, 60.0, 60.2};
  EXPECT_EQ(OverSeeds(then, {58.1, 58.3, 58.0, 58.2, 58.1}).outcome,
            Outcome::kRegression);
  EXPECT_EQ(OverSeeds(then, {58.1, 58.3, 58.0, 58.2, 58.1}).test,
            "Welch t and permutation over seeds");
  EXPECT_EQ(OverSeeds(then, {60.1, 60.2}).outcome, Outcome::kInconclusive);
  EXPECT_EQ(OverSeeds(then, {62.1, 62.3, 62.0, 62.2, 62.1}).outcome,
            Outcome::kTooGood);
  // One new run far below what the seeds explain.
  EXPECT_EQ(OverSeeds(then, {58.0}).outcome, Outcome::kRegression);
}

TEST(Gate, RegressionMissingAndErrorFailUnlessToldOtherwise) {
  const auto fails = [](Outcome outcome, bool strict = false,
                        std::vector<Outcome> on = {}) {
    return Fails(std::span(&outcome, 1), strict, on);
  };
  for (const Outcome each :
       {Outcome::kRegression, Outcome::kMissing, Outcome::kError}) {
    EXPECT_TRUE(fails(each));
  }
  for (const Outcome each :
       {Outcome::kPass, Outcome::kImprovement, Outcome::kTooGood,
        Outcome::kInconclusive, Outcome::kNew, Outcome::kNotComparable}) {
    EXPECT_FALSE(fails(each));
  }
  EXPECT_TRUE(fails(Outcome::kTooGood, true));
  EXPECT_FALSE(fails(Outcome::kRegression, false, {Outcome::kInconclusive}));
  EXPECT_TRUE(fails(Outcome::kInconclusive, false, {Outcome::kInconclusive}));
  EXPECT_EQ(OutcomeFromName("too_good"), Outcome::kTooGood);
  EXPECT_THROW(OutcomeFromName("too-good"), ConfigError);
}

}  // namespace
}  // namespace tailmark::testing
