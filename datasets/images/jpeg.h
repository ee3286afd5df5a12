#pragma once

#include <cstdint>
#include <string>

#include "datasets/images/image.h"

namespace tailmark {

struct JpegOptions {
  /// How the RGB picture is kept in the file.
  enum class Colours : std::uint8_t {
    kYcc,   ///< The usual.
    kRgb,   ///< RGB components, Adobe marker.
    kGrey,  ///< One component: the luma.
    kCmyk,  ///< Four components, inverted, Adobe marker (as Photoshop does).
    kYcck   ///< CMYK whose CMY is kept as YCbCr.
  };
  Colours colours = Colours::kYcc;
  int quality = 90;       ///< 1..100, libjpeg's scale.
  int chroma_width = 2;   ///< Luma samples a chroma sample, across: 1 or 2.
  int chroma_height = 2;  ///< The same, down.
  bool progressive = false;
  int restart_blocks = 0;  ///< A restart marker every so many blocks; 0: none.
};

/// The picture as a JPEG file, for made data sets and tests. REQUIRES: image is
/// at least 1 x 1, at most 65,500 a side.
std::string EncodeJpeg(const Image& image, const JpegOptions& options = {});

}  // namespace tailmark
