#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "methods/losses/distribution_balanced.h"

namespace tailmark {

/// (logits, labels, known) [B, C] -> scalar.
using ClassificationLoss = std::function<at::Tensor(
    const at::Tensor&, const at::Tensor&, const at::Tensor&)>;

/// The words of a method's option `loss`, for its Fields().
inline constexpr std::string_view kLossNames =
    "bce|mls|focal|asl|asl-sum|db|db-batch|db-nofocal|dbstar|dbstar-const|"
    "dbstar-literal|cb-focal|r-bce|r-bce-focal|nt-focal";

/// The settings a name of the DB family stands for, laid over `constants`
/// (gamma, neg_scale, init_bias, pos_scale and empty_class are those of the
/// data set):
///
///   db              DB, elementwise focal (Wu et al. 2020)
///   db-batch        one focal factor a batch (LMPT's and HP-DVAL's releases)
///   db-nofocal      0.5 mean(w' b)
///   dbstar          elementwise focal, positives scaled by n / n_max (HP-DVAL)
///   dbstar-const    the same, positives scaled by pos_scale
///   dbstar-literal  HP-DVAL Eq. 11 and 15 to the letter, no focal
///   cb-focal        10 x batch-focal with class-balanced weights
///   r-bce           w b, no bias, no lambda
///   r-bce-focal     the same with elementwise focal
///   nt-focal        negative-tolerant: bias and lambda, elementwise focal, w =
///   1
///
/// Throws ConfigError for another word.
DbOptions DbNamed(std::string_view name, DbOptions constants);

/// Any word of kLossNames as a function. `bce`, `mls` (multi-label soft
/// margin), `focal` (gamma 2, alpha 0.25), `asl` and `asl-sum` (4 / 0 / 0.05)
/// look at no count. Throws ConfigError, DataError.
ClassificationLoss MakeLoss(std::string_view name, const DbOptions& constants,
                            std::span<const std::int64_t> counts,
                            std::int64_t images, c10::Device device);

}  // namespace tailmark
