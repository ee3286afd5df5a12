#include "harness/metrics/bootstrap.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "harness/base/error.h"
#include "harness/metrics/interval.h"
#include "tests/metrics/cases.h"

namespace tailmark::testing {
namespace {

const std::vector<ClassGroup> kGroups = {{.name = "head", .classes = {0, 2}},
                                         {.name = "tail", .classes = {1}}};

Case Sample(std::uint64_t seed, bool masked = false) {
  ChanceStream chance(seed, 7, 1);
  return RandomCase(chance, 60, 3, 40, masked);
}

Replicates Bootstrap(const Case& problem, const char* id,
                     const BootstrapOptions& options = {.resamples = 50}) {
  return BootstrapImages(problem.view(), problem.labels(), kGroups,
                         ParseDefinition(id), options);
}

// The problem with each image written as often as resample `b` drew it.
Case Drawn(const Case& problem, std::uint64_t seed, std::int64_t b) {
  std::vector<std::uint16_t> counts(static_cast<std::size_t>(problem.rows));
  DrawImages(seed, b, counts);
  Case out{.rows = 0, .classes = problem.classes};
  const auto width = static_cast<std::size_t>(problem.classes);
  for (std::size_t row = 0; row < counts.size(); ++row) {
    for (int k = 0; k < counts[row]; ++k) {
      for (std::size_t i = row * width; i < (row + 1) * width; ++i) {
        out.scores.push_back(problem.scores[i]);
        out.positive.push_back(problem.positive[i]);
        if (!problem.known.empty()) out.known.push_back(problem.known[i]);
      }
      ++out.rows;
    }
  }
  return out;
}

TEST(Bootstrap, AResampleIsTheEvaluationOfTheImagesDrawn) {
  for (const char* id : {"ap.step", "ap.step/nopos=zero", "ap.rank", "ap.voc07",
                         "ap.voc10/ties=grouped", "ap.trapezoid"}) {
    const Case problem = Sample(3, true);
    const Replicates all = Bootstrap(problem, id);
    for (std::int64_t b = 0; b < 50; ++b) {
      const Case drawn = Drawn(problem, 0, b);
      const Definition definition = ParseDefinition(id);
      const Evaluation plain = Evaluate(drawn.view(), drawn.labels(), kGroups,
                                        std::span(&definition, 1));
      for (std::size_t g = 0; g < 3; ++g) {
        const auto& mean = plain.results[0].means[g];
        const double value = all.groups[g].values[static_cast<std::size_t>(b)];
        if (mean.percent) {
          EXPECT_NEAR(value, *mean.percent, 1e-9) << id << " " << b;
        } else {
          EXPECT_TRUE(std::isnan(value));
        }
      }
    }
  }
}

TEST(Bootstrap, DroppedImagesAreNotDrawn) {
  const Case problem = Sample(4);
  const Replicates all = Bootstrap(problem, "ap.step/empty=drop");
  const Definition definition = ParseDefinition("ap.step/empty=drop");
  const Evaluation plain = Evaluate(problem.view(), problem.labels(), kGroups,
                                    std::span(&definition, 1));
  EXPECT_EQ(all.images, plain.results[0].images);
  EXPECT_DOUBLE_EQ(*all.groups[0].percent, *plain.results[0].total().percent);
}

TEST(Bootstrap, ThreadsCannotChangeABit) {
  const Case problem = Sample(5);
  const Replicates one = Bootstrap(problem, "ap.step", {.resamples = 203});
  for (const int threads : {4, 16}) {
    const Replicates many =
        Bootstrap(problem, "ap.step", {.resamples = 203, .threads = threads});
    for (std::size_t g = 0; g < one.groups.size(); ++g) {
      EXPECT_EQ(one.groups[g].values, many.groups[g].values);
    }
  }
}

TEST(Bootstrap, TheDrawsAreFixedForAllTime) {
  std::vector<std::uint16_t> counts(10);
  DrawImages(0, 0, counts);
  EXPECT_EQ(counts, (std::vector<std::uint16_t>{2, 2, 1, 0, 3, 1, 1, 0, 0, 0}));
  DrawImages(7, 1999, counts);
  EXPECT_EQ(counts, (std::vector<std::uint16_t>{1, 0, 2, 0, 1, 0, 2, 0, 2, 2}));
  EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), 0), 10);
}

