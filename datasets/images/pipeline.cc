#include "datasets/images/pipeline.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <vector>

#include "datasets/images/resize.h"
#include "harness/base/error.h"
#include "harness/base/suggest.h"

namespace tailmark {
namespace {

constexpr int kMaxSize = 4096;

using Shape = Pipeline::Shape;
using Filter = Pipeline::Filter;
using Passes = Pipeline::Passes;

struct Family {
  std::string_view prefix;
  Shape shape;
  Filter filter;
  Passes passes = Passes::kPillow13;
  bool imagenet = false;  // Normalised by ImageNet's figures, not CLIP's.
};
// torchvision's, which LMPT's release takes for CLIP's.
constexpr std::array<float, 3> kImageNetMean = {0.485F, 0.456F, 0.406F};
constexpr std::array<float, 3> kImageNetStd = {0.229F, 0.224F, 0.225F};

constexpr Family kFamilies[] = {
    {"clip-", Shape::kCrop, Filter::kBicubic},
    {"clip-bilinear-", Shape::kCrop, Filter::kBilinear},
    {"squash-", Shape::kSquash, Filter::kBilinear},
    {"squash-bicubic-", Shape::kSquash, Filter::kBicubic},
    {"squash-imagenet-", Shape::kSquash, Filter::kBilinear, Passes::kPillow13,
     true},
    {"as-is-", Shape::kAsIs, Filter::kBicubic},
    {"clip-pillow12-", Shape::kCrop, Filter::kBicubic, Passes::kPillow12},
    {"clip-bilinear-pillow12-", Shape::kCrop, Filter::kBilinear,
     Passes::kPillow12},
    {"squash-pillow12-", Shape::kSquash, Filter::kBilinear, Passes::kPillow12},
    {"squash-bicubic-pillow12-", Shape::kSquash, Filter::kBicubic,
     Passes::kPillow12},
};

/// The shorter side becomes `size`, the longer one keeps the ratio, cut to a
/// whole number.
std::int64_t LongerSide(int size, int longer, int shorter) {
  return std::int64_t{size} * longer / shorter;
}

/// (side - size) / 2, a half going to the even neighbour: Python's round().
std::int64_t CropOffset(std::int64_t side, int size) {
  const std::int64_t twice = side - size;
  const std::int64_t half = twice / 2;
  return twice % 2 != 0 && half % 2 != 0 ? half + 1 : half;
}

Image ResizeShorterAndCrop(const Pipeline& pipeline, const Image& image) {
  const int size = pipeline.size;
  const bool wide = image.width >= image.height;
  const std::int64_t width =
      wide ? LongerSide(size, image.width, image.height) : size;
  const std::int64_t height =
      wide ? size : LongerSide(size, image.height, image.width);
  const Box box{CropOffset(width, size), CropOffset(height, size), size, size};
  return ResizeAndCrop(image, width, height, {pipeline.filter, pipeline.passes},
                       box);
}

}  // namespace

Pipeline PipelineByName(std::string_view name) {
  const std::size_t digits = name.find_last_not_of("0123456789") + 1;
  int size = 0;
  std::from_chars(name.data() + digits, name.data() + name.size(), size);
  std::vector<std::string> known;
  for (const Family& family : kFamilies) {
    if (name.substr(0, digits) == family.prefix && size >= 1 &&
        size <= kMaxSize) {
      Pipeline pipeline{.shape = family.shape,
                        .filter = family.filter,
                        .passes = family.passes,
                        .size = size};
      if (family.imagenet) {
        pipeline.mean = kImageNetMean;
        pipeline.std = kImageNetStd;
      }
      return pipeline;
    }
    known.push_back(
        StrCat(family.prefix, size >= 1 && size <= kMaxSize ? size : 224));
  }
  throw ConfigError(UnknownName("pipeline", name, known));
}

std::string NameOf(const Pipeline& pipeline) {
  const bool as_is = pipeline.shape == Shape::kAsIs;
  const bool imagenet = pipeline.mean == kImageNetMean;
  for (const Family& family : kFamilies) {
    if (pipeline.shape == family.shape && family.imagenet == imagenet &&
        (as_is || (pipeline.filter == family.filter &&
                   pipeline.passes == family.passes))) {
      return StrCat(family.prefix, pipeline.size);
    }
  }
  TM_CHECK(false, "a pipeline without a name");
}

Image Preprocess(const Pipeline& pipeline, const Image& image) {
  const int size = pipeline.size;
  switch (pipeline.shape) {
    case Shape::kCrop:
      return ResizeShorterAndCrop(pipeline, image);
    case Shape::kSquash:
      return Resize(image, size, size, {pipeline.filter, pipeline.passes});
    case Shape::kAsIs:
      break;
  }
  if (image.width != size || image.height != size) {
    throw DataError(StrCat("a picture of ", image.width, " x ", image.height,
                           " pixels; ", NameOf(pipeline), " takes ", size,
                           " x ", size, " only"));
  }
  return image;
}

void Normalise(const Pipeline& pipeline, const Image& image, float* out) {
  const std::size_t pixels = image.rgb.size() / 3;
  std::array<std::array<float, 256>, 3> tables;
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t value = 0; value < 256; ++value) {
      const float unit = static_cast<float>(value) / 255.0F;
      tables[c][value] = (unit - pipeline.mean[c]) / pipeline.std[c];
    }
  }
  const std::uint8_t* in = image.rgb.data();
  for (std::size_t i = 0; i < pixels; ++i, in += 3) {
    out[i] = tables[0][in[0]];
    out[pixels + i] = tables[1][in[1]];
    out[2 * pixels + i] = tables[2][in[2]];
  }
}

}  // namespace tailmark
