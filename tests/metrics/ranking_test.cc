#include "harness/metrics/ranking.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include "harness/base/seeds.h"

namespace tailmark {
namespace {

// Ranks every column and compares with a stable sort.
template <class Float>
void ExpectStableDescending(const std::vector<Float>& values, std::int64_t rows,
                            std::int64_t classes) {
  ColumnRanker ranker({.values = std::span<const Float>(values),
                       .rows = rows,
                       .classes = classes});
  Ranking got;
  for (std::int64_t c = 0; c < classes; ++c) {
    if (c % ColumnRanker::kBlock == 0) ranker.Load(c);
    ranker.Rank(c, got);
    const auto at = [&](std::uint32_t row) {
      return values[static_cast<std::size_t>(row * classes + c)];
    };
    std::vector<std::uint32_t> want(static_cast<std::size_t>(rows));
    std::iota(want.begin(), want.end(), 0U);
    std::stable_sort(want.begin(), want.end(),
                     [&](auto a, auto b) { return at(a) > at(b); });
    ASSERT_EQ(got.rows, want) << "class " << c;
    for (std::size_t i = 0; i < want.size(); ++i) {
      const bool start = i == 0 || at(want[i]) != at(want[i - 1]);
      ASSERT_EQ(got.starts[i] != 0, start) << "class " << c << " place " << i;
    }
  }
}

template <class Float>
std::vector<Float> Awkward(std::size_t count, std::uint32_t levels) {
  using Limits = std::numeric_limits<Float>;
  const Float special[] = {Limits::infinity(),
                           -Limits::infinity(),
                           Limits::max(),
                           Limits::lowest(),
                           Limits::min(),
                           -Limits::min(),
                           Limits::denorm_min(),
                           -Limits::denorm_min(),
                           Float{0},
                           -Float{0}};
  ChanceStream chance(7, levels, sizeof(Float));
  std::vector<Float> out;
  for (std::size_t i = 0; i < count; ++i) {
    if (chance.Chance(5)) {
      out.push_back(special[chance.Below(10)]);
    } else {
      const auto whole = static_cast<double>(chance.Below(levels));
      out.push_back(static_cast<Float>(
          std::ldexp(chance.Chance(50) ? whole : -whole, chance.Range(-3, 0))));
    }
  }
  return out;
}

// 17 classes: two blocks. 40 rows are compared, 700 are counted.
class AnyLength : public ::testing::TestWithParam<std::int64_t> {};

TEST_P(AnyLength, ColumnsAreSortedStablyFromTheTop) {
  const std::int64_t rows = GetParam();
  const auto count = static_cast<std::size_t>(rows * 17);
  for (const std::uint32_t levels : {2U, 50U, 0xFFFFFFFFU}) {
    ExpectStableDescending(Awkward<float>(count, levels), rows, 17);
    ExpectStableDescending(Awkward<double>(count, levels), rows, 17);
  }
}

TEST_P(AnyLength, DoublesThatDifferInTheLastBitsOnlyAreTwoScores) {
  const std::int64_t rows = GetParam();
  ChanceStream chance(3, 0, 0);
  std::vector<double> values;
  for (std::int64_t i = 0; i < rows; ++i) {
    double value = chance.Chance(50) ? 0.1 : -0.1;
    for (std::uint32_t steps = chance.Below(4); steps > 0; --steps) {
      value = std::nextafter(value, 1.0);
    }
    values.push_back(value);
  }
  ExpectStableDescending(values, rows, 1);
}

TEST_P(AnyLength, AConstantColumnKeepsTheOrderOfTheRows) {
  const std::int64_t rows = GetParam();
  const auto count = static_cast<std::size_t>(rows);
  ExpectStableDescending(std::vector<float>(count, -2.5F), rows, 1);
  ExpectStableDescending(std::vector<double>(count, 0.0), rows, 1);
}

INSTANTIATE_TEST_SUITE_P(, AnyLength, ::testing::Values(1, 2, 40, 700));

}  // namespace
}  // namespace tailmark