TEST(Bootstrap, AClassThatLosesItsPositivesIsLeftOutAndCounted) {
  Case problem = Sample(6);
  // Class 1 keeps a single positive, which a resample misses with probability
  // (59/60)^60.
  for (std::size_t row = 0; row < 60; ++row) {
    problem.positive[row * 3 + 1] = row == 10;
  }
  const Replicates all = Bootstrap(problem, "ap.step", {.resamples = 1000});
  std::int64_t missing = 0;
  for (const double value : all.classes[1]) missing += std::isnan(value);
  EXPECT_NEAR(static_cast<double>(missing), 1000 * std::pow(59.0 / 60, 60), 50);
  EXPECT_EQ(all.groups[2].left_out, missing);
  EXPECT_EQ(all.groups[1].left_out, 0);
  EXPECT_EQ(all.groups[0].left_out, missing);
  for (const double value : all.groups[0].values) {
    EXPECT_FALSE(std::isnan(value));
  }
}

TEST(Bootstrap, LeavingOneImageOutIsTheEvaluationWithoutIt) {
  for (const char* id : {"ap.step", "ap.step/nopos=zero"}) {
    const Case problem = Sample(8, true);
    const Definition definition = ParseDefinition(id);
    const auto left =
        LeaveOneOut(problem.view(), problem.labels(), kGroups, definition);
    ASSERT_EQ(left.size(), 3U);
    for (std::size_t row = 0; row < 60; ++row) {
      Case without{.rows = 59, .classes = 3};
      for (std::size_t i = 0; i < 180; ++i) {
        if (i / 3 == row) continue;
        without.scores.push_back(problem.scores[i]);
        without.positive.push_back(problem.positive[i]);
        without.known.push_back(problem.known[i]);
      }
      const Evaluation plain = Evaluate(without.view(), without.labels(),
                                        kGroups, std::span(&definition, 1));
      for (std::size_t g = 0; g < 3; ++g) {
        const auto& percent = plain.results[0].means[g].percent;
        if (percent) {
          EXPECT_NEAR(left[g][row], *percent, 1e-9) << row;
        }
      }
    }
  }
}

TEST(Bootstrap, WrongOptionsAreNamed) {
  const Case problem = Sample(9);
  try {
    Bootstrap(problem, "ap.step", {.resamples = 1});
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_STREQ(error.what(), "resamples: 1 is outside [2, 1000000]");
  }
  EXPECT_THROW(LeaveOneOut(problem.view(), problem.labels(), kGroups,
                           ParseDefinition("ap.rank")),
               ConfigError);
}

TEST(Interval, QuantilesInterpolate) {
  const std::vector<double> values = {1, 2, 3, 4};
  EXPECT_DOUBLE_EQ(Quantile(values, 0), 1);
  EXPECT_DOUBLE_EQ(Quantile(values, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(Quantile(values, 0.1), 1.3);
  EXPECT_DOUBLE_EQ(Quantile(values, 1), 4);
}

TEST(Interval, BasicMirrorsPercentileAtTheEstimate) {
  std::vector<double> values(1001);
  std::iota(values.begin(), values.end(), 0.0);
  const Interval raw = PercentileInterval(values, 0.9);
  EXPECT_DOUBLE_EQ(raw.lo, 50);
  EXPECT_DOUBLE_EQ(raw.hi, 950);
  const Interval basic = BasicInterval(values, 400, 0.9);
  EXPECT_DOUBLE_EQ(basic.lo, -150);
  EXPECT_DOUBLE_EQ(basic.hi, 750);
}

TEST(Interval, BcaWithoutBiasOrSkewIsPercentile) {
  std::vector<double> values(1001);
  std::iota(values.begin(), values.end(), 0.0);
  const std::vector<double> left = {-1, 0, 1};
  const Interval bca = BcaInterval(values, 500, left, 0.9);
  EXPECT_NEAR(bca.lo, 50, 1e-6);
  EXPECT_NEAR(bca.hi, 950, 1e-6);
}

TEST(Interval, EqualValuesHaveNoSpreadAtAll) {
  // Three of some of these do not add up to three times one.
  for (int k = 1; k < 200; ++k) {
    const std::vector<double> more(3, 45.3 + 0.001 * k);
    EXPECT_EQ(StandardError(more), 0) << more[0];
  }
  EXPECT_NEAR(StandardError(std::vector<double>{1, 2, 3}), 1, 1e-15);
}

TEST(Interval, TheNearestNameIsOffered) {
  try {
    IntervalKindFromName("percentil");
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("'percentile'"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace tailmark::testing
