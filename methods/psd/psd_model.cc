#include "methods/psd/psd_model.h"

#include <cmath>
#include <utility>

#include "harness/base/error.h"
#include "harness/base/seeds.h"
#include "methods/torch_pch.h"

namespace tailmark {

PsdModel::PsdModel(const PsdTraining& options, const Problem& problem,
                   std::vector<std::int64_t> classes, std::uint64_t seed)
    : options_(options),
      encoder_(problem.encoder),
      classes_(std::move(classes)) {
  for (const std::int64_t c : classes_) {
    names_.push_back(problem.class_names[static_cast<std::size_t>(c)]);
  }
  if (options_.variant == "prompt") {
    learner_.emplace(PromptShape{.length = options_.context_length,
                                 .class_specific = false,
                                 .init_text = ""},
                     names_, *encoder_);
    slots_.push_back(
        {"context", learner_->InitialContext(DeriveSeed(seed, "psd/context"))});
    return;
  }
  AddHead(problem);
  if (options_.variant == "adapter") {
    const VisualSlots slots = encoder_->visual_slots();
    if (slots.layers == 0) {
      throw ConfigError(
          "variant 'adapter' needs a vision transformer: this encoder has no "
          "place for visual prompts");
    }
    auto chance = at::detail::createCPUGenerator(DeriveSeed(seed, "psd/vpt"));
    const double bound = std::sqrt(
        6.0 / static_cast<double>(3 * slots.patch * slots.patch + slots.width));
    slots_.push_back(
        {"prompts",
         at::empty({slots.layers, options_.adapter_tokens, slots.width})
             .uniform_(-bound, bound, chance)
             .to(problem.device)});
  } else if (options_.variant == "finetune") {
    tower_ = encoder_->Copy(Towers::kImage);
    for (const EncoderParameter& each : tower_->Parameters(Towers::kImage)) {
      each.value.set_requires_grad(true);
      slots_.push_back({"tower/" + each.name, each.value, /*tower=*/true});
    }
  }
}

void PsdModel::AddHead(const Problem& problem) {
  const at::NoGradGuard no_grad;
  const auto like = at::TensorOptions(at::kFloat).device(problem.device);
  const auto n = static_cast<std::int64_t>(classes_.size());
  auto weight = at::zeros({n, encoder_->feature_width()}, like);
  if (options_.head_init == "text") {
    std::vector<std::string> texts;
    for (const std::string& name : names_) {
      texts.push_back("a photo of a " + SpokenName(name) + ".");
    }
    weight =
        UnitRows(
            encoder_->EncodeText(encoder_->Tokenize(texts)).to(at::kFloat)) *
        options_.head_scale;
  }
  slots_.push_back({"head.weight", weight});
  slots_.push_back({"head.bias", at::full({n}, options_.head_bias, like)});
}

void PsdModel::Assign(std::span<const at::Tensor> values) {
  TM_CHECK(values.size() == slots_.size(), "one value a slot");
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < values.size(); ++i) {
    slots_[i].value.copy_(values[i]);
  }
}

at::Tensor PsdModel::Prepared(const at::Tensor& pixels) const {
  if (options_.variant == "finetune" || options_.variant == "adapter") {
    return pixels;
  }
  const at::NoGradGuard no_grad;
  return encoder_->EncodeImages(pixels);
}

at::Tensor PsdModel::Logits(const at::Tensor& prepared,
                            std::span<const at::Tensor> values) const {
  if (options_.variant == "prompt") {
    const double scale = options_.logit_scale > 0 ? options_.logit_scale
                                                  : encoder_->logit_scale();
    const auto text = learner_->Features(learner_->Embeddings(values[0]));
    return UnitRows(prepared).matmul(UnitRows(text).t()) * scale;
  }
  at::Tensor feature = prepared;
  if (tower_ != nullptr) {
    feature = tower_->EncodeImages(prepared);
  } else if (options_.variant == "adapter") {
    feature =
        encoder_->EncodePrompted(prepared, values[2], /*apart=*/false).image;
  }
  if (options_.unit_feature) feature = UnitRows(feature);
  return at::linear(feature, values[0], values[1]);
}

at::Tensor PsdModel::Logits(const at::Tensor& prepared) const {
  std::vector<at::Tensor> values;
  for (const Slot& slot : slots_) values.push_back(slot.value);
  return Logits(prepared, values);
}

}  // namespace tailmark
