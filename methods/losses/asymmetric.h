#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace tailmark {

/// How the elements of ASL become one number. Releases differ:
enum class AslReduction : std::uint8_t {
  kMean,  ///< Over images and classes: LMPT, HP-DVAL on COCO-LT and VOC-LT.
  kSum,   ///< HP-DVAL's few-shot code, PSD.
  kSumPerElementTimes1000,  ///< Sum / B / C x 1000: ML-VPT.
};

struct AslOptions {
  double gamma_negative = 4.0;
  double gamma_positive = 0.0;
  double clip = 0.05;  ///< m, by which the probability of negatives is shifted.
  double eps = 1e-8;   ///< Probabilities below it count as it.
  AslReduction reduction = AslReduction::kMean;
};

/// ML-VPT's constants: 2 / 0 / 0, eps 1e-5.
AslOptions MlVptAsl();

/// Asymmetric loss (Ridnik et al.: Asymmetric Loss For Multi-Label
/// Classification, ICCV 2021, Eq. 4-7), as its release computes it. With
/// p = sigmoid(z) and q = min(1 - p + clip, 1), an element is
///
///   y = 1:  -(1 - p)^gamma_positive log max(p, eps)
///   y = 0:  -(1 - q)^gamma_negative log max(q, eps)
///
/// The focusing factor takes no gradient. Logits, labels, known [B, C]; unknown
/// elements are left out of sum and mean (kSumPerElementTimes1000 divides by
/// the known ones). Finite for any finite logit; beyond eps the gradient is
/// exactly 0.
at::Tensor AsymmetricLoss(const AslOptions& options, const at::Tensor& logits,
                          const at::Tensor& labels, const at::Tensor& known);

}  // namespace tailmark
