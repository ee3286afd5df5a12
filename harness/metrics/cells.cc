#include "harness/metrics/cells.h"

#include <algorithm>

namespace tailmark {

CellKinds KindsUnder(Difficult difficult) {
  CellKind difficult_is = kIgnoredCell;
  if (difficult == Difficult::kNegative) difficult_is = kNegativeCell;
  if (difficult == Difficult::kPositive) difficult_is = kPositiveCell;
  return {kIgnoredCell, difficult_is, kNegativeCell, kPositiveCell};
}

std::vector<std::uint8_t> DroppedRows(const LabelSpans& labels,
                                      std::int64_t rows, std::int64_t classes,
                                      const LabelPolicy& policy) {
  if (policy.empty == Empty::kKeep) return {};
  const CellKinds kinds = KindsUnder(policy.difficult);
  const auto width = static_cast<std::size_t>(classes);
  std::vector<std::uint8_t> dropped(static_cast<std::size_t>(rows), 1);
  for (std::size_t row = 0; row < dropped.size(); ++row) {
    for (std::size_t c = 0; c < width && dropped[row] != 0; ++c) {
      if (kinds[CellBits(labels, row * width + c)] == kPositiveCell) {
        dropped[row] = 0;
      }
    }
  }
  const bool any = std::any_of(dropped.begin(), dropped.end(),
                               [](std::uint8_t d) { return d != 0; });
  if (!any) dropped.clear();
  return dropped;
}

}  // namespace tailmark
