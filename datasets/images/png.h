#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/images/image.h"

namespace tailmark {

/// The picture as an 8-bit RGB PNG file. Equal pictures give equal bytes (for
/// one version of zlib); no time, no text. REQUIRES: image.rgb fits its size.
std::string EncodePng(const Image& image);

/// EncodePng into a file, atomically. Throws StoreError.
void WritePng(const std::filesystem::path& path, const Image& image);

/// A PNG of any kind the format knows, sample by sample: to make the pictures
/// that EncodePng does not write.
struct PngSamples {
  /// The numbers are the file format's.
  enum class Kind : std::uint8_t {
    kGrey = 0,
    kRgb = 2,
    kPalette = 3,
    kGreyAlpha = 4,
    kRgba = 6
  };
  int width = 0;
  int height = 0;
  Kind kind = Kind::kRgb;
  int bits = 8;  ///< A sample: 1, 2, 4 (grey, palette), 8 or 16.
  bool interlaced = false;
  std::vector<std::uint8_t> palette;       ///< RGB triples, for kPalette.
  std::vector<std::uint8_t> transparency;  ///< Alpha of palette entries.
  /// [height, width, channels] samples, one an element whatever `bits` is.
  std::vector<std::uint16_t> samples;
};
std::string EncodePng(const PngSamples& picture);

}  // namespace tailmark
