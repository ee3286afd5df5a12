#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "harness/api/method.h"
#include "methods/nn/image_features.h"
#include "methods/nn/prompt_options.h"

namespace tailmark {

/// Prompts trained on frozen features: all of CoOp, and of LMPT what is not its
/// caption loss.
///
/// Logits are logit scale x cosine of image feature and prompt feature. With a
/// frozen vision transformer image features come from the harness's cache, and
/// texts are encoded once a step; see PromptOptions::acceleration.
class PromptFit {
 public:
  /// What the loss of a step becomes, given the classification loss, and the
  /// prompts [C, L, W] it was computed from.
  using Combine = std::function<FitLoop::StepLoss(
      const at::Tensor& classification, const TrainBatch& batch,
      const at::Tensor& prompts)>;

  /// `stream` names the method in its seeds. REQUIRES: problem.encoder.
  PromptFit(const PromptOptions& options, const Problem& problem,
            std::string_view stream);

  void Fit(FitContext& context, const Method& method, const Combine& combine);
  at::Tensor Predict(const Batch& batch) const;
  ScoreScale scale() const;

  void Save(StateWriter& out) const;
  void Load(const StateReader& in);
  std::int64_t trained_parameters() const;

  const PromptLearner& learner() const { return learner_; }

 private:
  void Begin(FitContext& context);
  void Keep(at::Tensor value);
  at::Tensor Logits(const at::Tensor& image_features,
                    const at::Tensor& text_features) const;
  at::Tensor TextFeatures() const;
  double InitialOffset(TrainSource& train);

  PromptOptions options_;
  const Problem& problem_;
  std::string_view stream_;
  PromptLearner learner_;
  mutable ImageFeatures images_;
  std::optional<FitLoop> loop_;
  double offset_ = 0;
  mutable at::Tensor text_;  // [C, D] of the context as it is; or undefined
};

/// `value` at the share of the labels that are absent: what a logit has to pass
/// for as many positives as there are labels. `logits`, `labels` and `known`
/// [N, C].
double DensityQuantile(const at::Tensor& logits, const at::Tensor& labels,
                       const at::Tensor& known);

}  // namespace tailmark
