// Any bytes give an array whose every element can be read, or a DataError.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "harness/base/error.h"
#include "harness/base/npy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  try {
    const auto array = tailmark::ParseNpy(
        std::string(reinterpret_cast<const char*>(data), size), "input");
    const auto values = tailmark::ToDoubles(array);
    if (static_cast<std::int64_t>(values.size()) != array.elements()) {
      std::abort();
    }
    // What was accepted can be written, and read back as the same.
    const auto again = tailmark::ParseNpy(
        tailmark::NpyHeader(array.dtype, array.shape) + array.bytes, "again");
    if (again.bytes != array.bytes || again.shape != array.shape) std::abort();
  } catch (const tailmark::DataError&) {
  }
  return 0;
}
