#pragma once

#include <cstdint>
#include <vector>

#include "harness/metrics/average_precision.h"
#include "harness/metrics/definition.h"
#include "harness/metrics/matrix.h"

namespace tailmark {

/// A group of equal scores that holds a positive image.
struct TieSpan {
  std::uint32_t begin = 0;           ///< First place of the group in `rows`.
  std::uint32_t end = 0;             ///< One past its last place.
  std::uint32_t first_positive = 0;  ///< In `positives`.
  std::uint32_t positives = 0;
};

/// One class, its images that count from the highest score down. What every
/// resample of a class is computed from.
struct SortedClass {
  std::vector<std::uint32_t> rows;       ///< Numbers of counted images.
  std::vector<std::uint8_t> starts;      ///< 1 where a new score begins.
  std::vector<std::uint8_t> positive;    ///< By place.
  std::vector<std::uint32_t> positives;  ///< Rows of positives, by place.
  std::vector<TieSpan> spans;            ///< From the top down.
};

/// Images that count under a policy, numbered in row order, and every class of
/// a matrix sorted. Memory: about 6 N C bytes.
struct SortedMatrix {
  std::int64_t images = 0;
  std::vector<SortedClass> classes;  ///< [C]
};

/// REQUIRES: CheckInput() passed.
SortedMatrix SortClasses(const ScoreMatrix& scores, const LabelSpans& labels,
                         const LabelPolicy& policy);

}  // namespace tailmark
