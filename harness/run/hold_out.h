#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace tailmark {

/// Rows of a training split, each ascending.
struct HeldOut {
  std::vector<std::int64_t> train;
  std::vector<std::int64_t> validation;
};

/// Holds out `fraction` of the rows for validation. Of a class with n known
/// positives at most fraction * n of them go, but one of two or more, so that a
/// rare class is on both sides and keeps the larger part to be learned from;
/// classes are served from the rarest on. Depends on labels, fraction and seed
/// alone. `labels` [N, C] uint8; `known` [N, C] bool or undefined. Throws
/// DataError when no class has two positives.
HeldOut HoldOut(const at::Tensor& labels, const at::Tensor& known,
                double fraction, std::uint64_t seed);

/// Mean over classes of average precision, in percent: area under the step
/// curve, equal scores taken together, as harness/metrics has it for `ap.step`.
/// A class without a known positive does not count; nothing when none has one.
/// `scores`, `labels` and `known` (or undefined) are [N, C].
std::optional<double> MeanAveragePrecision(const at::Tensor& scores,
                                           const at::Tensor& labels,
                                           const at::Tensor& known);

}  // namespace tailmark
