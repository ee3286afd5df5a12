#include "methods/hp_dval/prompts.h"

#include <algorithm>

#include "methods/torch_pch.h"

namespace tailmark {
namespace {

constexpr std::int64_t kPhotoWords = 4;

}  // namespace

PromptTokens TokenisePrompts(const Encoder& encoder,
                             const std::vector<std::string>& class_names,
                             std::int64_t context_tokens) {
  std::string before;
  for (std::int64_t i = 0; i < context_tokens; ++i) before += "X ";
  std::vector<std::string> templates;
  std::vector<std::string> placeholders;
  for (std::string name : class_names) {
    std::replace(name.begin(), name.end(), '_', ' ');
    templates.push_back("a photo of a " + name + ".");
    placeholders.push_back(before + name + ".");
  }
  return {.templates = encoder.Tokenize(templates),
          .placeholders = encoder.Tokenize(placeholders)};
}

at::Tensor WithContext(const at::Tensor& embeddings,
                       const at::Tensor& context) {
  const std::int64_t own = context.size(0);
  return at::cat({embeddings.narrow(1, 0, 1),
                  context.to(embeddings.scalar_type())
                      .unsqueeze(0)
                      .expand({embeddings.size(0), -1, -1}),
                  embeddings.narrow(1, 1 + own, embeddings.size(1) - 1 - own)},
                 1);
}

at::Tensor PhotoWords(Encoder& encoder) {
  const std::vector<std::string> text = {"a photo of a"};
  return encoder.EmbedTokens(encoder.Tokenize(text))[0]
      .narrow(0, 1, kPhotoWords)
      .clone();
}

}  // namespace tailmark
