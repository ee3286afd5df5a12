#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <span>

namespace tailmark {

/// How an element is weighted.
enum class DbWeight : std::uint8_t {
  kRebalance,      ///< w = alpha + sigmoid(beta (r - gamma)).
  kAllClasses,     ///< The same, r's sum over all classes: HP-DVAL, Eq. 11.
  kClassBalanced,  ///< w = (1 - cb_beta) / (1 - cb_beta^n): CB (Cui 2019).
  kNone,           ///< w = 1: negative-tolerant regularisation alone.
};

/// By what the logit of a positive is multiplied.
enum class DbPositive : std::uint8_t {
  kNone,       ///< 1
  kConst,      ///< pos_scale: HP-DVAL's release, 5 COCO-LT, 10 VOC-LT.
  kFrequency,  ///< w_i = n_i / n_max: HP-DVAL, Eq. 14.
};

/// Where the focal factor acts.
enum class DbFocal : std::uint8_t {
  kNone,
  kElement,  ///< On each element: the DB authors' release.
  kBatch,    ///< One number a batch, of the mean of b: LMPT's, HP-DVAL's.
};

/// What becomes of a class that no training image shows, or every one: the
/// formula has no value there.
enum class DbEmptyClass : std::uint8_t {
  kClamp,   ///< n is kept in [1/2, N - 1/2].
  kReject,  ///< DataError that names the class.
};

/// Constants of the DB family; the defaults are those the DB authors use for
/// COCO-LT.
struct DbOptions {
  double alpha = 0.1;       ///< Floor of the weight.
  double beta = 10.0;       ///< Slope of the weight's sigmoid.
  double gamma = 0.2;       ///< Its centre: 0.2 COCO-LT, 0.3 VOC-LT.
  double neg_scale = 2.0;   ///< lambda: 2 COCO-LT, 5 VOC-LT; 1: none.
  double init_bias = 0.05;  ///< kappa, before the division by lambda; 0: none.
  DbWeight weight = DbWeight::kRebalance;
  double cb_beta = 0.9;
  DbPositive positive = DbPositive::kNone;
  double pos_scale = 5.0;  ///< Of DbPositive::kConst.
  DbFocal focal = DbFocal::kElement;
  double focal_gamma = 2.0;
  double focal_balance = 2.0;
  double loss_weight = 1.0;  ///< 10 for CB-focal, 0.5 for DB without focal.
  DbEmptyClass empty_class = DbEmptyClass::kClamp;
};

/// Distribution-balanced loss and its relatives (Wu, Huang, Liu, Wang, Lin:
/// Distribution-Balanced Loss for Multi-Label Classification in Long-Tailed
/// Datasets, ECCV 2020, Eq. 3-10, and the constants of its release; the
/// variants of LMPT's and HP-DVAL's releases; HP-DVAL's DB*, Eq. 11-15).
///
/// n_c positives of class c among N images, logits z and labels y [B, C]:
///
///   r = (1 / n_c) / sum_{j: y_j = 1} 1 / n_j        one row's rebalancing
///   w = alpha + sigmoid(beta (r - gamma))
///   v = -(kappa / lambda) ln(N / n_c - 1)           the class's bias
///   z' = pos (z + v), w' = w                 where y = 1
///   z' = lambda (z + v), w' = w / lambda     where y = 0
///   b = BCE(z', y)
///   no focal:  L = mean(w' b)
///   element:   L = mean(balance (1 - exp(-b))^focal_gamma w' b)
///   batch:     L = balance (1 - exp(-mean b))^focal_gamma mean(w' b)
///
/// times loss_weight; of `batch`, gradients go through both factors. Named
/// losses of the literature are settings of it, see losses/named.h. The
/// division of kappa by lambda is what the release does. A row without
/// positives has r = inf, w = 1 + alpha.
class DistributionBalancedLoss {
 public:
  /// REQUIRES: images >= 1. `counts` [C]. Throws DataError (DbEmptyClass).
  DistributionBalancedLoss(const DbOptions& options,
                           std::span<const std::int64_t> counts,
                           std::int64_t images, c10::Device device);

  /// A scalar, of the known elements; differentiable in `logits` [B, C], any
  /// floating type, which stays as it is. An unknown label counts as absent in
  /// r and takes no part in the means.
  at::Tensor operator()(const at::Tensor& logits, const at::Tensor& labels,
                        const at::Tensor& known) const;

  /// w [B, C], double.
  at::Tensor Weight(const at::Tensor& labels) const;
  /// z' and w' [B, C] of labels without unknowns, in the logits' type.
  at::Tensor ScaledLogits(const at::Tensor& logits,
                          const at::Tensor& labels) const;
  at::Tensor ScaledWeight(const at::Tensor& labels) const;
  /// v [C], double.
  const at::Tensor& bias() const { return bias_; }

 private:
  DbOptions options_;
  at::Tensor inverse_count_;   // [C] double, 1 / n
  at::Tensor bias_;            // [C] double
  at::Tensor positive_scale_;  // [C] double
  at::Tensor class_weight_;    // [C] double, of kClassBalanced
};

}  // namespace tailmark
