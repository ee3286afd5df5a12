#include "methods/nn/prompt_learner.h"

#include <algorithm>

#include "harness/base/error.h"
#include "harness/base/options.h"
#include "harness/base/suggest.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

constexpr double kDeviation = 0.02;

/// Tokens of each text without start and end. The end token has the largest id
/// of every vocabulary in use.
std::vector<std::int64_t> WordCounts(const Encoder& encoder,
                                     const std::vector<std::string>& texts) {
  const auto ends = encoder.Tokenize(texts).argmax(1).cpu();
  std::vector<std::int64_t> counts;
  for (std::int64_t i = 0; i < ends.size(0); ++i) {
    counts.push_back(
        std::max<std::int64_t>(ends[i].item<std::int64_t>() - 1, 1));
  }
  return counts;
}

at::Tensor PlaceholderTokens(const Encoder& encoder, std::int64_t length,
                             const std::vector<std::string>& names) {
  std::string placeholders;
  for (std::int64_t i = 0; i < length; ++i) placeholders += "X ";
  std::vector<std::string> texts;
  for (const std::string& name : names) {
    texts.push_back(placeholders + SpokenName(name) + ".");
  }
  return encoder.Tokenize(texts);
}

std::int64_t LengthOf(const PromptShape& shape, const Encoder& encoder) {
  if (shape.init_text.empty()) return shape.length;
  return WordCounts(encoder, {SpokenName(shape.init_text)}).front();
}

std::vector<std::int64_t> NameLengths(const PromptShape& shape,
                                      const Encoder& encoder,
                                      const std::vector<std::string>& names) {
  if (!shape.true_name_lengths) {
    return std::vector<std::int64_t>(names.size(), 1);
  }
  std::vector<std::string> spoken;
  for (const std::string& name : names) spoken.push_back(SpokenName(name));
  return WordCounts(encoder, spoken);
}

}  // namespace

