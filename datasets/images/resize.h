#pragma once

#include <cstdint>

#include "datasets/images/image.h"
#include "datasets/images/pipeline.h"

namespace tailmark {

/// A part of a picture, in pixels.
struct Box {
  std::int64_t left = 0;
  std::int64_t top = 0;
  int width = 0;
  int height = 0;
};

/// How Pillow's bytes are made: separable, rounded to bytes between the passes,
/// 22-bit weights, the filter widened when shrinking.
struct Resampling {
  Pipeline::Filter filter = Pipeline::Filter::kBicubic;
  Pipeline::Passes passes = Pipeline::Passes::kPillow13;
};

/// The part `box` of the picture resized to width x height, without working out
/// the rest of it; the bytes of Pillow's Image.resize(). Sizes are int64
/// because the longer side of a sliver of a picture can pass 2^31. REQUIRES:
/// image at least 1 x 1, box not empty and inside. Throws DataError when the
/// picture is too elongated for the memory between the passes.
Image ResizeAndCrop(const Image& image, std::int64_t width, std::int64_t height,
                    const Resampling& how, const Box& box);

/// The whole picture resized.
Image Resize(const Image& image, int width, int height, const Resampling& how);

}  // namespace tailmark
