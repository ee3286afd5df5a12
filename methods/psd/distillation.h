#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace tailmark {

/// How a student is drawn to its teachers' logits.
enum class KdKind : std::uint8_t {
  kSquared,  ///< ||z / d - t / d||^2, summed.
  /// T^2 KL(softmax(t / T) || softmax(z / T)) over classes, summed.
  kDivergence
};

struct KdOptions {
  KdKind kind = KdKind::kSquared;
  double divisor = 1.0;      ///< d, of both logits.
  double temperature = 4.0;  ///< T
};

/// One term of PSD's distillation (Xu et al., arXiv 2205.10986, and its
/// release), logits [B, C], a sum over both. The teacher's take no gradient.
at::Tensor KdTerm(const KdOptions& options, const at::Tensor& student,
                  const at::Tensor& teacher);

/// The weights of PSD's three terms:
///
///   L = w ASL + (1 - w) (a KD_together + (1 - a) KD_apart)
///
/// with w = 1/2: 0.5 ASL + 0.5 a KD_together + (0.5 - 0.5 a) KD_apart.
/// `rounded`: the last weight to two digits, half to even, as the release has
/// it: .38 for a = .25.
struct PsdWeights {
  double classification = 0.5;
  double together = 0.25;
  double apart = 0.25;
};
PsdWeights WeightsOf(double classification, double alpha, bool rounded);

}  // namespace tailmark
