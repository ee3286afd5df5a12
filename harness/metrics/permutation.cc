// Permutation tests of significance.h: exact where all ways can be counted.

#include <algorithm>
#include <cmath>
#include <numeric>

#include "harness/base/error.h"
#include "harness/base/seeds.h"
#include "harness/metrics/significance.h"

namespace tailmark {
namespace {

// Sums of the same values in another order differ in their last bits; what
// should be equal counts as equal.
constexpr double kTieSlack = 1e-12;

double Sum(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

// n choose k, or `limit` + 1 when it is more.
std::int64_t Ways(std::int64_t n, std::int64_t k, std::int64_t limit) {
  double ways = 1;
  for (std::int64_t i = 1; i <= k; ++i) {
    ways *= static_cast<double>(n - k + i) / static_cast<double>(i);
  }
  return ways > static_cast<double>(limit) + 0.5
             ? limit + 1
             : static_cast<std::int64_t>(std::llround(ways));
}

// Calls `visit` with the sum of every choice of k of the values.
template <class Visit>
void ForEachChoice(std::span<const double> values, std::size_t k,
                   const Visit& visit) {
  std::vector<std::size_t> at(k);
  std::iota(at.begin(), at.end(), std::size_t{0});
  while (true) {
    double sum = 0;
    for (const std::size_t i : at) sum += values[i];
    visit(sum);
    std::size_t place = k;
    while (place > 0 && at[place - 1] == values.size() - k + place - 1) --place;
    if (place == 0) return;
    ++at[place - 1];
    for (std::size_t i = place; i < k; ++i) at[i] = at[i - 1] + 1;
  }
}

}  // namespace

double PermutationP(std::span<const double> a, std::span<const double> b,
                    std::uint64_t seed, std::int64_t most) {
  if (a.empty() || b.empty()) {
    throw ConfigError("a permutation test needs a value on each side");
  }
  std::vector<double> all(a.begin(), a.end());
  all.insert(all.end(), b.begin(), b.end());
  const double total = Sum(all);
  const auto n = static_cast<double>(a.size());
  const auto m = static_cast<double>(b.size());
  const auto distance = [&](double sum_a) {
    return std::abs((total - sum_a) / m - sum_a / n);
  };
  const double scale = std::max(
      1.0, std::abs(*std::max_element(
               all.begin(), all.end(),
               [](double x, double y) { return std::abs(x) < std::abs(y); })));
  const double seen = distance(Sum(a)) - kTieSlack * scale;
  std::int64_t ways = Ways(static_cast<std::int64_t>(all.size()),
                           static_cast<std::int64_t>(a.size()), most);
  std::int64_t as_far = 0;
  if (ways <= most) {
    ForEachChoice(all, a.size(),
                  [&](double sum) { as_far += distance(sum) >= seen ? 1 : 0; });
    return static_cast<double>(as_far) / static_cast<double>(ways);
  }
  ChanceStream chance(DeriveSeed(seed, "permutation"), 0, 0);
  as_far = 1;
  for (std::int64_t i = 0; i < most; ++i) {
    // The first |a| places of a shuffle.
    for (std::size_t k = 0; k < a.size(); ++k) {
      const std::size_t other =
          k + chance.Below(static_cast<std::uint32_t>(all.size() - k));
      std::swap(all[k], all[other]);
    }
    const double sum = Sum(std::span(all).first(a.size()));
    as_far += distance(sum) >= seen ? 1 : 0;
  }
  return static_cast<double>(as_far) / static_cast<double>(most + 1);
}

double SignFlipP(std::span<const double> a, std::span<const double> b,
                 std::uint64_t seed, std::int64_t most) {
  if (a.size() != b.size() || a.empty()) {
    throw ConfigError(StrCat("a paired test needs pairs; there are ", a.size(),
                             " and ", b.size(), " values"));
  }
  std::vector<double> d(a.size());
  double size = 0;
  for (std::size_t i = 0; i < d.size(); ++i) {
    d[i] = b[i] - a[i];
    size += std::abs(d[i]);
  }
  const double seen = std::abs(Sum(d)) - kTieSlack * std::max(1.0, size);
  const bool exact = d.size() < 62 && (std::int64_t{1} << d.size()) <= most;
  const std::int64_t ways = exact ? std::int64_t{1} << d.size() : most;
  ChanceStream chance(DeriveSeed(seed, "sign-flip"), 0, 0);
  std::int64_t as_far = exact ? 0 : 1;
  for (std::int64_t way = 0; way < ways; ++way) {
    double sum = 0;
    for (std::size_t i = 0; i < d.size(); ++i) {
      const bool flip = exact ? ((way >> i) & 1) != 0 : chance.Below(2) != 0;
      sum += flip ? -d[i] : d[i];
    }
    as_far += std::abs(sum) >= seen ? 1 : 0;
  }
  return static_cast<double>(as_far) /
         static_cast<double>(exact ? ways : ways + 1);
}

double SmallestPermutationP(std::int64_t n, std::int64_t m) {
  TM_CHECK(n >= 1 && m >= 1);
  double ways = 1;
  for (std::int64_t i = 1; i <= n; ++i) {
    ways *= static_cast<double>(m + i) / static_cast<double>(i);
  }
  // With equal sizes a dealing and its mirror image are as far; with unequal
  // ones only the most extreme dealing itself need be.
  return (n == m ? 2.0 : 1.0) / ways;
}

}  // namespace tailmark
