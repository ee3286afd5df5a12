#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <span>
#include <string_view>

namespace tailmark {

/// Which reading of LMPT's class-specific embedding loss. The released one
/// cannot run: it sums over an axis that is not there and, with that repaired,
/// is NaN.
enum class CseVariant : std::uint8_t {
  kOff,
  kRepoRepaired,  ///< mean w relu(mu - y S), y = +-1: the released sign.
  kIntendedSum,   ///< mean w (y = 1 ? S : relu(mu - S)), S a sum.
  kIntendedMean,  ///< The same, S a mean over positions.
};
inline constexpr std::string_view kCseNames =
    "off|repo_repaired|intended_sum|intended_mean";
/// Throws ConfigError.
CseVariant CseNamed(std::string_view name);

struct CseOptions {
  CseVariant variant = CseVariant::kIntendedMean;
  std::int64_t offset =
      2;  ///< m: caption position l meets prompt position l+m.
  double margin = 0.2;
};

/// Rows of `vectors` [..., W] divided by max(norm, 1e-8).
at::Tensor CosineUnit(const at::Tensor& vectors);

/// LMPT's class-specific embedding loss (Xia et al.: LMPT: Prompt Tuning with
/// Class-Specific Embedding Loss for Long-Tailed Multi-Label Visual
/// Recognition, ALVR 2024, and its released lmpt/csel.py and lmpt/train.py),
/// on token embeddings, before the text encoder. Captions [B, L, W], prompts
/// [C, L, W], labels y [B, C], n_c positives of class c:
///
///   d_bcl = 1 - cos(caption[b, l], prompt[c, l + m]),  l = 0 .. L - 1 - m
///   S_bc = sum (or mean) over l of d_bcl
///   mu_c = margin n_c^(-1/4);  w_c = n_c^-2 / sum_j n_j^-2
///
/// and the mean of the variant's term over images and classes. A class without
/// positives counts as half a one.
class CseLoss {
 public:
  CseLoss(const CseOptions& options, std::span<const std::int64_t> counts,
          c10::Device device);

  /// S [B, C] of embeddings.
  at::Tensor Distances(const at::Tensor& captions,
                       const at::Tensor& prompts) const;
  /// The same of sums of cosines [B, C] over `positions` positions, however
  /// they were computed.
  at::Tensor DistancesOf(const at::Tensor& cosines,
                         std::int64_t positions) const;
  /// The loss, a scalar, of S. `known` as in the other losses.
  at::Tensor operator()(const at::Tensor& distances, const at::Tensor& labels,
                        const at::Tensor& known) const;

  const CseOptions& options() const { return options_; }

 private:
  CseOptions options_;
  at::Tensor margin_;  // [C] double
  at::Tensor weight_;  // [C] double
};

}  // namespace tailmark
