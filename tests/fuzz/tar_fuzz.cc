// Any bytes unpack below their folder, or are refused; nothing lands elsewhere.

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/record/ustar.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  namespace fs = std::filesystem;
  static const fs::path kTop = [] {
    const fs::path top = fs::temp_directory_path() /
                         ("tailmark_tar_fuzz_" + std::to_string(getpid()));
    fs::create_directories(top);
    return top;
  }();
  const fs::path archive = kTop / "a.tar";
  const fs::path folder = kTop / "out";
  tailmark::WriteFileAtomic(
      archive, std::string_view(reinterpret_cast<const char*>(data), size));
  try {
    tailmark::ReadTar(archive, folder,
                      {.entries = 100, .bytes = std::int64_t{1} << 20});
  } catch (const tailmark::Error&) {
  }
  fs::remove_all(folder);
  // Only the archive may be left.
  if (std::distance(fs::directory_iterator(kTop), {}) != 1) std::abort();
  return 0;
}
