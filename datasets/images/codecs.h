#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "datasets/images/image.h"

// The two decoders behind decode.h: each for one format, `bytes` begin with its
// signature. Errors as in decode.h.
namespace tailmark::internal {

Image DecodeJpeg(std::string_view bytes, std::string_view name);
Image DecodePng(std::string_view bytes, std::string_view name);

/// "libjpeg-turbo 2.1.5" and "libpng 1.6.39": of the library that is used.
std::string JpegLibrary();
std::string PngLibrary();

/// Throws DataError unless 1 <= width * height <= kMaxPixels.
void CheckPixels(std::int64_t width, std::int64_t height,
                 std::string_view name);

}  // namespace tailmark::internal
