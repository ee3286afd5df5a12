#include "datasets/loader/rand_augment.h"

#include <algorithm>
#include <cmath>

#include "datasets/images/photo_ops.h"

namespace tailmark {
namespace {

constexpr int kLevels = 9;
constexpr Colour kGrey = {128, 128, 128};
constexpr Colour kImageNetMean = {125, 122, 113};

/// What level 0..9 stands for, between two ends. As numpy.linspace has it: the
/// step first, then the multiple.
double Between(double first, double last, int level) {
  if (level == kLevels) return last;
  return first + level * ((last - first) / kLevels);
}

int PixelAt(double share, int side) {
  return std::min(static_cast<int>(share * side), side - 1);
}

void CutBox(const AugmentStep& step, Image& image) {
  const int half =
      static_cast<int>(std::nearbyint(Between(0, 20, step.level))) / 2;
  const int x = PixelAt(step.x, image.width);
  const int y = PixelAt(step.y, image.height);
  FillBox(image, x - half, y - half, x + half, y + half, kImageNetMean);
}

}  // namespace

std::string_view NameOf(AugmentOp op) {
  constexpr std::array<std::string_view, kAugmentOps> kNames = {
      "Invert",   "Cutout",     "Sharpness",  "AutoContrast", "Posterize",
      "ShearX",   "TranslateX", "TranslateY", "ShearY",       "Rotate",
      "Equalize", "Contrast",   "Color",      "Solarize",     "Brightness"};
  return kNames[static_cast<std::size_t>(op)];
}

AugmentStep DrawAugmentStep(ChanceStream& chance) {
  AugmentStep step;
  step.op = static_cast<AugmentOp>(chance.Below(kAugmentOps));
  step.level = chance.Range(1, kLevels);
  step.applied = chance.Chance(50);
  step.negative = chance.Chance(50);
  step.x = chance.Unit();
  step.y = chance.Unit();
  return step;
}

void Apply(const AugmentStep& step, Image& image) {
  if (!step.applied) return;
  const int level = step.level;
  const double sign = step.negative ? -1 : 1;
  const double shear = sign * Between(0, 0.3, level);
  const double part = Between(0, 150.0 / 331.0, level);
  const double factor = 1 + sign * Between(0, 0.9, level);
  switch (step.op) {
    case AugmentOp::kInvert:
      return Invert(image);
    case AugmentOp::kCutout:
      return CutBox(step, image);
    case AugmentOp::kSharpness:
      return Sharpen(image, factor);
    case AugmentOp::kAutoContrast:
      return AutoContrast(image);
    case AugmentOp::kPosterize:
      return Posterize(image,
                       static_cast<int>(std::nearbyint(Between(8, 4, level))));
    case AugmentOp::kShearX:
      return Transform(image, {.b = shear}, Sampling::kBicubic, kGrey);
    case AugmentOp::kTranslateX:
      return Transform(image, {.c = sign * (part * image.width)},
                       Sampling::kNearest, kGrey);
    case AugmentOp::kTranslateY:
      return Transform(image, {.f = sign * (part * image.height)},
                       Sampling::kNearest, kGrey);
    case AugmentOp::kShearY:
      return Transform(image, {.d = shear}, Sampling::kBicubic, kGrey);
    case AugmentOp::kRotate:
      return Rotate(image, Between(0, 30, level), kGrey);
    case AugmentOp::kEqualize:
      return Equalize(image);
    case AugmentOp::kContrast:
      return Contrast(image, factor);
    case AugmentOp::kColor:
      return Saturate(image, factor);
    case AugmentOp::kSolarize:
      return Solarize(image, Between(256, 0, level));
    case AugmentOp::kBrightness:
      return Brighten(image, factor);
  }
}

HalfCutout DrawHalfCutout(ChanceStream& chance) {
  HalfCutout cutout;
  cutout.x = chance.Unit();
  cutout.y = chance.Unit();
  for (std::uint8_t& value : cutout.colour) {
    value = static_cast<std::uint8_t>(chance.Below(256));
  }
  return cutout;
}

void Apply(const HalfCutout& cutout, Image& image) {
  // Half a side, rounded up.
  const int width = (image.width + 1) / 2;
  const int height = (image.height + 1) / 2;
  const int x = PixelAt(cutout.x, image.width);
  const int y = PixelAt(cutout.y, image.height);
  const int right = std::min(x + width / 2, image.width);
  const int bottom = std::min(y + height / 2, image.height);
  // One more each way: ImageDraw's rectangle includes its last corner.
  FillBox(image, x - width / 2, y - height / 2, right + 1, bottom + 1,
          cutout.colour);
}

}  // namespace tailmark
