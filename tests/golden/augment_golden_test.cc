// RandAugment's operations and the cutout, byte for byte what Pillow gives.

#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <string>

#include "datasets/images/decode.h"
#include "datasets/loader/rand_augment.h"
#include "harness/base/json.h"
#include "tests/golden/golden.h"

namespace tailmark {
namespace {

Image Cut(const Image& sheet, int number, int height) {
  Image part{.width = sheet.width, .height = height};
  const std::uint8_t* begin = sheet.Row(number * height);
  part.rgb.assign(
      begin, sheet.Row(0) + static_cast<std::ptrdiff_t>((number + 1) * height) *
                                sheet.width * 3);
  return part;
}

AugmentOp OpByName(const std::string& name) {
  for (int i = 0; i < kAugmentOps; ++i) {
    const auto op = static_cast<AugmentOp>(i);
    if (NameOf(op) == name) return op;
  }
  ADD_FAILURE() << "no operation " << name;
  return AugmentOp::kInvert;
}

Image Changed(const Json& each, Image image) {
  const double x = each.at("x");
  const double y = each.at("y");
  if (each.at("op") == "half-cutout") {
    Apply(HalfCutout{.x = x, .y = y, .colour = each.at("colour")}, image);
  } else {
    Apply(AugmentStep{.op = OpByName(each.at("op")),
                      .level = each.at("level"),
                      .negative = each.at("negative"),
                      .x = x,
                      .y = y},
          image);
  }
  return image;
}

TEST(AugmentGolden, EveryOperationGivesPillowsBytes) {
  const auto folder = GoldenFolder("augment");
  if (!std::filesystem::exists(folder / "cases.json")) {
    GTEST_SKIP() << "no golden folder augment";
  }
  const Json manifest = ReadJson(folder / "cases.json");
  const int height = manifest.at("height");
  std::map<std::string, Image> pictures;
  const Image given = DecodeImageFile(folder / "pictures.png");
  for (const Json& name : manifest.at("pictures")) {
    const auto number = static_cast<int>(pictures.size());
    pictures.emplace(name, Cut(given, number, height));
  }
  ASSERT_EQ(pictures.size(), 3U);
  const Image expected = DecodeImageFile(folder / "expected.png");
  int compared = 0;
  std::map<std::string, int> per_op;
  for (const Json& each : manifest.at("cases")) {
    const Image mine =
        Changed(each, pictures.at(each.at("picture").get<std::string>()));
    EXPECT_TRUE(mine.rgb == Cut(expected, compared, height).rgb) << each;
    ++per_op[each.at("op")];
    ++compared;
  }
  EXPECT_EQ(per_op.size(), 16U);
  std::cout << "compared " << compared << " augmented pictures\n";
}

}  // namespace
}  // namespace tailmark
