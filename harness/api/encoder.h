#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace tailmark {

/// The halves of an encoder.
enum class Towers : std::uint8_t { kImage, kText, kBoth };

/// A parameter under the name that its file gives it.
struct EncoderParameter {
  std::string name;
  at::Tensor value;
};

/// Where soft tokens of an image tower go: in front of each of its blocks.
struct VisualSlots {
  std::int64_t layers = 0;  ///< 0: there is no such place (a ResNet).
  std::int64_t width = 0;   ///< Wv, of a token.
  std::int64_t patch = 0;   ///< Side in pixels.
};

/// What comes out with soft tokens in.
struct PromptedFeatures {
  at::Tensor image;    ///< Projected features [B, D], not normalised.
  at::Tensor prompts;  ///< [B, P, Wv], after ln_post, not projected.
};

/// A joint image-text encoder as methods see it: CLIP, of any size. B images,
/// L text positions, W text width, D joint width. Tensors are on device().
/// Gradients flow only through what the caller gave with requires_grad; the
/// parameters themselves are frozen unless the method declared
/// `trains_encoder`.
class Encoder {
 public:
  virtual ~Encoder() = default;
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  virtual std::int64_t feature_width() const = 0;   ///< D
  virtual std::int64_t context_length() const = 0;  ///< L, 77 for CLIP
  virtual double logit_scale() const = 0;  ///< exp of the learnt parameter
  virtual c10::Device device() const = 0;
  /// True when an image's features depend on the rest of its batch (BatchNorm
  /// in training mode); such features are never cached.
  virtual bool batch_dependent() const { return false; }
  /// Whatever beside weights and pixels may move a bit of a feature, as a short
  /// text; part of the feature cache's key. Change it with the arithmetic.
  virtual std::string settings() const { return ""; }

  /// Projected features [B, D], not normalised, of normalised pixels [B, 3, H,
  /// W].
  virtual at::Tensor EncodeImages(const at::Tensor& pixels) = 0;
  /// ln_post and projection applied to every token: [B, 1 + patches, D], class
  /// token first.
  virtual at::Tensor EncodeImageTokens(const at::Tensor& pixels) = 0;
  /// The same before the projection, [B, 1 + patches, width of the image
  /// tower].
  virtual at::Tensor EncodeImageStates(const at::Tensor& pixels) = 0;

  virtual VisualSlots visual_slots() const { return {}; }
  /// With soft tokens [layers, P, Wv] behind class token and positions, those
  /// of a block in place of what the block before made of its own (VPT-deep,
  /// Jia et al. 2022). `apart`: a soft token attends to itself, the class token
  /// and the patches, not to other soft tokens. Throws ConfigError where there
  /// are no slots.
  virtual PromptedFeatures EncodePrompted(const at::Tensor& pixels,
                                          const at::Tensor& prompts,
                                          bool apart);

  /// Token ids [n, L], int64, padded; throws ConfigError when a text is too
  /// long and `truncate` is false.
  virtual at::Tensor Tokenize(std::span<const std::string> texts,
                              bool truncate = false) const = 0;
  /// Projected features [n, D], not normalised.
  virtual at::Tensor EncodeText(const at::Tensor& tokens) = 0;
  /// Word embeddings [n, L, W], without positions: where soft prompts go in.
  virtual at::Tensor EmbedTokens(const at::Tensor& tokens) = 0;
  /// Features [n, D] of embeddings [n, L, W]; `tokens` [n, L] says where each
  /// text ends.
  virtual at::Tensor EncodeEmbeddings(const at::Tensor& embeddings,
                                      const at::Tensor& tokens) = 0;

  /// An encoder of the same values whose `own` towers have parameters of their
  /// own, for a method to train: a student beside this one as its teacher. The
  /// other towers are shared, not copied. Nothing requires a gradient yet.
  virtual std::unique_ptr<Encoder> Copy(Towers own) const = 0;
  /// The parameters themselves, in a fixed order; the temperature counts to
  /// neither tower. Set requires_grad on those of a Copy() that are to be
  /// trained.
  virtual std::vector<EncoderParameter> Parameters(Towers of) const = 0;
  /// Trades time for memory: activations of the image tower are computed again
  /// in the backward pass instead of being kept. Changes no bit.
  virtual void RecomputeActivations(bool /*on*/) {}

 protected:
  Encoder() = default;
};

}  // namespace tailmark
