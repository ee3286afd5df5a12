// Any bytes give tensors whose every byte can be read, or a DataError.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "harness/base/error.h"
#include "harness/base/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  try {
    const auto file = tailmark::Safetensors::Parse(
        std::string(reinterpret_cast<const char*>(data), size), "input");
    std::size_t sum = 0;
    for (const auto& [name, view] : file.tensors()) {
      for (const std::byte byte : view.bytes)
        sum += static_cast<unsigned>(byte);
    }
    // What was accepted can be written, and read back as the same.
    const auto again = tailmark::Safetensors::Parse(
        tailmark::SafetensorsBytes(file.tensors(), file.metadata()), "again");
    if (again.tensors().size() != file.tensors().size()) std::abort();
    volatile std::size_t keep = sum;
    (void)keep;
  } catch (const tailmark::DataError&) {
  }
  return 0;
}
