#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "datasets/images/image.h"
#include "harness/base/seeds.h"

/// RandAugment and cutout as HP-DVAL's release has them: package randaugment
/// 1.0.2 (two steps drawn, each done with probability 1/2) and a rectangle of
/// half the picture's sides. Bytes as Pillow makes them.
namespace tailmark {

/// In the order of the package.
enum class AugmentOp : std::uint8_t {
  kInvert,
  kCutout,
  kSharpness,
  kAutoContrast,
  kPosterize,
  kShearX,
  kTranslateX,
  kTranslateY,
  kShearY,
  kRotate,
  kEqualize,
  kContrast,
  kColor,
  kSolarize,
  kBrightness
};
inline constexpr int kAugmentOps = 15;
std::string_view NameOf(AugmentOp op);

/// All that is drawn for one step. What an operation does not use is drawn all
/// the same, so that one step's chance never moves the next one's.
struct AugmentStep {
  AugmentOp op = AugmentOp::kInvert;
  int level = 1;          ///< 1..9, from nearly nothing to strong.
  bool applied = true;    ///< Probability 1/2.
  bool negative = false;  ///< Other way, or less instead of more.
  double x = 0;           ///< In [0, 1): where the box of kCutout is centred.
  double y = 0;
};
AugmentStep DrawAugmentStep(ChanceStream& chance);
/// Does nothing unless `applied`.
void Apply(const AugmentStep& step, Image& image);

/// A rectangle of half the width and half the height (rounded up), centred on
/// any pixel, in one colour; what lies outside is cut off.
struct HalfCutout {
  double x = 0;  ///< In [0, 1)
  double y = 0;
  std::array<std::uint8_t, 3> colour{};
};
HalfCutout DrawHalfCutout(ChanceStream& chance);
void Apply(const HalfCutout& cutout, Image& image);

}  // namespace tailmark
