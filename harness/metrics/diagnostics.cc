#include "harness/metrics/diagnostics.h"

#include <cstdio>

#include "harness/base/error.h"

namespace tailmark {
namespace {

std::string TwoDecimals(double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%.2f", value);
  return text;
}

}  // namespace

std::string TieWarning(const ScoreDiagnostics& diagnostics,
                       std::optional<double> interval_width) {
  if (!diagnostics.best_percent || !diagnostics.worst_percent) return "";
  const double span = *diagnostics.best_percent - *diagnostics.worst_percent;
  const double limit =
      interval_width ? *interval_width / 4 : kSpanWorthAWarning;
  if (span <= limit) return "";
  return StrCat("ties decide up to ", TwoDecimals(span),
                " points of mAP: rank AP lies between ",
                TwoDecimals(*diagnostics.worst_percent), " and ",
                TwoDecimals(*diagnostics.best_percent),
                " depending on the order of images with equal scores (",
                TwoDecimals(100 * diagnostics.tied_fraction),
                " % of the scores are tied, ",
                TwoDecimals(100 * diagnostics.saturated_fraction),
                " % saturated); store raw scores in float32, before any "
                "sigmoid, softmax or float16");
}

}  // namespace tailmark
