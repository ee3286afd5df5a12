#pragma once

#include <ATen/core/Tensor.h>

namespace tailmark {

struct FocalOptions {
  double gamma = 2.0;
  double alpha = 0.25;  ///< Weight of positives; of negatives 1 - alpha.
};

/// Focal loss (Lin, Goyal, Girshick, He, Dollar: Focal Loss for Dense Object
/// Detection, ICCV 2017, Eq. 5), the mean over known elements of
///
///   a (1 - p_t)^gamma b(z, y),   p_t = exp(-b)
///
/// with a = alpha where y = 1, else 1 - alpha. Logits and labels [B, C].
/// 1 - p_t is taken as -expm1(-b), which keeps its digits for small b.
at::Tensor FocalLoss(const FocalOptions& options, const at::Tensor& logits,
                     const at::Tensor& labels, const at::Tensor& known);

/// balance (1 - exp(-b))^gamma, element by element or of one number: the factor
/// that the losses of the distribution-balanced family share.
at::Tensor FocalFactor(const at::Tensor& bce, double gamma, double balance);

}  // namespace tailmark
