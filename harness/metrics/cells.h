#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "harness/metrics/definition.h"
#include "harness/metrics/matrix.h"

namespace tailmark {

/// What a cell of the label matrix counts as under a policy.
enum CellKind : std::uint8_t {
  kNegativeCell = 0,
  kPositiveCell = 1,
  kIgnoredCell = 2
};

/// Kind of a cell by `positive | known << 1`: see LabelSpans.
using CellKinds = std::array<CellKind, 4>;
CellKinds KindsUnder(Difficult difficult);

/// The index of CellKinds for cell `i` of the matrix.
inline std::uint8_t CellBits(const LabelSpans& labels, std::size_t i) {
  const unsigned known = labels.known.empty() ? 1U : labels.known[i];
  return static_cast<std::uint8_t>(labels.positive[i] | known << 1);
}

/// [rows] 1 where an image is dropped for having no positive label under
/// `policy`; empty when none is (always with Empty::kKeep).
std::vector<std::uint8_t> DroppedRows(const LabelSpans& labels,
                                      std::int64_t rows, std::int64_t classes,
                                      const LabelPolicy& policy);

}  // namespace tailmark
