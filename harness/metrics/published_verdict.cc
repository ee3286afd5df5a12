#include "harness/metrics/published_verdict.h"

#include <cmath>
#include <cstdio>

#include "harness/base/error.h"
#include "harness/metrics/significance.h"

namespace tailmark {
namespace {

// Enumerators index this list.
constexpr std::string_view kVerdicts[] = {
    "reproduced",     "consistent",         "below",  "above",
    "not comparable", "table inconsistent", "not run"};

std::string Points(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", value);
  return text;
}

// A spread of nothing: the distance alone decides, rounding granted.
void JudgeByDistance(double half_unit, PublishedTest& out) {
  const double off = std::fabs(*out.difference) - half_unit;
  if (off <= out.margin) {
    out.verdict = Verdict::kReproduced;
    out.reason = StrCat("no chance in it; within ", Points(out.margin),
                        " points of the printed value");
    return;
  }
  out.verdict = *out.difference < 0 ? Verdict::kBelow : Verdict::kAbove;
  out.reason = StrCat("no chance in it; ", Points(std::fabs(*out.difference)),
                      " points off, the margin is ", Points(out.margin));
}

}  // namespace

std::string_view NameOf(Verdict verdict) {
  return kVerdicts[static_cast<std::size_t>(verdict)];
}

double ReproductionMargin(std::string_view group) {
  return group == "total" ? 0.5 : 1.0;
}

PublishedTest HoldAgainst(double printed, double half_unit,
                          std::span<const double> values, bool stochastic,
                          double margin, double alpha) {
  PublishedTest out{.runs = static_cast<std::int64_t>(values.size()),
                    .margin = margin};
  if (values.empty()) {
    out.reason = "nothing was measured";
    return out;
  }
  double sum = 0;
  for (const double value : values) sum += value;
  const auto n = static_cast<double>(values.size());
  out.mean = sum / n;
  out.difference = *out.mean - printed;
  if (!stochastic) {
    JudgeByDistance(half_unit, out);
    return out;
  }
  if (values.size() < 2) {
    out.reason = "one seed has no spread to judge by; give --seeds 0-4";
    return out;
  }
  out.sd = StandardError(values);
  if (*out.sd == 0) {
    JudgeByDistance(half_unit, out);
    return out;
  }
  out.prediction = PredictionInterval(values, 1 - alpha);
  const double error = *out.sd * std::sqrt(1 + 1 / n);
  out.p_equivalent = TostP(*out.difference, error, n - 1, margin);
  if (*out.p_equivalent <= alpha) {
    out.verdict = Verdict::kReproduced;
    out.reason = StrCat("equal within ", Points(margin), " points (TOST)");
    return out;
  }
  const bool inside = printed + half_unit >= out.prediction->lo &&
                      printed - half_unit <= out.prediction->hi;
  const std::string interval =
      StrCat(Points(out.prediction->lo), " to ", Points(out.prediction->hi));
  if (inside) {
    out.verdict = Verdict::kConsistent;
    out.reason = StrCat("one more run lies in ", interval, "; ", values.size(),
                        " runs cannot show that it is within ", Points(margin));
    return out;
  }
  out.verdict = *out.difference < 0 ? Verdict::kBelow : Verdict::kAbove;
  out.reason = StrCat("outside of where one more run lies, ", interval);
  return out;
}

}  // namespace tailmark
