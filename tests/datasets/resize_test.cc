#include "datasets/images/resize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "datasets/images/resize_kernels.h"
#include "harness/base/error.h"
#include "harness/base/seeds.h"

namespace tailmark {
namespace {

using Filter = Pipeline::Filter;
using Passes = Pipeline::Passes;

Image Noise(int width, int height, std::uint64_t seed) {
  Image image{width, height, {}};
  ChanceStream chance(seed, 0, 0);
  image.rgb.resize(static_cast<std::size_t>(width) *
                   static_cast<std::size_t>(height) * 3);
  // Runs of black and white too: there the filter overshoots.
  const bool hard = seed % 2 == 0;
  for (std::uint8_t& value : image.rgb) {
    value = static_cast<std::uint8_t>(hard ? 255 * chance.Below(2)
                                           : chance.Below(256));
  }
  return image;
}

/// What the filter does, as plainly as can be: one output value of one line of
/// inputs at a time, everything worked out anew.
int OneValue(const std::vector<int>& line, int out_size, int index,
             Filter filter) {
  const int in_size = static_cast<int>(line.size());
  const double scale = static_cast<double>(in_size) / out_size;
  const double stretch = scale < 1 ? 1 : scale;
  const double reach = (filter == Filter::kBicubic ? 2.0 : 1.0) * stretch;
  const double center = (index + 0.5) * scale;
  const int from =
      std::max(0, static_cast<int>(std::floor(center - reach + 0.5)));
  const int to =
      std::min(in_size, static_cast<int>(std::floor(center + reach + 0.5)));
  std::vector<double> weights;
  double sum = 0;
  for (int i = from; i < to; ++i) {
    const double x = std::abs((i - center + 0.5) * (1.0 / stretch));
    double weight = 0;
    if (filter == Filter::kBilinear) {
      weight = x < 1 ? 1 - x : 0;
    } else if (x < 1) {
      weight = (1.5 * x - 2.5) * x * x + 1;
    } else if (x < 2) {
      weight = (((x - 5) * x + 8) * x - 4) * -0.5;
    }
    weights.push_back(weight);
    sum += weight;
  }
  std::int64_t total = std::int64_t{1} << 21;
  for (int i = from; i < to; ++i) {
    const double share = weights[static_cast<std::size_t>(i - from)] / sum;
    const double fixed = share * 4194304.0;
    const auto whole =
        static_cast<std::int64_t>(fixed < 0 ? fixed - 0.5 : fixed + 0.5);
    total += whole * line[static_cast<std::size_t>(i)];
  }
  return static_cast<int>(std::clamp<std::int64_t>(total >> 22, 0, 255));
}

std::size_t At(const Image& image, int x, int y, int c) {
  return (static_cast<std::size_t>(y) * static_cast<std::size_t>(image.width) +
          static_cast<std::size_t>(x)) *
             3 +
         static_cast<std::size_t>(c);
}

Image SlowAcross(const Image& image, int width, Filter filter) {
  Image result{width, image.height, {}};
  result.rgb.resize(static_cast<std::size_t>(width * image.height) * 3);
  for (int c = 0; c < 3; ++c) {
    for (int y = 0; y < image.height; ++y) {
      std::vector<int> line;
      for (int x = 0; x < image.width; ++x) {
        line.push_back(image.rgb[At(image, x, y, c)]);
      }
      for (int x = 0; x < width; ++x) {
        result.rgb[At(result, x, y, c)] =
            static_cast<std::uint8_t>(OneValue(line, width, x, filter));
      }
    }
  }
  return result;
}

Image Turned(const Image& image) {
  Image result{image.height, image.width, {}};
  result.rgb.resize(image.rgb.size());
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      for (int c = 0; c < 3; ++c) {
        result.rgb[At(result, y, x, c)] = image.rgb[At(image, x, y, c)];
      }
    }
  }
  return result;
}

Image SlowDown(const Image& image, int height, Filter filter) {
  return Turned(SlowAcross(Turned(image), height, filter));
}

Image SlowResize(const Image& image, int width, int height,
                 const Resampling& how) {
  const int shrinks = image.height - height;
  if (how.passes == Passes::kPillow13 && shrinks > 0 &&
      shrinks > 2 * (image.width - width)) {
    return SlowAcross(SlowDown(image, height, how.filter), width, how.filter);
  }
  return SlowDown(SlowAcross(image, width, how.filter), height, how.filter);
}

Image Cut(const Image& image, const Box& box) {
  Image part{box.width, box.height, {}};
  for (int y = 0; y < box.height; ++y) {
    const std::uint8_t* from = image.Row(static_cast<int>(box.top) + y) +
                               static_cast<std::ptrdiff_t>(box.left) * 3;
    part.rgb.insert(part.rgb.end(), from,
                    from + static_cast<std::ptrdiff_t>(box.width) * 3);
  }
  return part;
}

std::vector<const internal::ResizeKernels*> AllKernels() {
  std::vector<const internal::ResizeKernels*> all = {&internal::PlainKernels()};
  for (const auto* wide :
       {internal::Avx2Kernels(), internal::Avx512Kernels()}) {
    if (wide != nullptr) all.push_back(wide);
  }
  return all;
}

/// Sizes that are often 1, equal, or far apart.
int RandomSide(ChanceStream& chance) {
  switch (chance.Below(4)) {
    case 0:
      return chance.Range(1, 3);
    case 1:
      return chance.Range(1, 20);
    default:
      return chance.Range(1, 90);
  }
}

