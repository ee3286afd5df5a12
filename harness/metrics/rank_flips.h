#pragma once

#include <cstdint>
#include <vector>

#include "harness/metrics/definition.h"
#include "harness/metrics/matrix.h"

namespace tailmark {

/// A positive and a negative image that changed places between two score
/// matrices of the same images.
struct FlippedPair {
  std::int64_t class_index = 0;
  std::int64_t positive_row = 0;
  std::int64_t negative_row = 0;
  bool gained = false;  ///< The positive came to stand above.
  double effect = 0;    ///< Points of the class's AP that the place is worth.
};

/// Where the scores of a class moved.
struct ClassFlips {
  std::int64_t gained = 0;  ///< Pairs in which the positive came above.
  std::int64_t lost = 0;
  std::int64_t pairs = 0;  ///< Positives times negatives.
  double largest = 0;      ///< Largest |score difference|.

  double fraction() const {
    return pairs == 0 ? 0
                      : static_cast<double>(gained + lost) /
                            static_cast<double>(pairs);
  }
};

/// How a score matrix differs from another one of the same images.
struct ScoreDrift {
  double largest = 0;               ///< Largest |score difference|.
  double p99 = 0;                   ///< 99 in 100 differences are at most this.
  std::int64_t moved = 0;           ///< Cells that differ.
  std::vector<ClassFlips> classes;  ///< [C]
  std::vector<FlippedPair> pairs;   ///< Largest effect first; at most `most`.
};

/// Equal scores count as below for positives: a pair that ties does not stand
/// above. Throws DataError when shapes differ. Cost: positives x N per class.
ScoreDrift FindDrift(const ScoreMatrix& a, const ScoreMatrix& b,
                     const LabelSpans& labels, const LabelPolicy& policy,
                     std::size_t most = 20);

}  // namespace tailmark
