#include "datasets/images/fingerprint.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "datasets/images/decode.h"
#include "datasets/images/jpeg.h"
#include "datasets/images/pipeline.h"
#include "datasets/images/png.h"
#include "harness/base/digest.h"
#include "harness/base/error.h"
#include "harness/base/seeds.h"

namespace tailmark {
namespace {

constexpr const char* kPipelines[] = {"clip-48", "clip-bilinear-48",
                                      "squash-48", "squash-bicubic-48"};

/// Slopes in every direction, an edge, and noise: [height, width, channels]
/// samples of `bits` bits.
std::vector<std::uint16_t> Samples(int width, int height, int channels,
                                   int bits) {
  std::vector<std::uint16_t> samples;
  ChanceStream chance(41, static_cast<std::uint64_t>(width),
                      static_cast<std::uint64_t>(height));
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < channels; ++c) {
        const int slope = 900 * x * (c + 1) + 700 * y * (3 - c);
        const int edge = 2 * x + y > width ? 21000 : 0;
        const int value =
            (slope + edge + static_cast<int>(chance.Below(5000))) & 0xFFFF;
        samples.push_back(static_cast<std::uint16_t>(value >> (16 - bits)));
      }
    }
  }
  return samples;
}

Image Draw(int width, int height) {
  Image image{width, height, {}};
  for (const std::uint16_t sample : Samples(width, height, 3, 8)) {
    image.rgb.push_back(static_cast<std::uint8_t>(sample));
  }
  return image;
}

/// An EXIF segment that says "turn this by 90 degrees", behind the JPEG's
/// start.
std::string WithRotationTag(std::string jpeg) {
  constexpr char kSegment[] =
      "\xFF\xE1\x00\x22"
      "Exif\0\0MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0"
      "\0\0\0\0";
  return jpeg.insert(2, kSegment, sizeof kSegment - 1);
}

std::string Png(PngSamples::Kind kind, int width, int height, int bits,
                int channels) {
  return EncodePng(
      PngSamples{.width = width,
                 .height = height,
                 .kind = kind,
                 .bits = bits,
                 .samples = Samples(width, height, channels, bits)});
}

/// Two bits a pixel, three colours: the fourth index points past the palette.
std::string PalettePng() {
  return EncodePng(
      PngSamples{.width = 37,
                 .height = 29,
                 .kind = PngSamples::Kind::kPalette,
                 .bits = 2,
                 .interlaced = true,
                 .palette = {250, 10, 20, 30, 240, 40, 50, 60, 230},
                 .transparency = {0, 128},
                 .samples = Samples(37, 29, 1, 2)});
}

void AddJpegs(std::vector<AwkwardPicture>& pictures) {
  using Colours = JpegOptions::Colours;
  const Image odd = Draw(67, 53);
  const auto add = [&](const char* name, const JpegOptions& options) {
    pictures.push_back({name, EncodeJpeg(odd, options)});
  };
  add("jpeg-420", {});
  add("jpeg-422", {.chroma_height = 1});
  add("jpeg-440", {.chroma_width = 1});
  add("jpeg-444", {.quality = 71, .chroma_width = 1, .chroma_height = 1});
  add("jpeg-grey", {.colours = Colours::kGrey});
  add("jpeg-rgb", {.colours = Colours::kRgb});
  add("jpeg-cmyk", {.colours = Colours::kCmyk});
  add("jpeg-ycck", {.colours = Colours::kYcck});
  add("jpeg-progressive", {.quality = 60, .progressive = true});
  add("jpeg-restart", {.restart_blocks = 3});
  pictures.push_back({"jpeg-rotated", WithRotationTag(EncodeJpeg(odd))});
  pictures.push_back({"jpeg-1x1", EncodeJpeg(Draw(1, 1))});
}

void AddPngs(std::vector<AwkwardPicture>& pictures) {
  using Kind = PngSamples::Kind;
  pictures.push_back({"png-1x1", EncodePng(Draw(1, 1))});
  pictures.push_back({"png-tall", EncodePng(Draw(1, 150))});
  pictures.push_back({"png-wide", EncodePng(Draw(150, 1))});
  pictures.push_back({"png-portrait", EncodePng(Draw(60, 110))});
  pictures.push_back({"png-no-resize", EncodePng(Draw(48, 51))});
  pictures.push_back({"png-1-bit", Png(Kind::kGrey, 45, 31, 1, 1)});
  pictures.push_back({"png-4-bit", Png(Kind::kGrey, 45, 31, 4, 1)});
  pictures.push_back({"png-grey-16", Png(Kind::kGrey, 41, 33, 16, 1)});
  pictures.push_back({"png-grey-alpha", Png(Kind::kGreyAlpha, 41, 33, 8, 2)});
  pictures.push_back({"png-rgb-16", Png(Kind::kRgb, 33, 41, 16, 3)});
  pictures.push_back({"png-rgba", Png(Kind::kRgba, 49, 35, 8, 4)});
  pictures.push_back({"png-palette", PalettePng()});
}

}  // namespace

std::vector<AwkwardPicture> AwkwardPictures() {
  std::vector<AwkwardPicture> pictures;
  AddJpegs(pictures);
  AddPngs(pictures);
  return pictures;
}

std::string PipelineFingerprint() {
  Sha256 digest;
  for (const AwkwardPicture& picture : AwkwardPictures()) {
    const Image image = DecodeImage(picture.bytes, picture.name);
    digest.Update(
        StrCat(picture.name, " ", image.width, " ", image.height, "\n"));
    digest.Update(std::as_bytes(std::span(image.rgb)));
    for (const char* name : kPipelines) {
      const Pipeline pipeline = PipelineByName(name);
      const Image resized = Preprocess(pipeline, image);
      std::vector<float> tensor(resized.rgb.size());
      Normalise(pipeline, resized, tensor.data());
      digest.Update(std::as_bytes(std::span(tensor)));
    }
  }
  return digest.Hex();
}

}  // namespace tailmark
