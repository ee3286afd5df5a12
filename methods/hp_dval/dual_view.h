#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace tailmark {

/// How a global and a local view become one score (HP-DVAL, Eq. 4-5 and 8-9;
/// release: models/clip_vit_dual.py, prompt_model.py).
struct DualView {
  double alpha = 0.4;
  bool alpha_on_global = true;  ///< Paper; the release weights the local view.
  std::int64_t top_k = 32;      ///< At most all patches.
  /// g / |g| and l / |l| over the classes of an image (release) instead of
  /// logit_scale times cosine (paper, which names no scale).
  bool l2_classes = true;
  double logit_scale = 20.0;
};

/// Scores [B, C] of `tokens` [B, 1 + N, D], class token first, for texts
/// [C, D] of the global and the local view:
///
///   g_c = <T_c, f_cls>,  l_c = mean of the k largest <T'_c, f_j> over patches
///   j s = alpha view + (1 - alpha) other view
///
/// A view that is 0 for every class stays 0. Differentiable in all tensors.
at::Tensor DualViewScores(const DualView& how, const at::Tensor& tokens,
                          const at::Tensor& global_text,
                          const at::Tensor& local_text);

/// mean |a - b|, with gradient 0 where they are equal.
at::Tensor L1Distance(const at::Tensor& a, const at::Tensor& b);

}  // namespace tailmark
