#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "harness/metrics/interval.h"

namespace tailmark {

// ---- Many tests at once ----------------------------------------------------

/// Adjusted p values in the order given; each at least its p, at most 1.
/// Holm (1979): no false alarm in the family with the level's probability.
std::vector<double> HolmAdjusted(std::span<const double> p);
/// Benjamini & Hochberg (1995): expected share of false alarms among alarms.
std::vector<double> BenjaminiHochbergAdjusted(std::span<const double> p);

// ---- Means over seeds ------------------------------------------------------

/// A test of "the two means are equal" and what it could have seen.
struct MeanTest {
  double difference = 0;  ///< mean(b) - mean(a).
  double standard_error = 0;
  double freedom = 0;  ///< Degrees of freedom; 0: one value, or no
                       ///< spread.
  double p = 1;        ///< Two-sided.
  Interval interval;   ///< Of the difference.
};

/// Welch's t test of independent groups. With n = 1 on one side the other's
/// spread stands for both (one new run against references). Throws ConfigError
/// when neither side has two values. Without any spread p is 1 when the means
/// are equal, else 0.
MeanTest WelchTest(std::span<const double> a, std::span<const double> b,
                   double confidence = 0.95);

/// Student's t test of the mean difference b[i] - a[i]: episodes, or seeds that
/// are paired. Throws ConfigError for fewer than two pairs or unequal lengths.
MeanTest PairedTest(std::span<const double> a, std::span<const double> b,
                    double confidence = 0.95);

/// Two-sided p of a permutation test of the difference of means: the share of
/// all ways to deal the values into groups of these sizes whose difference is
/// at least as large. Exact up to `most` ways; above that `most` random ones
/// from `seed`, the dealing at hand counted too.
double PermutationP(std::span<const double> a, std::span<const double> b,
                    std::uint64_t seed = 0, std::int64_t most = 200'000);
/// The same for pairs, by the signs of their differences: 2^n ways.
double SignFlipP(std::span<const double> a, std::span<const double> b,
                 std::uint64_t seed = 0, std::int64_t most = 200'000);
/// The smallest p that PermutationP can give: 2 / (n + m choose n), or 1 of
/// these ways where mirror images are the same. REQUIRES: n, m >= 1.
double SmallestPermutationP(std::int64_t n, std::int64_t m);

// ---- Equivalence, power, prediction ----------------------------------------

/// Two one-sided tests (Schuirmann 1987) that |difference| < margin: the larger
/// of their two p values. freedom 0: normal.
double TostP(double difference, double standard_error, double freedom,
             double margin);

/// The smallest true difference that a two-sided test at `alpha` finds with
/// probability `power`. freedom 0: normal, as for image resamples.
double MinimumDetectable(double standard_error, double freedom,
                         double alpha = 0.05, double power = 0.8);
/// The same in units of the seed spread, two groups of n: spec table "how many
/// seeds". Exact for the pooled t test. REQUIRES: n >= 2.
double MinimumDetectableSeeds(std::int64_t n, double alpha = 0.05,
                              double power = 0.8);
/// How many seeds a side are needed to see `difference` at seed spread `sd`;
/// nothing when it takes more than 1000.
std::optional<std::int64_t> SeedsNeeded(double sd, double difference,
                                        double alpha = 0.05,
                                        double power = 0.8);

/// Where one more value of the same kind will lie: mean +- t sd sqrt(1 + 1/n).
/// Nothing below two values.
std::optional<Interval> PredictionInterval(std::span<const double> values,
                                           double confidence = 0.95);
/// The mean with its t interval; nothing below two values.
std::optional<Interval> MeanInterval(std::span<const double> values,
                                     double confidence = 0.95);

}  // namespace tailmark
