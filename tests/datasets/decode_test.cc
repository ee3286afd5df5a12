#include "datasets/images/decode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "datasets/images/fingerprint.h"
#include "datasets/images/jpeg.h"
#include "datasets/images/png.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/seeds.h"

namespace tailmark {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using Colours = JpegOptions::Colours;
using Kind = PngSamples::Kind;
using Bytes = std::vector<std::uint8_t>;

Image Slopes(int width, int height) {
  Image image{width, height, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (const int value : {3 * x + y, 255 - 2 * x, 2 * y + 40}) {
        image.rgb.push_back(static_cast<std::uint8_t>(value & 0xFF));
      }
    }
  }
  return image;
}

std::string MessageOf(std::string_view bytes) {
  try {
    DecodeImage(bytes, "a/b.jpg");
  } catch (const DataError& error) {
    return error.what();
  }
  return "no error";
}

int LargestDifference(const Image& a, const Image& b) {
  EXPECT_EQ(a.rgb.size(), b.rgb.size());
  int most = 0;
  for (std::size_t i = 0; i < a.rgb.size(); ++i) {
    most = std::max(most, std::abs(a.rgb[i] - b.rgb[i]));
  }
  return most;
}

/// A PNG's IHDR with other sides, and the right checksum.
std::string ClaimPngSize(std::string png, std::uint32_t width,
                         std::uint32_t height) {
  const auto put = [&png](std::size_t at, std::uint32_t value) {
    for (std::size_t i = 0; i < 4; ++i) {
      png[at + i] = static_cast<char>(value >> (24 - 8 * i));
    }
  };
  put(16, width);
  put(20, height);
  std::uint32_t crc = 0xFFFFFFFFU;
  for (std::size_t i = 12; i < 29; ++i) {
    crc ^= static_cast<unsigned char>(png[i]);
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320U : 0U);
    }
  }
  put(29, ~crc);
  return png;
}

/// A JPEG's SOF0 with other sides.
std::string ClaimJpegSize(std::string jpeg, unsigned width, unsigned height) {
  const std::size_t at = jpeg.find("\xFF\xC0");
  EXPECT_NE(at, jpeg.npos);
  jpeg[at + 5] = static_cast<char>(height >> 8);
  jpeg[at + 6] = static_cast<char>(height & 0xFF);
  jpeg[at + 7] = static_cast<char>(width >> 8);
  jpeg[at + 8] = static_cast<char>(width & 0xFF);
  return jpeg;
}

TEST(Png, WhatIsWrittenIsRead) {
  const Image image = Slopes(37, 21);
  const auto path =
      std::filesystem::path(testing::TempDir()) / "written_is_read.png";
  WritePng(path, image);
  EXPECT_EQ(ReadFile(path), EncodePng(image));
  const Image back = DecodeImageFile(path);
  EXPECT_EQ(back.width, 37);
  EXPECT_EQ(back.height, 21);
  EXPECT_EQ(back.rgb, image.rgb);
  std::filesystem::remove(path);
}

TEST(Png, WideGreyIsClippedAndWideColourKeepsTheHighByte) {
  const std::string grey = EncodePng(PngSamples{.width = 3,
                                                .height = 1,
                                                .kind = Kind::kGrey,
                                                .bits = 16,
                                                .samples = {7, 255, 256}});
  EXPECT_EQ(DecodeImage(grey, "g").rgb,
            (Bytes{7, 7, 7, 255, 255, 255, 255, 255, 255}));
  const std::string colour =
      EncodePng(PngSamples{.width = 1,
                           .height = 1,
                           .kind = Kind::kRgb,
                           .bits = 16,
                           .samples = {0x01FF, 0x8000, 0xFFFF}});
  EXPECT_EQ(DecodeImage(colour, "c").rgb, (Bytes{0x01, 0x80, 0xFF}));
  const std::string with_alpha = EncodePng(PngSamples{.width = 1,
                                                      .height = 1,
                                                      .kind = Kind::kGreyAlpha,
                                                      .bits = 16,
                                                      .samples = {0x1234, 0}});
  EXPECT_EQ(DecodeImage(with_alpha, "a").rgb, (Bytes{0x12, 0x12, 0x12}));
}

