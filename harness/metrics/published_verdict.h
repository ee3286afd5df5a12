#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "harness/metrics/interval.h"

namespace tailmark {

/// What our runs say of a printed number.
enum class Verdict : std::uint8_t {
  kReproduced,         ///< Equal within the margin, shown (TOST).
  kConsistent,         ///< One more run could print it; too few runs for TOST.
  kBelow,              ///< Ours is lower, beyond that.
  kAbove,              ///< Ours is higher, beyond that: look for leakage.
  kNotComparable,      ///< Made otherwise than printed, in a way we know.
  kTableInconsistent,  ///< The table contradicts itself.
  kNotRun              ///< Nothing, or not enough, was measured.
};
/// "reproduced", "not comparable", ...: words of reports and of --json.
std::string_view NameOf(Verdict verdict);

/// How far ours may be off before it matters, points: 0.5 total, 1.0 a group.
double ReproductionMargin(std::string_view group);

/// One printed number held against our values.
struct PublishedTest {
  Verdict verdict = Verdict::kNotRun;
  std::int64_t runs = 0;
  std::optional<double> mean;        ///< Percent.
  std::optional<double> sd;          ///< Over seeds; nothing below two.
  std::optional<double> difference;  ///< Ours minus printed.
  /// Where one more run of ours lies, 95 %; nothing below two.
  std::optional<Interval> prediction;
  std::optional<double> p_equivalent;  ///< TOST within the margin.
  double margin = 0;
  std::string reason;  ///< A sentence, for every verdict.
};

/// `printed` is taken to be one run like ours, rounded to `half_unit` either
/// way: spread sd sqrt(1 + 1/n). A method without chance (`stochastic` false)
/// is held against the margin alone. One value of a method with chance says
/// nothing: kNotRun. Never kNotComparable or kTableInconsistent, which are
/// known beforehand.
PublishedTest HoldAgainst(double printed, double half_unit,
                          std::span<const double> values, bool stochastic,
                          double margin, double alpha = 0.05);

}  // namespace tailmark