std::string SpokenName(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

at::Tensor UnitRows(const at::Tensor& rows) {
  return rows / rows.norm(2, /*dim=*/-1, /*keepdim=*/true).clamp_min(1e-12);
}

ClassPosition ClassPositionNamed(std::string_view word) {
  if (word == "end") return ClassPosition::kEnd;
  if (word == "middle") return ClassPosition::kMiddle;
  if (word == "front") return ClassPosition::kFront;
  throw ConfigError(UnknownName("class position", word,
                                internal::SplitWords(kClassPositions)));
}

PromptLearner::PromptLearner(const PromptShape& shape,
                             const std::vector<std::string>& class_names,
                             Encoder& encoder)
    : PromptLearner(
          shape, LengthOf(shape, encoder),
          PlaceholderTokens(encoder, LengthOf(shape, encoder), class_names),
          NameLengths(shape, encoder, class_names), encoder) {
  if (shape.init_text.empty()) return;
  const at::NoGradGuard no_grad;
  const std::vector<std::string> text = {SpokenName(shape.init_text)};
  init_vectors_ =
      encoder.EmbedTokens(encoder.Tokenize(text))[0].narrow(0, 1, length_);
}

PromptLearner::PromptLearner(const PromptShape& shape, std::int64_t length,
                             const at::Tensor& tokens,
                             const std::vector<std::int64_t>& name_lengths,
                             Encoder& encoder)
    : shape_(shape), encoder_(encoder), length_(length), tokens_(tokens) {
  const at::NoGradGuard no_grad;
  // Start, a name of one token, "." and end have to fit as well.
  if (length < 1 || length + 4 > tokens.size(1)) {
    throw ConfigError(StrCat("a context of ", length,
                             " tokens does not fit a text of ", tokens.size(1),
                             " positions; expected 1 to ", tokens.size(1) - 4));
  }
  fixed_ = encoder.EmbedTokens(tokens);
  Arrange(name_lengths);
}

void PromptLearner::Arrange(const std::vector<std::int64_t>& name_lengths) {
  const std::int64_t classes = tokens_.size(0);
  const std::int64_t positions = tokens_.size(1);
  const std::int64_t before = shape_.position == ClassPosition::kEnd ? length_
                              : shape_.position == ClassPosition::kMiddle
                                  ? length_ / 2
                                  : 0;
  std::vector<std::int64_t> layout, source;
  for (std::int64_t c = 0; c < classes; ++c) {
    const std::int64_t name = std::min(
        name_lengths[static_cast<std::size_t>(c)], positions - 1 - length_);
    const auto put = [&](std::int64_t what) {
      layout.push_back(what);
      source.push_back(what >= 0
                           ? c * positions + what
                           : classes * positions + c * length_ - what - 1);
    };
    put(0);
    for (std::int64_t i = 0; i < before; ++i) put(-(i + 1));
    for (std::int64_t i = 0; i < name; ++i) put(1 + length_ + i);
    for (std::int64_t i = before; i < length_; ++i) put(-(i + 1));
    for (std::int64_t i = 1 + length_ + name; i < positions; ++i) put(i);
  }
  layout_ = torch::tensor(layout, torch::kLong).view({classes, positions});
  source_ = torch::tensor(source, torch::kLong).to(tokens_.device());
}

at::Tensor PromptLearner::InitialContext(std::uint64_t seed) const {
  const at::NoGradGuard no_grad;
  const std::int64_t width = fixed_.size(2);
  const auto options = at::TensorOptions().device(fixed_.device());
  if (init_vectors_.defined()) {
    const auto words = init_vectors_.to(at::kFloat);
    return shape_.class_specific
               ? words.expand({tokens_.size(0), -1, -1}).clone()
               : words.clone();
  }
  // Drawn on the CPU, so that a seed means the same on every device.
  auto chance = at::detail::createCPUGenerator(seed);
  const auto shape =
      shape_.class_specific
          ? std::vector<std::int64_t>{tokens_.size(0), length_, width}
          : std::vector<std::int64_t>{length_, width};
  return at::randn(shape, chance, at::TensorOptions(at::kFloat))
      .mul_(kDeviation)
      .to(options);
}

at::Tensor PromptLearner::Filled(const at::Tensor& context) const {
  const std::int64_t classes = tokens_.size(0);
  const std::int64_t width = fixed_.size(2);
  const auto each = context.dim() == 3
                        ? context
                        : context.unsqueeze(0).expand({classes, -1, -1});
  const auto rows =
      at::cat({fixed_.view({-1, width}), each.reshape({-1, width})}, 0);
  return rows.index_select(0, source_).view({classes, -1, width});
}

at::Tensor PromptLearner::Embeddings(const at::Tensor& context) const {
  return Filled(context.to(fixed_.scalar_type()));
}

at::Tensor PromptLearner::Features(const at::Tensor& embeddings,
                                   bool all_positions) const {
  if (!all_positions) return encoder_.EncodeEmbeddings(embeddings, tokens_);
  // One more text that ends at the last position: nothing can be left out.
  auto longest = tokens_.narrow(0, 0, 1).clone().fill_(1);
  longest.select(1, longest.size(1) - 1).fill_(tokens_.max());
  const auto more = at::cat({embeddings, embeddings.narrow(0, 0, 1)}, 0);
  return encoder_.EncodeEmbeddings(more, at::cat({tokens_, longest}, 0))
      .narrow(0, 0, tokens_.size(0));
}

at::Tensor PromptLearner::FeaturesOfEach(const at::Tensor& contexts) const {
  std::vector<at::Tensor> prompts;
  const std::int64_t count = contexts.size(0);
  for (std::int64_t k = 0; k < count; ++k) {
    prompts.push_back(Embeddings(contexts[k]));
  }
  const auto features = encoder_.EncodeEmbeddings(at::cat(prompts, 0),
                                                  tokens_.repeat({count, 1}));
  return features.view({count, tokens_.size(0), -1});
}

}  // namespace tailmark