TEST(Png, FewBitsOfGreyAreSpreadOverTheRange) {
  const auto decode = [](int bits, std::vector<std::uint16_t> samples) {
    const std::string file =
        EncodePng(PngSamples{.width = static_cast<int>(samples.size()),
                             .height = 1,
                             .kind = Kind::kGrey,
                             .bits = bits,
                             .samples = std::move(samples)});
    Bytes red;
    const Image image = DecodeImage(file, "g");
    for (std::size_t i = 0; i < image.rgb.size(); i += 3) {
      red.push_back(image.rgb[i]);
    }
    return red;
  };
  EXPECT_EQ(decode(1, {0, 1, 1}), (Bytes{0, 255, 255}));
  EXPECT_EQ(decode(2, {0, 1, 2, 3, 1}), (Bytes{0, 85, 170, 255, 85}));
  EXPECT_EQ(decode(4, {0, 1, 15}), (Bytes{0, 17, 255}));
}

TEST(Png, AlphaIsDroppedWhateverItSays) {
  const std::string rgba =
      EncodePng(PngSamples{.width = 2,
                           .height = 1,
                           .kind = Kind::kRgba,
                           .samples = {10, 20, 30, 0, 40, 50, 60, 255}});
  EXPECT_EQ(DecodeImage(rgba, "a").rgb, (Bytes{10, 20, 30, 40, 50, 60}));
}

TEST(Png, APaletteIndexPastTheEndIsBlack) {
  const std::string file = EncodePng(PngSamples{.width = 3,
                                                .height = 1,
                                                .kind = Kind::kPalette,
                                                .bits = 2,
                                                .palette = {1, 2, 3, 4, 5, 6},
                                                .transparency = {0},
                                                .samples = {1, 0, 3}});
  EXPECT_EQ(DecodeImage(file, "p").rgb, (Bytes{4, 5, 6, 1, 2, 3, 0, 0, 0}));
}

TEST(Png, InterlacingChangesNothing) {
  PngSamples samples{.width = 13, .height = 11, .kind = Kind::kRgb};
  for (const std::uint8_t value : Slopes(13, 11).rgb) {
    samples.samples.push_back(value);
  }
  const std::string plain = EncodePng(samples);
  samples.interlaced = true;
  const std::string interlaced = EncodePng(samples);
  EXPECT_NE(plain, interlaced);
  EXPECT_EQ(DecodeImage(plain, "p").rgb, DecodeImage(interlaced, "i").rgb);
}

TEST(Jpeg, ComesBackNearlyAsItWas) {
  const Image image = Slopes(67, 53);
  // Chroma at half the size blurs; inks and luma alone lose what they lose.
  const std::vector<std::pair<JpegOptions, int>> kinds = {
      {{.quality = 98, .chroma_width = 1, .chroma_height = 1}, 8},
      {{.colours = Colours::kRgb, .quality = 98}, 8},
      {{.colours = Colours::kCmyk, .quality = 98}, 12},
      {{.colours = Colours::kYcck,
        .quality = 98,
        .chroma_width = 1,
        .chroma_height = 1},
       14},
  };
  for (const auto& [options, most] : kinds) {
    const Image back = DecodeImage(EncodeJpeg(image, options), "j");
    EXPECT_EQ(back.width, 67);
    EXPECT_LE(LargestDifference(image, back), most)
        << static_cast<int>(options.colours);
  }
}

TEST(Jpeg, ProgressionAndRestartMarkersChangeNothing) {
  const Image image = Slopes(67, 53);
  const Image plain = DecodeImage(EncodeJpeg(image), "j");
  EXPECT_EQ(DecodeImage(EncodeJpeg(image, {.progressive = true}), "p").rgb,
            plain.rgb);
  EXPECT_EQ(DecodeImage(EncodeJpeg(image, {.restart_blocks = 2}), "r").rgb,
            plain.rgb);
}

TEST(Jpeg, GreyIsTheSameInAllThreeColours) {
  const Image grey =
      DecodeImage(EncodeJpeg(Slopes(20, 20), {.colours = Colours::kGrey}), "g");
  for (std::size_t i = 0; i < grey.rgb.size(); i += 3) {
    ASSERT_EQ(grey.rgb[i], grey.rgb[i + 1]);
    ASSERT_EQ(grey.rgb[i], grey.rgb[i + 2]);
  }
}

