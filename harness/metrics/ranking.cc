#include "harness/metrics/ranking.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>

#include "harness/base/error.h"

namespace tailmark {
namespace {

// Bits that, as unsigned numbers, grow as the score falls; -0.0 and 0.0 get the
// same ones.
template <class Bits, class Float>
Bits Key(Float score) {
  constexpr Bits kSign = Bits{1} << (sizeof(Bits) * 8 - 1);
  Bits bits = std::bit_cast<Bits>(score);
  bits = bits == kSign ? Bits{0} : bits;
  // Of negative numbers the bits already grow as they fall.
  return (bits & kSign) != 0 ? bits : static_cast<Bits>(~(bits | kSign));
}

template <class Bits, class Float>
void FetchKeys(std::span<const Float> values, std::int64_t rows,
               std::int64_t classes, std::int64_t first,
               std::vector<Bits>& keys) {
  const auto n = static_cast<std::size_t>(rows);
  const auto width =
      static_cast<std::size_t>(std::min(ColumnRanker::kBlock, classes - first));
  keys.resize(n * static_cast<std::size_t>(ColumnRanker::kBlock));
  const Float* from = values.data() + first;
  Bits* const to = keys.data();
  for (std::size_t row = 0; row < n; ++row, from += classes) {
    for (std::size_t c = 0; c < width; ++c) {
      to[c * n + row] = Key<Bits>(from[c]);
    }
  }
}

// Digits of the upper 32 bits of an item, lowest first.
constexpr int kDigitBits = 11;
constexpr std::size_t kDigits = 3;
constexpr std::size_t kBuckets = std::size_t{1} << kDigitBits;
constexpr std::size_t Digit(std::uint64_t item, std::size_t digit) {
  return (item >> (32 + digit * kDigitBits)) & (kBuckets - 1);
}
// Below this many items clearing the counters costs more than comparing.
constexpr std::size_t kWorthCounting = 512;

}  // namespace

ColumnRanker::ColumnRanker(const ScoreMatrix& scores) : scores_(scores) {
  const auto n = static_cast<std::size_t>(scores.rows);
  items_.resize(n);
  spare_.resize(n);
}

void ColumnRanker::Load(std::int64_t first) {
  TM_CHECK(first >= 0 && first < scores_.classes, "no such class");
  first_ = first;
  if (const auto* floats =
          std::get_if<std::span<const float>>(&scores_.values)) {
    FetchKeys(*floats, scores_.rows, scores_.classes, first, keys32_);
  } else {
    FetchKeys(std::get<std::span<const double>>(scores_.values), scores_.rows,
              scores_.classes, first, keys64_);
  }
}

// Items differ in their lower halves, so sorting by the whole and stable
// sorting by the upper half give the same.
void ColumnRanker::Sort() {
  const std::size_t n = items_.size();
  if (n < kWorthCounting) {
    std::sort(items_.begin(), items_.end());
    return;
  }
  std::array<std::array<std::uint32_t, kBuckets>, kDigits> counts{};
  for (const std::uint64_t item : items_) {
    for (std::size_t d = 0; d < kDigits; ++d) ++counts[d][Digit(item, d)];
  }
  for (std::size_t d = 0; d < kDigits; ++d) {
    auto& count = counts[d];
    if (count[Digit(items_[0], d)] == n) continue;
    std::uint32_t sum = 0;
    for (std::uint32_t& bucket : count) {
      const std::uint32_t here = bucket;
      bucket = sum;
      sum += here;
    }
    for (const std::uint64_t item : items_) {
      spare_[count[Digit(item, d)]++] = item;
    }
    items_.swap(spare_);
  }
}

void ColumnRanker::Rank(std::int64_t c, Ranking& out) {
  TM_CHECK(c >= first_ && c < std::min(first_ + kBlock, scores_.classes),
           "class is not loaded");
  const std::size_t n = items_.size();
  const std::size_t offset = static_cast<std::size_t>(c - first_) * n;
  out.rows.resize(n);
  out.starts.resize(n);
  const bool wide = !keys64_.empty();
  const std::uint64_t* const keys64 = wide ? keys64_.data() + offset : nullptr;
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint64_t high = wide ? keys64[i] >> 32 : keys32_[offset + i];
    items_[i] = high << 32 | i;
  }
  Sort();
  if (wide) {
    // What the upper half of a double cannot tell apart is rarely more than a
    // pair.
    const auto before = [&](std::uint64_t a, std::uint64_t b) {
      const auto row_a = static_cast<std::uint32_t>(a);
      const auto row_b = static_cast<std::uint32_t>(b);
      return keys64[row_a] != keys64[row_b] ? keys64[row_a] < keys64[row_b]
                                            : row_a < row_b;
    };
    for (std::size_t i = 0; i < n;) {
      std::size_t end = i + 1;
      while (end < n && items_[end] >> 32 == items_[i] >> 32) ++end;
      if (end > i + 1) {
        const auto at = items_.begin();
        std::sort(at + static_cast<std::ptrdiff_t>(i),
                  at + static_cast<std::ptrdiff_t>(end), before);
      }
      i = end;
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    out.rows[i] = static_cast<std::uint32_t>(items_[i]);
    out.starts[i] =
        i == 0 || (wide ? keys64[out.rows[i]] != keys64[out.rows[i - 1]]
                        : items_[i] >> 32 != items_[i - 1] >> 32);
  }
}

}  // namespace tailmark
