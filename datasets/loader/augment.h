#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "datasets/images/image.h"
#include "harness/base/seeds.h"

namespace tailmark {

/// What may happen to a training picture after resizing. A new kind: one value,
/// its name in augment.cc, one case in Augment().
enum class Augmentation : std::uint8_t {
  kNone,
  kFlip,              ///< Mirrored left to right with probability 1/2.
  kRandAugment,       ///< Two steps of RandAugment, see rand_augment.h.
  kCutoutRandAugment  ///< A half-sized rectangle of one colour, then the same.
};
std::string_view NameOf(Augmentation augmentation);
/// Throws ConfigError with the nearest name.
Augmentation AugmentationByName(std::string_view name);
/// Whether it only ever gives the picture or its mirror image, so that features
/// of both can stand for it.
bool IsFlipAtMost(Augmentation augmentation);

/// Everything drawn for one sample, so that a batch can tell what was done.
struct Augmented {
  bool flipped = false;
};

/// The stream of chance of one sample in one epoch: what the loader gives to
/// Augment(), and what whoever works on cached features has to draw from, so
/// that both mirror the same samples.
inline ChanceStream SampleChance(std::uint64_t seed, std::int64_t epoch,
                                 std::int64_t row) {
  return {DeriveSeed(seed, "loader/augment", static_cast<std::uint64_t>(epoch)),
          0, static_cast<std::uint64_t>(row)};
}

/// Changes `image` in place. `chance` is the sample's own stream; what is drawn
/// never depends on the pixels.
Augmented Augment(Augmentation augmentation, ChanceStream chance, Image& image);

}  // namespace tailmark
