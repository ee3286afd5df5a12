#include "harness/metrics/significance.h"

#include <algorithm>
#include <boost/math/distributions/non_central_t.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>

#include "harness/base/error.h"

namespace tailmark {
namespace {

using boost::math::complement;
using Normal = boost::math::normal_distribution<double>;
using StudentT = boost::math::students_t_distribution<double>;

double Mean(std::span<const double> values) {
  double sum = 0;
  for (const double each : values) sum += each;
  return sum / static_cast<double>(values.size());
}

double Variance(std::span<const double> values) {
  const double sd = StandardError(values);
  return sd * sd;
}

// P(T > t); freedom 0: of the normal distribution.
double UpperTail(double t, double freedom) {
  if (freedom <= 0) return cdf(complement(Normal(), t));
  return cdf(complement(StudentT(freedom), t));
}

double UpperQuantile(double tail, double freedom) {
  if (freedom <= 0) return quantile(complement(Normal(), tail));
  return quantile(complement(StudentT(freedom), tail));
}

MeanTest Finish(double difference, double error, double freedom,
                double confidence) {
  MeanTest test{.difference = difference, .standard_error = error};
  if (error == 0) {
    test.p = difference == 0 ? 1 : 0;
    test.interval = {difference, difference};
    return test;
  }
  test.freedom = freedom;
  test.p = std::min(1.0, 2 * UpperTail(std::abs(difference) / error, freedom));
  const double half = error * UpperQuantile((1 - confidence) / 2, freedom);
  test.interval = {difference - half, difference + half};
  return test;
}

// Power of the two-sided pooled t test of two groups of n at a true difference
// in units of the spread.
double PowerOf(double difference, std::int64_t n, double alpha) {
  const double freedom = 2.0 * static_cast<double>(n) - 2;
  const double shift = difference * std::sqrt(static_cast<double>(n) / 2);
  const double limit = UpperQuantile(alpha / 2, freedom);
  const boost::math::non_central_t_distribution<double> t(freedom, shift);
  return cdf(complement(t, limit)) + cdf(t, -limit);
}

}  // namespace

std::vector<double> HolmAdjusted(std::span<const double> p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  std::vector<double> out(p.size());
  double largest = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const double raised = static_cast<double>(p.size() - i) * p[order[i]];
    largest = std::max(largest, std::min(1.0, raised));
    out[order[i]] = largest;
  }
  return out;
}

std::vector<double> BenjaminiHochbergAdjusted(std::span<const double> p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  std::vector<double> out(p.size());
  double smallest = 1;
  for (std::size_t i = order.size(); i-- > 0;) {
    const double raised = static_cast<double>(p.size()) /
                          static_cast<double>(i + 1) * p[order[i]];
    smallest = std::min(smallest, raised);
    out[order[i]] = smallest;
  }
  return out;
}

MeanTest WelchTest(std::span<const double> a, std::span<const double> b,
                   double confidence) {
  if (a.empty() || b.empty() || a.size() + b.size() < 3) {
    throw ConfigError(
        StrCat("a test over seeds needs two values on one side and one on the "
               "other; there are ",
               a.size(), " and ", b.size()));
  }
  const auto n = static_cast<double>(a.size());
  const auto m = static_cast<double>(b.size());
  const double difference = Mean(b) - Mean(a);
  if (a.size() == 1 || b.size() == 1) {
    const auto many = a.size() > 1 ? a : b;
    const double sd = std::sqrt(Variance(many));
    return Finish(difference, sd * std::sqrt(1 / n + 1 / m),
                  static_cast<double>(many.size()) - 1, confidence);
  }
  const double va = Variance(a) / n;
  const double vb = Variance(b) / m;
  const double squares = va * va / (n - 1) + vb * vb / (m - 1);
  const double freedom = squares > 0 ? (va + vb) * (va + vb) / squares : 0;
  return Finish(difference, std::sqrt(va + vb), freedom, confidence);
}

MeanTest PairedTest(std::span<const double> a, std::span<const double> b,
                    double confidence) {
  if (a.size() != b.size() || a.size() < 2) {
    throw ConfigError(
        StrCat("a paired test needs two pairs or more; there are ", a.size(),
               " and ", b.size(), " values"));
  }
  std::vector<double> d(a.size());
  for (std::size_t i = 0; i < d.size(); ++i) d[i] = b[i] - a[i];
  const auto n = static_cast<double>(d.size());
  return Finish(Mean(d), std::sqrt(Variance(d) / n), n - 1, confidence);
}

double TostP(double difference, double standard_error, double freedom,
             double margin) {
  if (standard_error == 0) return std::abs(difference) < margin ? 0 : 1;
  const double below =
      UpperTail((difference + margin) / standard_error, freedom);
  const double above =
      UpperTail((margin - difference) / standard_error, freedom);
  return std::max(below, above);
}

double MinimumDetectable(double standard_error, double freedom, double alpha,
                         double power) {
  return standard_error * (UpperQuantile(alpha / 2, freedom) +
                           UpperQuantile(1 - power, freedom));
}

double MinimumDetectableSeeds(std::int64_t n, double alpha, double power) {
  TM_CHECK(n >= 2, "a spread needs two seeds");
  double lo = 0;
  double hi = 1;
  while (PowerOf(hi, n, alpha) < power) hi *= 2;
  for (int i = 0; i < 60; ++i) {
    const double middle = (lo + hi) / 2;
    (PowerOf(middle, n, alpha) < power ? lo : hi) = middle;
  }
  return (lo + hi) / 2;
}

std::optional<std::int64_t> SeedsNeeded(double sd, double difference,
                                        double alpha, double power) {
  constexpr std::int64_t kMost = 1000;
  if (sd <= 0) return 2;
  if (difference <= 0) return std::nullopt;
  const double wanted = difference / sd;
  if (PowerOf(wanted, kMost, alpha) < power) return std::nullopt;
  std::int64_t lo = 1;
  std::int64_t hi = kMost;
  while (hi - lo > 1) {
    const std::int64_t middle = (lo + hi) / 2;
    (PowerOf(wanted, middle, alpha) < power ? lo : hi) = middle;
  }
  return std::max<std::int64_t>(hi, 2);
}

std::optional<Interval> PredictionInterval(std::span<const double> values,
                                           double confidence) {
  if (values.size() < 2) return std::nullopt;
  const auto n = static_cast<double>(values.size());
  const double half = UpperQuantile((1 - confidence) / 2, n - 1) *
                      std::sqrt(Variance(values) * (1 + 1 / n));
  const double mean = Mean(values);
  return Interval{mean - half, mean + half};
}

std::optional<Interval> MeanInterval(std::span<const double> values,
                                     double confidence) {
  if (values.size() < 2) return std::nullopt;
  const auto n = static_cast<double>(values.size());
  const double half = UpperQuantile((1 - confidence) / 2, n - 1) *
                      std::sqrt(Variance(values) / n);
  const double mean = Mean(values);
  return Interval{mean - half, mean + half};
}

}  // namespace tailmark
