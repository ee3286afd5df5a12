#include "datasets/images/decode.h"

#include <string>

#include "datasets/images/codecs.h"
#include "harness/base/error.h"
#include "harness/base/files.h"

namespace tailmark {
namespace {

constexpr std::string_view kJpegStart = "\xFF\xD8\xFF";
constexpr std::string_view kPngStart = "\x89PNG\r\n\x1A\n";

}  // namespace

void internal::CheckPixels(std::int64_t width, std::int64_t height,
                           std::string_view name) {
  if (width < 1 || height < 1) {
    throw DataError(StrCat(name, ": a picture of ", width, " x ", height,
                           " pixels; at least 1 x 1 expected"));
  }
  if (width > kMaxPixels / height) {
    throw DataError(StrCat(name, ": claims ", width, " x ", height,
                           " pixels; at most ", kMaxPixels, " are accepted"));
  }
}

Image DecodeImage(std::string_view bytes, std::string_view name) {
  if (bytes.starts_with(kJpegStart)) return internal::DecodeJpeg(bytes, name);
  if (bytes.starts_with(kPngStart)) return internal::DecodePng(bytes, name);
  if (bytes.empty()) throw DataError(StrCat(name, ": the file is empty"));
  throw DataError(
      StrCat(name, ": neither JPEG nor PNG, by its first bytes; convert it"));
}

Image DecodeImageFile(const std::filesystem::path& path) {
  return DecodeImage(ReadFile(path), path.string());
}

}  // namespace tailmark
