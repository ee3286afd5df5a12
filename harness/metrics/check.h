#pragma once

#include <span>

#include "harness/metrics/evaluate.h"

namespace tailmark {

/// The preconditions of Evaluate(), with its errors. After this, spans have the
/// size the shape says, labels are bits, and no score is NaN.
void CheckInput(const ScoreMatrix& scores, const LabelSpans& labels,
                std::span<const ClassGroup> groups,
                std::span<const Definition> definitions);

/// Fills what needs no sorting: smallest, largest, infinite,
/// saturated_fraction. REQUIRES: CheckInput has passed.
void ScanScores(const ScoreMatrix& scores, ScoreDiagnostics& out);

}  // namespace tailmark
