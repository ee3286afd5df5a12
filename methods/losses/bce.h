#pragma once

#include <ATen/core/Tensor.h>

namespace tailmark {

/// Binary cross-entropy of logits z [B, C] and labels y [B, C] (0 or 1, the
/// logits' type), element by element:
///
///   b(z, y) = max(z, 0) - z y + log(1 + exp(-|z|))
///
/// which is -y log s(z) - (1 - y) log(1 - s(z)) without forming s(z): exact for
/// logits of any size. Gradient: s(z) - y.
at::Tensor BceWithLogits(const at::Tensor& logits, const at::Tensor& labels);

/// `labels` with 0 where `known` [B, C] (bool; undefined: all known) is false,
/// so that what is written there can have no effect.
at::Tensor HideUnknown(const at::Tensor& labels, const at::Tensor& known);

/// Sum and mean over the known elements; 0 when there are none.
at::Tensor SumOverKnown(const at::Tensor& values, const at::Tensor& known);
at::Tensor MeanOverKnown(const at::Tensor& values, const at::Tensor& known);

/// Mean of b over the known elements.
at::Tensor BceLoss(const at::Tensor& logits, const at::Tensor& labels,
                   const at::Tensor& known);

/// Multi-label soft margin loss as PyTorch defines it: the mean over images of
/// the mean of b over each image's (known) classes. Without unknown labels this
/// is BceLoss up to rounding.
at::Tensor MultiLabelSoftMarginLoss(const at::Tensor& logits,
                                    const at::Tensor& labels,
                                    const at::Tensor& known);

}  // namespace tailmark
