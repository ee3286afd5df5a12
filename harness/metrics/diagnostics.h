#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/metrics/definition.h"
#include "harness/metrics/matrix.h"

namespace tailmark {

/// What ties do to one class. The three values are ap.rank with ties worst,
/// expected and best, as fractions; nullopt when there is no positive image.
struct ClassTies {
  std::int64_t distinct = 0;  ///< Different scores among all rows.
  std::int64_t tied = 0;      ///< Rows that share their score with another row.
  std::optional<double> worst;
  std::optional<double> expected;
  std::optional<double> best;
};

/// Whether scores are good enough to be ranked. Labels matter only to the span.
struct ScoreDiagnostics {
  /// Share of all N x C scores that another image has in the same class.
  double tied_fraction = 0;
  /// Share of all scores that sit at an end of the matrix's range: equal to its
  /// largest value, if at least two cells have that, or to its smallest,
  /// likewise. What a sigmoid or softmax that ran out of digits leaves; near 0
  /// for logits.
  double saturated_fraction = 0;
  double smallest = 0;
  double largest = 0;
  std::int64_t infinite = 0;       ///< Scores that are +-infinity.
  std::vector<ClassTies> classes;  ///< [C].

  /// Under which labels the span was computed: that of the first definition.
  LabelPolicy policy{};
  /// Means of the three over the classes that have them, in percent.
  std::optional<double> worst_percent;
  std::optional<double> expected_percent;
  std::optional<double> best_percent;
};

/// Without an interval, a span of this many points of mAP is worth a warning:
/// about a quarter of the interval that the images of the long-tailed test sets
/// leave anyway.
inline constexpr double kSpanWorthAWarning = 0.25;

/// A sentence saying that ties decide the number, or "" when they don't: best
/// minus worst is more than a quarter of the width of the total's confidence
/// interval (in points of mAP; nullopt: more than kSpanWorthAWarning).
std::string TieWarning(const ScoreDiagnostics& diagnostics,
                       std::optional<double> interval_width = std::nullopt);

}  // namespace tailmark
