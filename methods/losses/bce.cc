#include "methods/losses/bce.h"

#include "methods/torch_pch.h"

namespace tailmark {

at::Tensor BceWithLogits(const at::Tensor& logits, const at::Tensor& labels) {
  return at::binary_cross_entropy_with_logits(logits, labels, {}, {},
                                              at::Reduction::None);
}

at::Tensor HideUnknown(const at::Tensor& labels, const at::Tensor& known) {
  return known.defined() ? labels.masked_fill(known.logical_not(), 0) : labels;
}

at::Tensor SumOverKnown(const at::Tensor& values, const at::Tensor& known) {
  // masked_fill, not a product: an infinite value that nobody asked for must
  // not become NaN.
  return known.defined() ? values.masked_fill(known.logical_not(), 0).sum()
                         : values.sum();
}

at::Tensor MeanOverKnown(const at::Tensor& values, const at::Tensor& known) {
  if (!known.defined()) return values.mean();
  return SumOverKnown(values, known) / known.sum().clamp_min(1);
}

at::Tensor BceLoss(const at::Tensor& logits, const at::Tensor& labels,
                   const at::Tensor& known) {
  return MeanOverKnown(
      BceWithLogits(logits,
                    HideUnknown(labels, known).to(logits.scalar_type())),
      known);
}

at::Tensor MultiLabelSoftMarginLoss(const at::Tensor& logits,
                                    const at::Tensor& labels,
                                    const at::Tensor& known) {
  const auto bce = BceWithLogits(
      logits, HideUnknown(labels, known).to(logits.scalar_type()));
  if (!known.defined()) return bce.mean(1).mean();
  const auto rows = bce.masked_fill(known.logical_not(), 0).sum(1);
  return (rows / known.sum(1).clamp_min(1)).mean();
}

}  // namespace tailmark
