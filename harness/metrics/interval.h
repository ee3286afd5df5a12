#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tailmark {

/// A confidence interval, ends included.
struct Interval {
  double lo = 0;
  double hi = 0;
};

/// How resamples become an interval. Means over resamples are biased upwards
/// for average precision, so that levels take basic or BCa, which correct for
/// it; in a paired difference the bias cancels, and percentile is right.
enum class IntervalKind { kBasic, kPercentile, kBca };
std::string_view NameOf(IntervalKind kind);  ///< "basic", "percentile", "bca".
/// Throws ConfigError with the nearest name.
IntervalKind IntervalKindFromName(std::string_view name);

/// The `q` quantile of the sorted values, interpolated (Hyndman & Fan type 7).
/// REQUIRES: not empty, 0 <= q <= 1.
double Quantile(std::span<const double> sorted, double q);

/// Values that are not NaN, sorted.
std::vector<double> Sorted(std::span<const double> values);

/// Quantiles of the resamples. `values` may hold NaN, which are left out.
/// REQUIRES: at least one value is a number; 0 < confidence < 1.
Interval PercentileInterval(std::span<const double> values, double confidence);
/// The same mirrored at the plain estimate (Davison & Hinkley 1997, 5.2).
Interval BasicInterval(std::span<const double> values, double estimate,
                       double confidence);
/// Bias-corrected and accelerated (Efron 1987). `left_out`: the estimate with
/// each image left out in turn.
Interval BcaInterval(std::span<const double> values, double estimate,
                     std::span<const double> left_out, double confidence);

/// Two-sided p of "the difference is 0" from paired resamples:
/// 2 min(#{d <= 0} + 1, #{d >= 0} + 1) / (B + 1), at most 1. Differences that
/// are all 0 give 1.
double BootstrapP(std::span<const double> differences);

/// Sample standard deviation of the numbers among `values` (two passes, n - 1);
/// 0 below two.
double StandardError(std::span<const double> values);

}  // namespace tailmark
