#pragma once

#include <ATen/core/Tensor.h>

#include "methods/nn/linear_init.h"
#include "methods/nn/prompt_learner.h"

namespace tailmark {

/// CoCoOp's context that depends on the image (Zhou, Yang, Loy, Liu:
/// Conditional Prompt Learning for Vision-Language Models, CVPR 2022, 3.2). B
/// images, D joint width, H hidden, W text width, n context tokens, C classes.
struct ConditionalContext {
  at::Tensor context;  ///< [n, W], shared by the classes.
  LinearLayer first;   ///< D -> H, then ReLU.
  LinearLayer second;  ///< H -> W.

  /// What is added to every context token: [B, W] of unit features [B, D].
  at::Tensor Shift(const at::Tensor& unit_features) const;

  /// scale x cosine [B, C] of image features [B, D], not normalised, with
  /// prompts of their own: B x C texts.
  at::Tensor Logits(const PromptLearner& learner, double scale,
                    const at::Tensor& image_features) const;
};

}  // namespace tailmark
