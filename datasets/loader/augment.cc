#include "datasets/loader/augment.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "datasets/loader/rand_augment.h"
#include "harness/base/error.h"
#include "harness/base/suggest.h"

namespace tailmark {
namespace {

struct Kind {
  Augmentation augmentation;
  std::string_view name;
};
constexpr Kind kKinds[] = {
    {Augmentation::kNone, "none"},
    {Augmentation::kFlip, "flip"},
    {Augmentation::kRandAugment, "randaugment"},
    {Augmentation::kCutoutRandAugment, "cutout-randaugment"},
};

void Mirror(Image& image) {
  const auto width = static_cast<std::size_t>(image.width);
  for (std::size_t y = 0; y < static_cast<std::size_t>(image.height); ++y) {
    std::uint8_t* left = image.rgb.data() + y * width * 3;
    std::uint8_t* right = left + (width - 1) * 3;
    for (; left < right; left += 3, right -= 3) {
      std::swap_ranges(left, left + 3, right);
    }
  }
}

void RandAugment(ChanceStream& chance, Image& image) {
  const AugmentStep first = DrawAugmentStep(chance);
  const AugmentStep second = DrawAugmentStep(chance);
  Apply(first, image);
  Apply(second, image);
}

}  // namespace

bool IsFlipAtMost(Augmentation augmentation) {
  return augmentation == Augmentation::kNone ||
         augmentation == Augmentation::kFlip;
}

std::string_view NameOf(Augmentation augmentation) {
  for (const Kind& kind : kKinds) {
    if (kind.augmentation == augmentation) return kind.name;
  }
  TM_CHECK(false, "an augmentation without a name");
}

Augmentation AugmentationByName(std::string_view name) {
  std::vector<std::string> known;
  for (const Kind& kind : kKinds) {
    if (kind.name == name) return kind.augmentation;
    known.emplace_back(kind.name);
  }
  throw ConfigError(UnknownName("augmentation", name, known));
}

Augmented Augment(Augmentation augmentation, ChanceStream chance,
                  Image& image) {
  Augmented done;
  switch (augmentation) {
    case Augmentation::kNone:
      break;
    case Augmentation::kFlip:
      done.flipped = chance.Chance(50);
      if (done.flipped) Mirror(image);
      break;
    case Augmentation::kRandAugment:
      RandAugment(chance, image);
      break;
    case Augmentation::kCutoutRandAugment:
      Apply(DrawHalfCutout(chance), image);
      RandAugment(chance, image);
      break;
  }
  return done;
}

}  // namespace tailmark
