#include "datasets/images/png.h"

#include <png.h>

#include <cstddef>
#include <string_view>

#include "harness/base/error.h"
#include "harness/base/files.h"

namespace tailmark {
namespace {

[[noreturn]] void OnError(png_structp, png_const_charp what) {
  internal::CheckFailed(__FILE__, __LINE__, "libpng writes", what);
}
void OnWarning(png_structp, png_const_charp) {}
void OnWrite(png_structp png, png_bytep bytes, std::size_t count) {
  static_cast<std::string*>(png_get_io_ptr(png))
      ->append(reinterpret_cast<const char*>(bytes), count);
}
void OnFlush(png_structp) {}

/// libpng writing to a string. Its errors would be ours: they abort.
class PngWriter {
 public:
  explicit PngWriter(std::string& out)
      : png_(png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, &OnError,
                                     &OnWarning)),
        info_(png_create_info_struct(png_)) {
    png_set_write_fn(png_, &out, &OnWrite, &OnFlush);
    png_set_compression_level(png_, 6);
  }
  ~PngWriter() { png_destroy_write_struct(&png_, &info_); }
  PngWriter(const PngWriter&) = delete;
  PngWriter& operator=(const PngWriter&) = delete;

  png_structp png() const { return png_; }
  png_infop info() const { return info_; }

  /// Header, rows, end. Sets what the header says about the picture first.
  void Write(int width, int height, int bits, int type, bool interlaced,
             std::vector<png_bytep>& rows) {
    png_set_IHDR(png_, info_, static_cast<png_uint_32>(width),
                 static_cast<png_uint_32>(height), bits, type,
                 interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png_, info_);
    png_write_image(png_, rows.data());
    png_write_end(png_, info_);
  }

 private:
  png_structp png_;
  png_infop info_;
};

std::size_t ChannelsOf(PngSamples::Kind kind) {
  switch (kind) {
    case PngSamples::Kind::kGrey:
    case PngSamples::Kind::kPalette:
      return 1;
    case PngSamples::Kind::kGreyAlpha:
      return 2;
    case PngSamples::Kind::kRgb:
      return 3;
    case PngSamples::Kind::kRgba:
      return 4;
  }
  return 0;
}

/// Samples of one row, packed as the file has them: big-endian, first sample in
/// the highest bits.
std::vector<std::uint8_t> PackRow(const std::uint16_t* samples,
                                  std::size_t count, int bits) {
  std::vector<std::uint8_t> row;
  if (bits == 16) {
    for (std::size_t i = 0; i < count; ++i) {
      row.push_back(static_cast<std::uint8_t>(samples[i] >> 8));
      row.push_back(static_cast<std::uint8_t>(samples[i] & 0xFF));
    }
    return row;
  }
  const std::size_t in_byte = 8 / static_cast<std::size_t>(bits);
  row.resize((count + in_byte - 1) / in_byte);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t shift =
        (in_byte - 1 - i % in_byte) * static_cast<std::size_t>(bits);
    row[i / in_byte] =
        static_cast<std::uint8_t>(row[i / in_byte] | samples[i] << shift);
  }
  return row;
}

}  // namespace

std::string EncodePng(const Image& image) {
  const std::size_t stride = static_cast<std::size_t>(image.width) * 3;
  TM_CHECK(image.rgb.size() == stride * static_cast<std::size_t>(image.height));
  std::vector<png_bytep> rows;
  rows.reserve(static_cast<std::size_t>(image.height));
  for (int y = 0; y < image.height; ++y) {
    rows.push_back(const_cast<png_bytep>(image.Row(y)));  // libpng only reads
  }
  std::string out;
  PngWriter(out).Write(image.width, image.height, 8, PNG_COLOR_TYPE_RGB, false,
                       rows);
  return out;
}

void WritePng(const std::filesystem::path& path, const Image& image) {
  WriteFileAtomic(path, EncodePng(image));
}

std::string EncodePng(const PngSamples& picture) {
  const std::size_t count =
      static_cast<std::size_t>(picture.width) * ChannelsOf(picture.kind);
  TM_CHECK(picture.samples.size() ==
           count * static_cast<std::size_t>(picture.height));
  std::vector<std::vector<std::uint8_t>> packed;
  std::vector<png_bytep> rows;
  for (std::size_t at = 0; at < picture.samples.size(); at += count) {
    packed.push_back(PackRow(picture.samples.data() + at, count, picture.bits));
    rows.push_back(packed.back().data());
  }
  std::string out;
  PngWriter writer(out);
  std::vector<png_color> colours;
  colours.reserve(picture.palette.size() / 3);
  for (std::size_t i = 0; i + 2 < picture.palette.size(); i += 3) {
    colours.push_back(
        {picture.palette[i], picture.palette[i + 1], picture.palette[i + 2]});
  }
  if (!colours.empty()) {
    png_set_PLTE(writer.png(), writer.info(), colours.data(),
                 static_cast<int>(colours.size()));
  }
  if (!picture.transparency.empty()) {
    png_set_tRNS(writer.png(), writer.info(), picture.transparency.data(),
                 static_cast<int>(picture.transparency.size()), nullptr);
  }
  writer.Write(picture.width, picture.height, picture.bits,
               static_cast<int>(picture.kind), picture.interlaced, rows);
  return out;
}

}  // namespace tailmark
