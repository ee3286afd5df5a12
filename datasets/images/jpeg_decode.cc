#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

// After <cstdio>, which it needs.
#include <jpeglib.h>

#include "datasets/images/codecs.h"
#include "harness/base/error.h"

namespace tailmark::internal {
namespace {

/// A progressive file with more scans is an attack on our time.
constexpr int kMaxScans = 500;
constexpr JDIMENSION kRowsAtOnce = 16;

/// libjpeg reading from memory. It reports errors by longjmp, which must not
/// jump over destructors: so whatever calls it is a lambda that owns nothing,
/// run by Call().
class JpegReader {
 public:
  JpegReader(std::string_view bytes, std::string_view name)
      : bytes_(bytes), name_(name) {
    jpeg_.err = jpeg_std_error(&errors_);
    errors_.error_exit = &OnError;
    errors_.emit_message = [](j_common_ptr, int) {};  // as Pillow: no matter
    jpeg_.client_data = this;
    Call([this] { jpeg_create_decompress(&jpeg_); });
    source_.init_source = [](j_decompress_ptr) {};
    source_.term_source = [](j_decompress_ptr) {};
    source_.fill_input_buffer = &OnEnd;
    source_.skip_input_data = &OnSkip;
    source_.resync_to_restart = &jpeg_resync_to_restart;
    source_.next_input_byte = reinterpret_cast<const JOCTET*>(bytes.data());
    source_.bytes_in_buffer = bytes.size();
    jpeg_.src = &source_;
    progress_.progress_monitor = &OnProgress;
    jpeg_.progress = &progress_;
  }
  ~JpegReader() { jpeg_destroy_decompress(&jpeg_); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  Image Read() {
    Call([this] { jpeg_read_header(&jpeg_, TRUE); });
    CheckPixels(jpeg_.image_width, jpeg_.image_height, name_);
    CheckPlausible();
    const bool cmyk = jpeg_.num_components == 4;
    jpeg_.out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
    // The defaults, said because every bit hangs on them.
    jpeg_.dct_method = JDCT_ISLOW;
    jpeg_.do_fancy_upsampling = TRUE;
    jpeg_.do_block_smoothing = TRUE;
    Call([this] { jpeg_start_decompress(&jpeg_); });

    Image image;
    image.width = static_cast<int>(jpeg_.output_width);
    image.height = static_cast<int>(jpeg_.output_height);
    image.rgb.resize(std::size_t{jpeg_.output_width} * jpeg_.output_height * 3);
    if (cmyk) {
      ReadCmyk(image);
    } else {
      ReadRgb(image);
    }
    // Reads up to the end marker: a file without one has been cut.
    Call([this] { jpeg_finish_decompress(&jpeg_); });
    return image;
  }

 private:
  template <class Body>
  void Call(const Body& body) {
    if (setjmp(jump_) != 0) {
      throw DataError(StrCat(name_, ": bad JPEG: ", message_));
    }
    body();
  }

  [[noreturn]] void Fail() { std::longjmp(jump_, 1); }

  [[noreturn]] void FailAtEnd() {
    std::snprintf(message_, sizeof message_,
                  "ends before the picture does, after %zu bytes",
                  bytes_.size());
    Fail();
  }

  static JpegReader& Of(void* client_data) {
    return *static_cast<JpegReader*>(client_data);
  }
  [[noreturn]] static void OnError(j_common_ptr jpeg) {
    JpegReader& self = Of(jpeg->client_data);
    jpeg->err->format_message(jpeg, self.message_);
    self.Fail();
  }
  static boolean OnEnd(j_decompress_ptr jpeg) {
    Of(jpeg->client_data).FailAtEnd();
  }
  static void OnSkip(j_decompress_ptr jpeg, long bytes) {
    if (bytes <= 0) return;
    if (static_cast<std::size_t>(bytes) > jpeg->src->bytes_in_buffer) {
      Of(jpeg->client_data).FailAtEnd();
    }
    jpeg->src->next_input_byte += bytes;
    jpeg->src->bytes_in_buffer -= static_cast<std::size_t>(bytes);
  }
  static void OnProgress(j_common_ptr jpeg) {
    JpegReader& self = Of(jpeg->client_data);
    if (self.jpeg_.input_scan_number <= kMaxScans) return;
    std::snprintf(self.message_, sizeof self.message_, "more than %d scans",
                  kMaxScans);
    self.Fail();
  }

  /// A Huffman-coded block takes one bit at least; arithmetic coding can go
  /// below that, but not by this much.
  void CheckPlausible() const {
    std::size_t blocks = 0;
    for (int i = 0; i < jpeg_.num_components; ++i) {
      blocks += std::size_t{jpeg_.comp_info[i].width_in_blocks} *
                jpeg_.comp_info[i].height_in_blocks;
    }
    const std::size_t blocks_a_byte = jpeg_.arith_code ? 1024 : 8;
    if (blocks / blocks_a_byte > bytes_.size()) {
      throw DataError(StrCat(name_, ": claims ", jpeg_.image_width, " x ",
                             jpeg_.image_height, " pixels, which its ",
                             bytes_.size(), " bytes cannot hold"));
    }
  }

  void ReadRgb(Image& image) {
    Call([this, &image] {
      const std::size_t stride = std::size_t{jpeg_.output_width} * 3;
      while (jpeg_.output_scanline < jpeg_.output_height) {
        const JDIMENSION left = jpeg_.output_height - jpeg_.output_scanline;
        const JDIMENSION count = left < kRowsAtOnce ? left : kRowsAtOnce;
        JSAMPROW rows[kRowsAtOnce];
        for (JDIMENSION i = 0; i < count; ++i) {
          rows[i] = image.rgb.data() + (jpeg_.output_scanline + i) * stride;
        }
        jpeg_read_scanlines(&jpeg_, rows, count);
      }
    });
  }

  /// Four components are taken as inverted CMYK, and turned to RGB without any
  /// colour profile: what Pillow does.
  void ReadCmyk(Image& image) {
    std::vector<std::uint8_t> inks(std::size_t{jpeg_.output_width} * 4);
    std::uint8_t* rgb = image.rgb.data();
    while (jpeg_.output_scanline < jpeg_.output_height) {
      Call([this, &inks] {
        JSAMPROW row = inks.data();
        jpeg_read_scanlines(&jpeg_, &row, 1);
      });
      for (std::size_t at = 0; at < inks.size(); at += 4, rgb += 3) {
        const int black = inks[at + 3];
        for (std::size_t c = 0; c < 3; ++c) {
          const int product = (255 - inks[at + c]) * black + 128;
          // product / 255, rounded; never above `black`.
          rgb[c] = static_cast<std::uint8_t>(black -
                                             ((product + (product >> 8)) >> 8));
        }
      }
    }
  }

  std::string_view bytes_;
  std::string_view name_;
  jpeg_decompress_struct jpeg_{};
  jpeg_error_mgr errors_{};
  jpeg_source_mgr source_{};
  jpeg_progress_mgr progress_{};
  std::jmp_buf jump_;
  char message_[JMSG_LENGTH_MAX] = "";
};

}  // namespace

Image DecodeJpeg(std::string_view bytes, std::string_view name) {
  return JpegReader(bytes, name).Read();
}

std::string JpegLibrary() {
#ifdef LIBJPEG_TURBO_VERSION
#define TM_TEXT_OF(token) #token
#define TM_VALUE_OF(token) TM_TEXT_OF(token)
  return "libjpeg-turbo " TM_VALUE_OF(LIBJPEG_TURBO_VERSION);
#undef TM_VALUE_OF
#undef TM_TEXT_OF
#else
  return StrCat("libjpeg ", JPEG_LIB_VERSION);
#endif
}

}  // namespace tailmark::internal
