#include "methods/cocoop/conditional_context.h"

#include "methods/torch_pch.h"

namespace tailmark {

at::Tensor ConditionalContext::Shift(const at::Tensor& unit_features) const {
  return at::linear(
      at::relu(at::linear(unit_features, first.weight, first.bias)),
      second.weight, second.bias);
}

at::Tensor ConditionalContext::Logits(const PromptLearner& learner,
                                      double scale,
                                      const at::Tensor& image_features) const {
  const auto images = UnitRows(image_features);
  const auto contexts = context.unsqueeze(0) + Shift(images).unsqueeze(1);
  const auto texts = UnitRows(learner.FeaturesOfEach(contexts));
  return (texts * images.unsqueeze(1)).sum(2) * scale;
}

}  // namespace tailmark
