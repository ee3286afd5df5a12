#include "datasets/images/jpeg.h"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

// After <cstdio>, which it needs.
#include <jpeglib.h>

#include "harness/base/error.h"

namespace tailmark {
namespace {

using Colours = JpegOptions::Colours;

/// An error while writing would be ours: it aborts.
[[noreturn]] void OnError(j_common_ptr jpeg) {
  char message[JMSG_LENGTH_MAX];
  jpeg->err->format_message(jpeg, message);
  internal::CheckFailed(__FILE__, __LINE__, "libjpeg writes", message);
}

void SetColours(jpeg_compress_struct& jpeg, Colours colours) {
  const bool inks = colours == Colours::kCmyk || colours == Colours::kYcck;
  jpeg.input_components = inks ? 4 : 3;
  jpeg.in_color_space = inks ? JCS_CMYK : JCS_RGB;
  jpeg_set_defaults(&jpeg);
  switch (colours) {
    case Colours::kYcc:
      jpeg_set_colorspace(&jpeg, JCS_YCbCr);
      break;
    case Colours::kRgb:
      jpeg_set_colorspace(&jpeg, JCS_RGB);
      break;
    case Colours::kGrey:
      jpeg_set_colorspace(&jpeg, JCS_GRAYSCALE);
      break;
    case Colours::kCmyk:
      jpeg_set_colorspace(&jpeg, JCS_CMYK);
      break;
    case Colours::kYcck:
      jpeg_set_colorspace(&jpeg, JCS_YCCK);
      break;
  }
}

/// Inverted inks of one row of RGB: black is what the three have in common.
void ToInks(const std::uint8_t* rgb, std::size_t width, std::uint8_t* inks) {
  for (std::size_t x = 0; x < width; ++x, rgb += 3, inks += 4) {
    const int white = std::max({rgb[0], rgb[1], rgb[2]});
    for (std::size_t c = 0; c < 3; ++c) {
      const int share = white == 0 ? 255 : rgb[c] * 255 / white;
      inks[c] = static_cast<std::uint8_t>(share);
    }
    inks[3] = static_cast<std::uint8_t>(white);
  }
}

}  // namespace

std::string EncodeJpeg(const Image& image, const JpegOptions& options) {
  const auto width = static_cast<std::size_t>(image.width);
  TM_CHECK(image.rgb.size() ==
           width * static_cast<std::size_t>(image.height) * 3);
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);
  errors.error_exit = &OnError;
  jpeg_create_compress(&jpeg);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;  // NOLINT(google-runtime-int): libjpeg's type
  jpeg_mem_dest(&jpeg, &bytes, &size);
  jpeg.image_width = static_cast<JDIMENSION>(image.width);
  jpeg.image_height = static_cast<JDIMENSION>(image.height);
  SetColours(jpeg, options.colours);
  jpeg_set_quality(&jpeg, options.quality, TRUE);
  const bool has_chroma =
      options.colours == Colours::kYcc || options.colours == Colours::kYcck;
  if (has_chroma) {
    for (const int luma : {0, 3}) {
      if (luma >= jpeg.num_components) continue;
      jpeg.comp_info[luma].h_samp_factor = options.chroma_width;
      jpeg.comp_info[luma].v_samp_factor = options.chroma_height;
    }
  }
  jpeg.restart_interval = static_cast<unsigned>(options.restart_blocks);
  if (options.progressive) jpeg_simple_progression(&jpeg);

  jpeg_start_compress(&jpeg, TRUE);
  std::vector<std::uint8_t> inks(width * 4);
  while (jpeg.next_scanline < jpeg.image_height) {
    const std::uint8_t* rgb = image.Row(static_cast<int>(jpeg.next_scanline));
    JSAMPROW row = const_cast<JSAMPROW>(rgb);  // libjpeg only reads
    if (jpeg.input_components == 4) {
      ToInks(rgb, width, inks.data());
      row = inks.data();
    }
    jpeg_write_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  std::string out(reinterpret_cast<const char*>(bytes), size);
  std::free(bytes);  // NOLINT: libjpeg took it with malloc
  return out;
}

}  // namespace tailmark