TEST(Jpeg, ARotationTagIsNotObeyed) {
  Bytes plain, rotated;
  for (const AwkwardPicture& picture : AwkwardPictures()) {
    if (picture.name == "jpeg-420") {
      plain = DecodeImage(picture.bytes, "p").rgb;
    } else if (picture.name == "jpeg-rotated") {
      EXPECT_THAT(picture.bytes, HasSubstr("Exif"));
      rotated = DecodeImage(picture.bytes, "r").rgb;
    }
  }
  ASSERT_FALSE(plain.empty());
  EXPECT_EQ(plain, rotated);
}

TEST(Decode, WhatIsNoPictureIsNamed) {
  EXPECT_THAT(MessageOf(""), StartsWith("a/b.jpg: the file is empty"));
  EXPECT_THAT(MessageOf("hello"), HasSubstr("neither JPEG nor PNG"));
  EXPECT_THAT(MessageOf("\xFF\xD8"), HasSubstr("neither JPEG nor PNG"));
  try {
    DecodeImageFile("no/such/file.png");
    FAIL() << "there is no such file";
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), StartsWith("no/such/file.png: "));
  }
}

TEST(Decode, EveryCutFileIsRefused) {
  for (const AwkwardPicture& picture : AwkwardPictures()) {
    const std::string_view whole = picture.bytes;
    EXPECT_NO_THROW(DecodeImage(whole, picture.name)) << picture.name;
    // A PNG's last 12 bytes only say that it ends.
    const std::size_t needed =
        whole.size() - (picture.name.starts_with("png") ? 12 : 0);
    for (std::size_t size = 0; size < needed; size += 1 + size / 64) {
      EXPECT_THROW(DecodeImage(whole.substr(0, size), picture.name), DataError)
          << picture.name << " cut at " << size << " of " << whole.size();
    }
    EXPECT_THROW(DecodeImage(whole.substr(0, needed - 1), picture.name),
                 DataError)
        << picture.name;
  }
}

TEST(Decode, DamagedFilesGiveAPictureOrAnError) {
  ChanceStream chance(7, 0, 0);
  int refused = 0;
  for (const AwkwardPicture& picture : AwkwardPictures()) {
    for (int round = 0; round < 40; ++round) {
      std::string bytes = picture.bytes;
      for (std::uint32_t i = 0; i <= chance.Below(4); ++i) {
        bytes[chance.Below(static_cast<std::uint32_t>(bytes.size()))] =
            static_cast<char>(chance.Below(256));
      }
      try {
        const Image image = DecodeImage(bytes, picture.name);
        EXPECT_EQ(image.rgb.size(), static_cast<std::size_t>(image.width) * 3 *
                                        static_cast<std::size_t>(image.height));
      } catch (const DataError& error) {
        EXPECT_THAT(error.what(), StartsWith(picture.name + ": "));
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 0);
}

TEST(Decode, AHeaderThatLiesAboutTheSizeCostsNoMemory) {
  const std::string png = EncodePng(Slopes(8, 8));
  EXPECT_THAT(MessageOf(ClaimPngSize(png, 1U << 30, 1U << 30)),
              HasSubstr("at most 178956970 are accepted"));
  EXPECT_THAT(MessageOf(ClaimPngSize(png, 13000, 13000)),
              HasSubstr("claims 13000 x 13000 pixels, which its"));
  EXPECT_THAT(MessageOf(ClaimPngSize(png, 8, 9)), StartsWith("a/b.jpg: bad"));
  EXPECT_THAT(MessageOf(ClaimPngSize(png, 0, 8)), StartsWith("a/b.jpg: bad"));

  const std::string jpeg = EncodeJpeg(Slopes(8, 8));
  EXPECT_EQ(MessageOf(ClaimJpegSize(jpeg, 8, 8)), "no error");
  EXPECT_THAT(MessageOf(ClaimJpegSize(jpeg, 65500, 65500)),
              HasSubstr("at most 178956970 are accepted"));
  EXPECT_THAT(MessageOf(ClaimJpegSize(jpeg, 13000, 13000)),
              HasSubstr("claims 13000 x 13000 pixels, which its"));
  EXPECT_THAT(MessageOf(ClaimJpegSize(jpeg, 0, 8)), StartsWith("a/b.jpg: bad"));
}

TEST(Decode, ADamagedChecksumIsNoticed) {
  std::string png = EncodePng(Slopes(8, 8));
  png[png.size() - 13] = static_cast<char>(png[png.size() - 13] ^ 1);
  EXPECT_THAT(MessageOf(png), HasSubstr("CRC"));
}

}  // namespace
}  // namespace tailmark
