#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <filesystem>
#include <memory>
#include <string>

#include "harness/api/encoder.h"
#include "methods/clip/clip_model.h"
#include "methods/clip/tokenizer.h"

namespace tailmark {

/// A CLIP folder behind the interface that methods see. What is recorded for
/// gradients is the caller's choice (NoGradGuard, InferenceMode): parameters do
/// not require any unless someone asks model() to.
class ClipEncoder final : public Encoder {
 public:
  /// A folder or file as LoadClip reads them and, in that folder, the
  /// vocabulary; without one there are no texts. Throws DataError.
  static std::unique_ptr<ClipEncoder> Load(const std::filesystem::path& folder,
                                           c10::Device device,
                                           at::ScalarType dtype = at::kFloat);
  /// `tokenizer` null: Tokenize() is a ConfigError.
  ClipEncoder(ClipModel model, std::shared_ptr<const Tokenizer> tokenizer,
              std::string name);

  std::int64_t feature_width() const override;
  std::int64_t context_length() const override;
  double logit_scale() const override { return model_.Scale(); }
  c10::Device device() const override;
  /// A ResNet whose BatchNorm is in train mode.
  bool batch_dependent() const override {
    return model_.resnet && model_.resnet->train_mode;
  }
  /// Raise the number when any bit of a feature may change.
  std::string settings() const override {
    return std::string("clip-1 ") +
           c10::toString(model_.logit_scale.scalar_type());
  }

  at::Tensor EncodeImages(const at::Tensor& pixels) override;
  at::Tensor EncodeImageTokens(const at::Tensor& pixels) override;
  VisualSlots visual_slots() const override;
  PromptedFeatures EncodePrompted(const at::Tensor& pixels,
                                  const at::Tensor& prompts,
                                  bool apart) override;
  at::Tensor Tokenize(std::span<const std::string> texts,
                      bool truncate = false) const override;
  at::Tensor EncodeText(const at::Tensor& tokens) override;
  /// ln_final and projection at every position, [n, L, D], of ids [n, L].
  at::Tensor EncodeTextTokens(const at::Tensor& tokens);
  at::Tensor EmbedTokens(const at::Tensor& tokens) override;
  at::Tensor EncodeEmbeddings(const at::Tensor& embeddings,
                              const at::Tensor& tokens) override;

  std::unique_ptr<Encoder> Copy(Towers own) const override;
  /// Of a ResNet also the running figures of its norms.
  std::vector<EncoderParameter> Parameters(Towers of) const override;
  /// Vision transformers only.
  void RecomputeActivations(bool on) override { model_.vision.recompute = on; }

  /// Side of the pictures it was trained with, pixels.
  std::int64_t image_size() const { return model_.config.image_size; }
  /// For methods that fine-tune: Clone() it to keep the encoder as it is.
  ClipModel& model() { return model_; }

 private:
  ClipModel model_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  std::string name_;
};

}  // namespace tailmark
