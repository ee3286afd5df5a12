#pragma once

#include <span>

#include "harness/metrics/evaluate.h"

namespace tailmark {

/// The preconditions of Evaluate(), with its errors. After this, spans have the
/// size the shape says, labels are bits, and no score is NaN.
void CheckInput(const ScoreMatrix& scores, const LabelSpans& labels,
                std::span<const ClassGroup> groups,
                std::span<const Definition> definitions);

}  // namespace tailmark
