// Any JPEG, however damaged, gives a picture or a DataError.

#include <cstdint>

#include "tests/fuzz/picture_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  static const auto kSeeds = tailmark::SeedPictures("jpeg");
  tailmark::DecodeAnything(tailmark::PictureFrom(
      kSeeds, {reinterpret_cast<const char*>(data), size}));
  return 0;
}
