// Any PNG, however damaged, gives a picture or a DataError. Checksums are put
// right first: else the fuzzer would see nothing but them.

#include <cstdint>
#include <cstring>

#include "tests/fuzz/picture_fuzz.h"

namespace {

std::uint32_t Crc(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320U : 0U);
    }
  }
  return ~crc;
}

/// Walks over the chunks: length, type, data, checksum.
void MendChecksums(std::string& png) {
  std::size_t at = 8;
  while (at + 12 <= png.size()) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      length = length << 8 | static_cast<unsigned char>(png[at + i]);
    }
    if (length > png.size() - at - 12) return;
    const std::uint32_t crc =
        Crc(std::string_view(png).substr(at + 4, length + 4));
    for (std::size_t i = 0; i < 4; ++i) {
      png[at + 8 + length + i] = static_cast<char>(crc >> (24 - 8 * i));
    }
    at += length + 12;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  static const auto kSeeds = tailmark::SeedPictures("png");
  std::string file = tailmark::PictureFrom(
      kSeeds, {reinterpret_cast<const char*>(data), size});
  MendChecksums(file);
  tailmark::DecodeAnything(file);
  return 0;
}
