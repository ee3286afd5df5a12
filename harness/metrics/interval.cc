#include "harness/metrics/interval.h"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <cmath>

#include "harness/base/error.h"
#include "harness/base/suggest.h"

namespace tailmark {
namespace {

constexpr std::string_view kNames[] = {"basic", "percentile", "bca"};

double Phi(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }
double PhiInverse(double p) {
  return boost::math::quantile(boost::math::normal_distribution<double>(), p);
}

}  // namespace

std::string_view NameOf(IntervalKind kind) {
  return kNames[static_cast<std::size_t>(kind)];
}

IntervalKind IntervalKindFromName(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kNames); ++i) {
    if (kNames[i] == name) return static_cast<IntervalKind>(i);
  }
  throw ConfigError(UnknownName(
      "interval", std::string(name),
      std::vector<std::string>(std::begin(kNames), std::end(kNames))));
}

double Quantile(std::span<const double> sorted, double q) {
  TM_CHECK(!sorted.empty() && q >= 0 && q <= 1);
  const double place = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  const double part = place - static_cast<double>(below);
  return sorted[below] + part * (sorted[above] - sorted[below]);
}

std::vector<double> Sorted(std::span<const double> values) {
  std::vector<double> sorted;
  for (const double value : values) {
    if (!std::isnan(value)) sorted.push_back(value);
  }
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

Interval PercentileInterval(std::span<const double> values, double confidence) {
  const auto sorted = Sorted(values);
  const double tail = (1 - confidence) / 2;
  return {Quantile(sorted, tail), Quantile(sorted, 1 - tail)};
}

Interval BasicInterval(std::span<const double> values, double estimate,
                       double confidence) {
  const Interval raw = PercentileInterval(values, confidence);
  return {2 * estimate - raw.hi, 2 * estimate - raw.lo};
}

Interval BcaInterval(std::span<const double> values, double estimate,
                     std::span<const double> left_out, double confidence) {
  const auto sorted = Sorted(values);
  const auto below = static_cast<double>(
      std::lower_bound(sorted.begin(), sorted.end(), estimate) -
      sorted.begin());
  const auto upto = static_cast<double>(
      std::upper_bound(sorted.begin(), sorted.end(), estimate) -
      sorted.begin());
  const auto b = static_cast<double>(sorted.size());
  // Resamples equal to the estimate count half; none on a side is half a one.
  const double share = std::clamp((below + upto) / 2 / b, 0.5 / b, 1 - 0.5 / b);
  const double z0 = PhiInverse(share);

  const auto jack = Sorted(left_out);
  double mean = 0;
  for (const double each : jack) mean += each;
  mean /= static_cast<double>(std::max<std::size_t>(jack.size(), 1));
  double squares = 0;
  double cubes = 0;
  for (const double each : jack) {
    const double d = mean - each;
    squares += d * d;
    cubes += d * d * d;
  }
  const double a = squares > 0 ? cubes / (6 * std::pow(squares, 1.5)) : 0.0;
  const auto level = [&](double p) {
    const double z = z0 + PhiInverse(p);
    return std::clamp(Phi(z0 + z / (1 - a * z)), 0.0, 1.0);
  };
  const double tail = (1 - confidence) / 2;
  return {Quantile(sorted, level(tail)), Quantile(sorted, level(1 - tail))};
}

double BootstrapP(std::span<const double> differences) {
  std::int64_t down = 0;
  std::int64_t up = 0;
  std::int64_t all = 0;
  for (const double d : differences) {
    if (std::isnan(d)) continue;
    ++all;
    down += d <= 0 ? 1 : 0;
    up += d >= 0 ? 1 : 0;
  }
  const double p = 2.0 * static_cast<double>(std::min(down, up) + 1) /
                   static_cast<double>(all + 1);
  return std::min(p, 1.0);
}

double StandardError(std::span<const double> values) {
  const auto sorted = Sorted(values);
  // The mean of equal values may be a bit beside them.
  if (sorted.size() < 2 || sorted.front() == sorted.back()) return 0;
  double mean = 0;
  for (const double each : sorted) mean += each;
  mean /= static_cast<double>(sorted.size());
  double squares = 0;
  for (const double each : sorted) squares += (each - mean) * (each - mean);
  return std::sqrt(squares / static_cast<double>(sorted.size() - 1));
}

}  // namespace tailmark
