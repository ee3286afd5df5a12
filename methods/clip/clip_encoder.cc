#include "methods/clip/clip_encoder.h"

#include <utility>
#include <vector>

#include "harness/base/error.h"
#include "methods/clip/weights.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

template <class Tower>
Tower Copied(const Tower& tower, const ClipModel& of) {
  const at::NoGradGuard no_grad;
  Tower copy(of.config, of.logit_scale.options());
  NamedTensors from;
  NamedTensors to;
  tower.Collect(from);
  copy.Collect(to);
  for (std::size_t i = 0; i < from.size(); ++i) {
    to[i].tensor.copy_(from[i].tensor);
  }
  return copy;
}

}  // namespace

std::unique_ptr<ClipEncoder> ClipEncoder::Load(
    const std::filesystem::path& folder, c10::Device device,
    at::ScalarType dtype) {
  ClipModel model = LoadClip(folder, at::TensorOptions(dtype).device(device));
  // A file's vocabulary lies beside it.
  auto tokenizer = LoadTokenizer(
      std::filesystem::is_directory(folder) ? folder : folder.parent_path(),
      model.config);
  return std::make_unique<ClipEncoder>(std::move(model), std::move(tokenizer),
                                       folder.string());
}

ClipEncoder::ClipEncoder(ClipModel model,
                         std::shared_ptr<const Tokenizer> tokenizer,
                         std::string name)
    : model_(std::move(model)),
      tokenizer_(std::move(tokenizer)),
      name_(std::move(name)) {}

std::int64_t ClipEncoder::feature_width() const {
  return model_.config.joint_width;
}

std::int64_t ClipEncoder::context_length() const {
  return model_.config.context_length;
}

c10::Device ClipEncoder::device() const { return model_.logit_scale.device(); }

at::Tensor ClipEncoder::EncodeImages(const at::Tensor& pixels) {
  return model_.ImageFeature(pixels);
}

at::Tensor ClipEncoder::EncodeImageTokens(const at::Tensor& pixels) {
  if (model_.resnet) {
    const auto map = model_.resnet->Map(pixels);
    return at::cat({model_.resnet->Pool(map).unsqueeze(1),
                    model_.resnet->Dense(map, /*positions=*/false)},
                   1);
  }
  return model_.vision.Project(model_.vision.Tokens(pixels));
}

at::Tensor ClipEncoder::EncodeImageStates(const at::Tensor& pixels) {
  if (model_.resnet) {
    throw ConfigError(StrCat(name_,
                             ": a ResNet has no tokens before its "
                             "projection; this needs a vision transformer"));
  }
  return model_.vision.norm_post(model_.vision.Tokens(pixels));
}

VisualSlots ClipEncoder::visual_slots() const {
  if (model_.resnet) return {};
  return {.layers = static_cast<std::int64_t>(model_.vision.blocks.size()),
          .width = model_.vision.class_token.size(0),
          .patch = model_.config.patch_size};
}

PromptedFeatures ClipEncoder::EncodePrompted(const at::Tensor& pixels,
                                             const at::Tensor& prompts,
                                             bool apart) {
  if (model_.resnet) return Encoder::EncodePrompted(pixels, prompts, apart);
  const std::int64_t soft = prompts.size(1);
  VisualPrompts visual{.tokens = prompts, .mask = {}};
  if (apart) {
    const std::int64_t patch = model_.config.patch_size;
    const std::int64_t patches =
        (pixels.size(2) / patch) * (pixels.size(3) / patch);
    visual.mask = PromptsApart(soft, patches, device());
  }
  const auto tokens = model_.vision.Tokens(pixels, visual);
  return {.image = model_.vision.Project(tokens.select(1, 0)),
          .prompts = model_.vision.norm_post(tokens.narrow(1, 1, soft))};
}

at::Tensor ClipEncoder::Tokenize(std::span<const std::string> texts,
                                 bool truncate) const {
  if (tokenizer_ == nullptr) {
    throw ConfigError(StrCat(name_, ": texts need a vocabulary for tokenizer '",
                             model_.config.tokenizer,
                             "', but there is none beside the weights; put "
                             "vocab.json and merges.txt, or "
                             "bpe_simple_vocab_16e6.txt.gz, there"));
  }
  const std::int64_t length = context_length();
  std::vector<std::int64_t> ids;
  for (const std::string& text : texts) {
    const auto row = tokenizer_->Row(text, length, truncate);
    ids.insert(ids.end(), row.begin(), row.end());
  }
  return at::tensor(ids, at::kLong)
      .view({static_cast<std::int64_t>(texts.size()), length})
      .to(device());
}

at::Tensor ClipEncoder::EncodeText(const at::Tensor& tokens) {
  return EncodeEmbeddings(EmbedTokens(tokens), tokens);
}

at::Tensor ClipEncoder::EncodeTextTokens(const at::Tensor& tokens) {
  return at::linear(
      model_.text.norm_final(model_.text.Tokens(EmbedTokens(tokens))),
      model_.text.projection);
}

at::Tensor ClipEncoder::EmbedTokens(const at::Tensor& tokens) {
  return model_.text.Embed(tokens);
}

std::unique_ptr<Encoder> ClipEncoder::Copy(Towers own) const {
  ClipModel copy = model_;  // Shares every parameter.
  if (own != Towers::kText) {
    if (copy.resnet) {
      copy.resnet = Copied(*model_.resnet, model_);
    } else {
      copy.vision = Copied(model_.vision, model_);
    }
  }
  if (own != Towers::kImage) copy.text = Copied(model_.text, model_);
  return WithModel(std::move(copy));
}

std::vector<EncoderParameter> ClipEncoder::Parameters(Towers of) const {
  NamedTensors named;
  if (of != Towers::kText) {
    if (model_.resnet) {
      model_.resnet->Collect(named);
    } else {
      model_.vision.Collect(named);
    }
  }
  if (of != Towers::kImage) model_.text.Collect(named);
  std::vector<EncoderParameter> all;
  for (const NamedTensor& each : named) all.push_back({each.name, each.tensor});
  return all;
}

at::Tensor ClipEncoder::EncodeEmbeddings(const at::Tensor& embeddings,
                                         const at::Tensor& tokens) {
  return model_.text.Feature(embeddings, model_.text.Ends(tokens));
}

}  // namespace tailmark
