#include "methods/optim/one_cycle.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tailmark {
namespace {

double Anneal(double from, double to, double part) {
  return to + (from - to) / 2.0 * (std::cos(std::numbers::pi * part) + 1.0);
}

}  // namespace

OneCycle::Point OneCycle::At(std::int64_t step) const {
  const double s = static_cast<double>(std::min(step, total_steps - 1));
  const double top = warm_up * static_cast<double>(total_steps) - 1.0;
  const double end = static_cast<double>(total_steps - 1);
  const double first = max_lr / div;
  if (s <= top) {
    const double part = top > 0 ? s / top : 1.0;
    return {Anneal(first, max_lr, part),
            Anneal(high_momentum, low_momentum, part)};
  }
  const double part = end > top ? (s - top) / (end - top) : 1.0;
  return {Anneal(max_lr, first / final_div, part),
          Anneal(low_momentum, high_momentum, part)};
}

}  // namespace tailmark
