#include "methods/psd/distillation.h"

#include <cmath>

#include "methods/torch_pch.h"

namespace tailmark {

at::Tensor KdTerm(const KdOptions& options, const at::Tensor& student,
                  const at::Tensor& teacher) {
  const auto z = student / options.divisor;
  const auto t = teacher.detach() / options.divisor;
  if (options.kind == KdKind::kSquared) return (z - t).square().sum();
  const double heat = options.temperature;
  const auto log_student = at::log_softmax(z / heat, 1);
  const auto log_teacher = at::log_softmax(t / heat, 1);
  return (log_teacher.exp() * (log_teacher - log_student)).sum() * heat * heat;
}

PsdWeights WeightsOf(double classification, double alpha, bool rounded) {
  const double left = 1.0 - classification;
  double apart = left - left * alpha;
  // Of the binary value, as Python's round(x, 2) does: .375 * 100 is exact.
  if (rounded) apart = std::nearbyint(apart * 100.0) / 100.0;
  return {classification, left * alpha, apart};
}

}  // namespace tailmark
