#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "datasets/images/image.h"

namespace tailmark {

/// From a decoded picture to what an encoder sees. Named, versioned, and part
/// of every run's key.
struct Pipeline {
  enum class Shape : std::uint8_t {
    kCrop,    ///< Shorter side to `size`, then centre crop (CLIP).
    kSquash,  ///< Both sides to `size` (LMPT, HP-DVAL).
    kAsIs     ///< The picture must be size x size already (nano-CLIP).
  };
  enum class Filter : std::uint8_t { kBicubic, kBilinear };
  /// Which of the two passes of resizing comes first. Between them values are
  /// rounded to bytes, so that some differ by one.
  enum class Passes : std::uint8_t {
    kPillow13,  ///< Down first where the height shrinks by more than twice what
                ///< the width does, else across (Pillow since 13.0).
    kPillow12   ///< Across first, always (Pillow before).
  };

  Shape shape = Shape::kCrop;
  Filter filter = Filter::kBicubic;
  Passes passes = Passes::kPillow13;
  int size = 224;  ///< Output is [size, size, 3].
  // CLIP's normalisation, applied to value / 255; "squash-imagenet-":
  // ImageNet's.
  std::array<float, 3> mean{0.48145466F, 0.4578275F, 0.40821073F};
  std::array<float, 3> std{0.26862954F, 0.26130258F, 0.27577711F};
};

/// Raise it when any output byte may change.
inline constexpr int kPipelineVersion = 1;

/// "clip-224", "squash-224" (bilinear), "squash-bicubic-224",
/// "squash-imagenet-224" (ImageNet's mean and deviation), "as-is-48", and
/// the same with other sizes; and with "pillow12-" before the size
/// ("squash-pillow12-224") what Pillow did until version 13: other bytes for
/// squashed portraits, a few pictures in a hundred. Throws ConfigError with the
/// nearest name.
Pipeline PipelineByName(std::string_view name);
std::string NameOf(const Pipeline& pipeline);

/// Resize and crop, equal to Pillow's bytes. Result is size x size. Throws
/// DataError when kAsIs meets another size.
Image Preprocess(const Pipeline& pipeline, const Image& image);

/// (value / 255 - mean) / std in float32, planar [3, size, size] into `out`.
void Normalise(const Pipeline& pipeline, const Image& image, float* out);

}  // namespace tailmark
