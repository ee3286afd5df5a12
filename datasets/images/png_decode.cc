#include <png.h>

#include <array>
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <vector>

#include "datasets/images/codecs.h"
#include "harness/base/error.h"

namespace tailmark::internal {
namespace {

/// Deflate's best: 258 bytes for two bits.
constexpr std::size_t kMaxInflation = 1032;

/// libpng reading from memory. As with libjpeg, errors are longjmps: what calls
/// it is a lambda that owns nothing, run by Call().
class PngReader {
 public:
  PngReader(std::string_view bytes, std::string_view name)
      : bytes_(bytes), name_(name) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, &OnError,
                                  &OnWarning);
    TM_CHECK(png_ != nullptr, "libpng does not start");
    info_ = png_create_info_struct(png_);
    TM_CHECK(info_ != nullptr, "libpng is out of memory");
  }
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  Image Read() {
    Call([this] {
      png_set_read_fn(png_, this, &OnRead);
      // The limit is on pixels, and is ours.
      png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
      png_set_crc_action(png_, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
      // Profiles, texts, times: nothing that Pillow's pixels depend on.
      png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
      png_read_info(png_, info_);
    });
    const std::uint32_t width = png_get_image_width(png_, info_);
    const std::uint32_t height = png_get_image_height(png_, info_);
    CheckPixels(width, height, name_);
    CheckPlausible(width, height);
    ChooseLayout();

    Image image;
    image.width = static_cast<int>(width);
    image.height = static_cast<int>(height);
    image.rgb.resize(std::size_t{width} * height * 3);
    if (channels_ == 3) {
      ReadRows(image.rgb.data(), height);
      return image;
    }
    std::vector<std::uint8_t> raw(row_bytes_ * height);
    ReadRows(raw.data(), height);
    ToRgb(raw, image.rgb);
    return image;
  }

 private:
  template <class Body>
  void Call(const Body& body) {
    if (setjmp(jump_) != 0) {
      throw DataError(StrCat(name_, ": bad PNG: ", message_));
    }
    body();
  }

  [[noreturn]] static void OnError(png_structp png, png_const_charp what) {
    auto& self = *static_cast<PngReader*>(png_get_error_ptr(png));
    std::snprintf(self.message_, sizeof self.message_, "%s", what);
    std::longjmp(self.jump_, 1);
  }
  static void OnWarning(png_structp, png_const_charp) {}
  static void OnRead(png_structp png, png_bytep out, std::size_t count) {
    auto& self = *static_cast<PngReader*>(png_get_io_ptr(png));
    if (count > self.bytes_.size() - self.done_) {
      std::snprintf(self.message_, sizeof self.message_,
                    "ends before the picture does, after %zu bytes",
                    self.bytes_.size());
      std::longjmp(self.jump_, 1);
    }
    std::memcpy(out, self.bytes_.data() + self.done_, count);
    self.done_ += count;
  }

  void CheckPlausible(std::size_t width, std::size_t height) const {
    const std::size_t bits = width * height * png_get_channels(png_, info_) *
                             png_get_bit_depth(png_, info_);
    if (bits / 8 / kMaxInflation > bytes_.size()) {
      throw DataError(StrCat(name_, ": claims ", width, " x ", height,
                             " pixels, which its ", bytes_.size(),
                             " bytes cannot hold"));
    }
  }

  /// Asks libpng for RGB, for one byte of grey or palette index a pixel, or for
  /// 16-bit grey, whose fate is ours.
  void ChooseLayout() {
    const int type = png_get_color_type(png_, info_);
    const int bits = png_get_bit_depth(png_, info_);
    palette_ = type == PNG_COLOR_TYPE_PALETTE;
    wide_ = type == PNG_COLOR_TYPE_GRAY && bits == 16;
    Call([this, type, bits] {
      if (palette_) png_set_packing(png_);
      if (type == PNG_COLOR_TYPE_GRAY && bits < 8) {
        png_set_expand_gray_1_2_4_to_8(png_);
      }
      if (bits == 16 && !wide_) png_set_strip_16(png_);
      if ((type & PNG_COLOR_MASK_ALPHA) != 0) png_set_strip_alpha(png_);
      png_set_interlace_handling(png_);
      png_read_update_info(png_, info_);
      channels_ = png_get_channels(png_, info_);
      row_bytes_ = png_get_rowbytes(png_, info_);
    });
  }

  void ReadRows(std::uint8_t* to, std::size_t height) {
    std::vector<png_bytep> rows(height);
    for (std::size_t y = 0; y < height; ++y) rows[y] = to + y * row_bytes_;
    // The end chunk is not asked for: all pixels are there without it.
    Call([this, &rows] { png_read_image(png_, rows.data()); });
  }

  void ToRgb(const std::vector<std::uint8_t>& raw,
             std::vector<std::uint8_t>& rgb) {
    if (wide_) {
      for (std::size_t i = 0; i < raw.size() / 2; ++i) {
        const std::uint8_t grey = raw[2 * i] != 0 ? 255 : raw[2 * i + 1];
        rgb[3 * i] = rgb[3 * i + 1] = rgb[3 * i + 2] = grey;
      }
      return;
    }
    const auto table = palette_ ? Palette() : GreyTable();
    for (std::size_t i = 0; i < raw.size(); ++i) {
      std::memcpy(rgb.data() + 3 * i, table[raw[i]].data(), 3);
    }
  }

  using Table = std::array<std::array<std::uint8_t, 3>, 256>;
  static Table GreyTable() {
    Table table;
    for (std::size_t i = 0; i < table.size(); ++i) {
      table[i].fill(static_cast<std::uint8_t>(i));
    }
    return table;
  }
  /// An index past the end of the palette is black, as in Pillow.
  Table Palette() {
    Table table{};
    png_colorp colours = nullptr;
    int count = 0;
    if (png_get_PLTE(png_, info_, &colours, &count) == 0) return table;
    for (int i = 0; i < count && i < 256; ++i) {
      table[static_cast<std::size_t>(i)] = {colours[i].red, colours[i].green,
                                            colours[i].blue};
    }
    return table;
  }

  std::string_view bytes_;
  std::string_view name_;
  std::size_t done_ = 0;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  bool palette_ = false;
  bool wide_ = false;
  int channels_ = 0;
  std::size_t row_bytes_ = 0;
  std::jmp_buf jump_;
  char message_[256] = "";
};

}  // namespace

Image DecodePng(std::string_view bytes, std::string_view name) {
  return PngReader(bytes, name).Read();
}

std::string PngLibrary() {
  return std::string("libpng ") + png_get_libpng_ver(nullptr);
}

}  // namespace tailmark::internal
