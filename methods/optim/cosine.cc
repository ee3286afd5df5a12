#include "methods/optim/cosine.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tailmark {

double Cosine::At(double epoch) const {
  const double now = std::min(epoch, epochs);
  if (now < warm_up) {
    return form == WarmUp::kConstant ? warm_up_lr : lr * now / warm_up;
  }
  const double from = form == WarmUp::kConstant ? 0.0 : warm_up;
  const double part = epochs > from ? (now - from) / (epochs - from) : 1.0;
  return min_lr +
         (lr - min_lr) * 0.5 * (1.0 + std::cos(std::numbers::pi * part));
}

}  // namespace tailmark