TEST(Resize, EqualsTheSlowWayAtRandomSizes) {
  ChanceStream chance(11, 0, 0);
  for (std::uint64_t round = 0; round < 60; ++round) {
    const Image image = Noise(RandomSide(chance), RandomSide(chance), round);
    const bool keep = chance.Chance(15);
    const int width = keep ? image.width : RandomSide(chance);
    const int height = chance.Chance(15) ? image.height : RandomSide(chance);
    const Resampling how = {
        chance.Chance(50) ? Filter::kBicubic : Filter::kBilinear,
        chance.Chance(50) ? Passes::kPillow13 : Passes::kPillow12};
    const Image slow = SlowResize(image, width, height, how);
    const Box whole{0, 0, width, height};
    for (const auto* kernels : AllKernels()) {
      const Image fast =
          internal::ResizeAndCrop(image, width, height, how, whole, *kernels);
      ASSERT_EQ(fast.rgb, slow.rgb)
          << image.width << " x " << image.height << " to " << width << " x "
          << height
          << (kernels == &internal::PlainKernels() ? ", plain" : ", wide");
    }
  }
}

TEST(Resize, APartIsThatPartOfTheWhole) {
  ChanceStream chance(12, 0, 0);
  for (std::uint64_t round = 0; round < 80; ++round) {
    const Image image = Noise(RandomSide(chance), RandomSide(chance), round);
    const int width = chance.Chance(15) ? image.width : RandomSide(chance);
    const int height = chance.Chance(15) ? image.height : RandomSide(chance);
    Box box;
    box.left = chance.Range(0, width - 1);
    box.top = chance.Range(0, height - 1);
    box.width = chance.Range(1, width - static_cast<int>(box.left));
    box.height = chance.Range(1, height - static_cast<int>(box.top));
    const Resampling how = {Filter::kBicubic, chance.Chance(50)
                                                  ? Passes::kPillow13
                                                  : Passes::kPillow12};
    const Image whole = Resize(image, width, height, how);
    for (const auto* kernels : AllKernels()) {
      ASSERT_EQ(
          internal::ResizeAndCrop(image, width, height, how, box, *kernels).rgb,
          Cut(whole, box).rgb)
          << image.width << " x " << image.height << " to " << width << " x "
          << height << ", " << box.width << " x " << box.height << " at "
          << box.left << ", " << box.top;
    }
  }
}

TEST(Resize, AllKernelsAgreeOnAPhotographsSize) {
  const Image image = Noise(641, 479, 3);
  const Image plain = internal::ResizeAndCrop(
      image, 299, 224, {}, {37, 0, 224, 224}, *AllKernels().front());
  const Image best = ResizeAndCrop(image, 299, 224, {}, {37, 0, 224, 224});
  EXPECT_EQ(plain.rgb, best.rgb);
}

TEST(Resize, AllKernelsAgreeHoweverMuchAPictureShrinks) {
  // Up to about four times, four outputs see no more than one load holds.
  constexpr int kOut = 33;
  for (int width = 1; width < 7 * kOut; width += 3) {
    const Image image = Noise(width, 5, static_cast<std::uint64_t>(width));
    for (const Filter filter : {Filter::kBilinear, Filter::kBicubic}) {
      const Image plain = internal::ResizeAndCrop(
          image, kOut, 5, {filter}, {0, 0, kOut, 5}, *AllKernels().front());
      for (const auto* kernels : AllKernels()) {
        ASSERT_EQ(internal::ResizeAndCrop(image, kOut, 5, {filter},
                                          {0, 0, kOut, 5}, *kernels)
                      .rgb,
                  plain.rgb)
            << width << " to " << kOut;
      }
    }
  }
}

TEST(Resize, ASliverIsEnlargedOnlyWhereItIsLookedAt) {
  // The whole would be 1,000,000 * 4096 pixels high.
  const Image image = Noise(1, 1000000, 5);
  const Image part = ResizeAndCrop(image, 4096, std::int64_t{4096} * 1000000,
                                   {}, {0, 2047999999, 16, 16});
  EXPECT_EQ(part.rgb.size(), 16U * 16 * 3);
}

TEST(Resize, ATallPictureIsSquashedInAnotherOrderSincePillow13) {
  const Image image = Noise(60, 97, 5);  // 97 - 32 > 2 * (60 - 32)
  const Resampling older = {Filter::kBilinear, Passes::kPillow12};
  const Resampling newer = {Filter::kBilinear, Passes::kPillow13};
  const Image across_first = Resize(image, 32, 32, older);
  const Image down_first = Resize(image, 32, 32, newer);
  EXPECT_EQ(across_first.rgb,
            Resize(Resize(image, 32, 97, older), 32, 32, older).rgb);
  EXPECT_EQ(down_first.rgb,
            Resize(Resize(image, 60, 32, older), 32, 32, older).rgb);
  EXPECT_NE(across_first.rgb, down_first.rgb);
  const Image wider = Noise(65, 97, 5);  // 65, not 66: no more than twice
  EXPECT_EQ(Resize(wider, 32, 32, older).rgb, Resize(wider, 32, 32, newer).rgb);
}

TEST(Resize, WhatNeedsTooMuchMemoryIsRefused) {
  const Image image = Noise(1, 1000000, 5);
  EXPECT_THROW(Resize(image, 224, 224, {Filter::kBilinear, Passes::kPillow12}),
               DataError);
  EXPECT_NO_THROW(Resize(image, 224, 224, {Filter::kBilinear}));
}

}  // namespace
}  // namespace tailmark
