#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "harness/metrics/definition.h"

namespace tailmark {

/// A run of images of equal score that holds at least one positive.
struct TieGroup {
  std::int64_t images_above = 0;
  std::int64_t positives_above = 0;
  std::int64_t images = 0;
  std::int64_t positives = 0;
};

/// All that AP needs to know of one class: where its positives stand.
struct Hits {
  std::int64_t images = 0;           ///< That count.
  std::vector<TieGroup> groups;      ///< From the top down.
  std::vector<std::uint32_t> ranks;  ///< [P] from 1, rising, ties in row order.

  std::int64_t positives() const {
    return static_cast<std::int64_t>(ranks.size());
  }
};

/// Fills `hits` from a ranking whose images all count. `rows` [n] best first;
/// `starts` [n] 1 where a new score begins; `positive` by row, 0 or 1.
void FindHits(std::span<const std::uint32_t> rows,
              std::span<const std::uint8_t> starts,
              std::span<const std::uint8_t> positive, Hits& hits);

/// AP as a fraction. Of kBinned the groups are the bins, not equal scores.
/// REQUIRES: at least one positive; IsValid(family, ties).
double AveragePrecision(ApFamily family, Ties ties, const Hits& hits);

}  // namespace tailmark
