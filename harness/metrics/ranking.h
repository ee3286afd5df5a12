#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "harness/metrics/matrix.h"

namespace tailmark {

/// The rows of one class from the highest score down; rows of equal score in
/// the order they came in.
struct Ranking {
  std::vector<std::uint32_t> rows;   ///< [N]
  std::vector<std::uint8_t> starts;  ///< [N] 1 where a new score begins.
};

/// Ranks the classes of a matrix, a block of columns at a time, so that each
/// cache line of it is read once. Keeps its memory between calls.
/// Not thread-safe; the matrix's values outlive it.
class ColumnRanker {
 public:
  static constexpr std::int64_t kBlock = 16;

  /// REQUIRES: no NaN, fewer than 2^31 rows, values.size() == rows * classes.
  explicit ColumnRanker(const ScoreMatrix& scores);

  /// Fetches classes [first, first + kBlock), as far as there are any.
  void Load(std::int64_t first);
  /// Ranks one of the fetched classes.
  void Rank(std::int64_t c, Ranking& out);

 private:
  void Sort();

  ScoreMatrix scores_;
  std::int64_t first_ = 0;
  // One of the two is used. [kBlock, N], growing as scores fall.
  std::vector<std::uint32_t> keys32_;
  std::vector<std::uint64_t> keys64_;
  std::vector<std::uint64_t> items_;  // [N] key << 32 | row
  std::vector<std::uint64_t> spare_;  // [N]
};

}  // namespace tailmark
