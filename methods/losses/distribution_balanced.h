#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <span>

namespace tailmark {

/// Constants of the DB loss; the defaults are those its authors use for
/// COCO-LT.
struct DbOptions {
  double alpha = 0.1;       ///< Floor of the weight.
  double beta = 10.0;       ///< Slope of the weight's sigmoid.
  double gamma = 0.2;       ///< Its centre: 0.2 COCO-LT, 0.3 VOC-LT.
  double neg_scale = 2.0;   ///< lambda: 2 COCO-LT, 5 VOC-LT.
  double init_bias = 0.05;  ///< kappa, before the division by lambda.
  bool focal = true;
  double focal_gamma = 2.0;
  double focal_balance = 2.0;
};

/// Distribution-balanced loss with elementwise focal factor (Wu, Huang, Liu,
/// Wang, Lin: Distribution-Balanced Loss for Multi-Label Classification in
/// Long-Tailed Datasets, ECCV 2020, Eq. 3-10, and the constants of its
/// release).
///
/// n_c positives of class c among N images, logits z and labels y [B, C]:
///
///   r = (1 / n_c) / sum_{j: y_j = 1} 1 / n_j        one row's rebalancing
///   w = alpha + sigmoid(beta (r - gamma))
///   v = -(kappa / lambda) ln(N / n_c - 1)           the class's bias
///   z' = z + v, w' = w                 where y = 1
///   z' = lambda (z + v), w' = w / lambda   where y = 0
///   b = BCE(z', y);  L = mean(balance (1 - exp(-b))^focal_gamma w' b)
///
/// Without `focal`, L = mean(w' b). The division of kappa by lambda is what the
/// release does. A row without positives has r = inf, w = 1 + alpha.
///
/// Where the formula has no value, n_c is kept in [1/2, N - 1/2]: a class never
/// (or always) there gets a finite bias and weight.
class DistributionBalancedLoss {
 public:
  /// REQUIRES: images >= 1. `counts` [C].
  DistributionBalancedLoss(const DbOptions& options,
                           std::span<const std::int64_t> counts,
                           std::int64_t images, c10::Device device);

  /// The mean over known elements, a scalar; differentiable in `logits`
  /// [B, C], any floating type. An unknown label counts as absent in r and
  /// takes no part in the mean.
  at::Tensor operator()(const at::Tensor& logits, const at::Tensor& labels,
                        const at::Tensor& known) const;

  /// w [B, C], double.
  at::Tensor Weight(const at::Tensor& labels) const;
  /// v [C], double.
  const at::Tensor& bias() const { return bias_; }

 private:
  DbOptions options_;
  at::Tensor inverse_count_;  // [C] double
  at::Tensor bias_;           // [C] double
};

}  // namespace tailmark
