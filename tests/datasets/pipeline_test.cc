#include "datasets/images/pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "datasets/images/decode.h"
#include "datasets/images/fingerprint.h"
#include "datasets/images/resize.h"
#include "harness/base/error.h"

namespace tailmark {
namespace {

using testing::HasSubstr;

/// Red is the column, green the row.
Image Coordinates(int width, int height) {
  Image image{width, height, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      image.rgb.push_back(static_cast<std::uint8_t>(x));
      image.rgb.push_back(static_cast<std::uint8_t>(y));
      image.rgb.push_back(0);
    }
  }
  return image;
}

TEST(PipelineTest, EveryNameComesBack) {
  for (const char* name :
       {"clip-224", "clip-336", "clip-bilinear-64", "squash-224", "squash-448",
        "squash-bicubic-224", "squash-imagenet-224", "as-is-48"}) {
    EXPECT_EQ(NameOf(PipelineByName(name)), name);
  }
  EXPECT_EQ(PipelineByName("squash-imagenet-224").mean[0], 0.485F);
  EXPECT_EQ(PipelineByName("squash-224").mean[0], 0.48145466F);
  EXPECT_EQ(PipelineByName("squash-224").filter, Pipeline::Filter::kBilinear);
  EXPECT_EQ(PipelineByName("clip-224").filter, Pipeline::Filter::kBicubic);
  EXPECT_EQ(PipelineByName("squash-bicubic-9").size, 9);
  EXPECT_EQ(PipelineByName("squash-224").passes, Pipeline::Passes::kPillow13);
}

TEST(PipelineTest, AnUnknownNameIsAnsweredWithTheNearest) {
  for (const char* name : {"clpi-224", "clip", "clip-", "clip-0", "clip-99999",
                           "squash_bicubic-224", "224", "", "as-is-pillow12-48",
                           "clip-99999999999999999999"}) {
    EXPECT_THROW(PipelineByName(name), ConfigError) << name;
  }
  try {
    PipelineByName("sqash-64");
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("'squash-64'"));
  }
}

TEST(PipelineTest, TheCentreIsCutOutRoundingHalfToEven) {
  const auto first_column = [](int width) {
    return Preprocess(PipelineByName("clip-64"), Coordinates(width, 64)).rgb[0];
  };
  EXPECT_EQ(first_column(64), 0);
  EXPECT_EQ(first_column(65), 0);  // 0.5
  EXPECT_EQ(first_column(66), 1);
  EXPECT_EQ(first_column(67), 2);  // 1.5
  EXPECT_EQ(first_column(69), 2);  // 2.5
  EXPECT_EQ(first_column(71), 4);  // 3.5
}

TEST(PipelineTest, TheLongerSideIsCutToAWholeNumber) {
  // 64 * 100 / 67 = 95.52: 95, of which columns 16..79 stay (15.5 -> 16).
  const Image image = Coordinates(100, 67);
  const Image expected = ResizeAndCrop(image, 95, 64, {}, {16, 0, 64, 64});
  EXPECT_EQ(Preprocess(PipelineByName("clip-64"), image).rgb, expected.rgb);
}

TEST(PipelineTest, SquashingKeepsEverything) {
  const Image image =
      Preprocess(PipelineByName("squash-32"), Coordinates(200, 100));
  EXPECT_EQ(image.width, 32);
  EXPECT_EQ(image.height, 32);
  EXPECT_LT(image.rgb[0], 6);
  EXPECT_GT(image.rgb[93], 193);
}

TEST(PipelineTest, AsIsTakesOneSizeOnly) {
  const Pipeline pipeline = PipelineByName("as-is-48");
  const Image image = Coordinates(48, 48);
  EXPECT_EQ(Preprocess(pipeline, image).rgb, image.rgb);
  try {
    Preprocess(pipeline, Coordinates(48, 47));
    FAIL() << "48 x 47 is not 48 x 48";
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("48 x 47"));
    EXPECT_THAT(error.what(), HasSubstr("as-is-48"));
  }
}

TEST(PipelineTest, NormalisedValuesLieInPlanes) {
  const Pipeline pipeline = PipelineByName("as-is-16");
  const Image image = Coordinates(16, 16);
  std::vector<float> out(std::size_t{3} * 16 * 16);
  Normalise(pipeline, image, out.data());
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t i = 0; i < 256; ++i) {
      const float unit = static_cast<float>(image.rgb[3 * i + c]) / 255.0F;
      ASSERT_EQ(out[c * 256 + i], (unit - pipeline.mean[c]) / pipeline.std[c]);
    }
  }
}

/// Changes when any byte of any tensor does. If that was meant: raise
/// kPipelineVersion, for every run made before is no longer comparable.
TEST(FingerprintTest, IsWhatItHasAlwaysBeen) {
  EXPECT_EQ(kPipelineVersion, 1);
  EXPECT_EQ(PipelineFingerprint(),
            "d748b55a8d219a2579e836b81a0d43d0af526cb7d3353a240f828e682a7ca1b5");
}

TEST(FingerprintTest, TheAwkwardPicturesAreManyAndDiffer) {
  std::set<std::string> names, files;
  for (const AwkwardPicture& picture : AwkwardPictures()) {
    names.insert(picture.name);
    files.insert(picture.bytes);
    EXPECT_LT(picture.bytes.size(), 16384U) << picture.name;
  }
  EXPECT_GE(names.size(), 20U);
  EXPECT_EQ(files.size(), names.size());
}

}  // namespace
}  // namespace tailmark
