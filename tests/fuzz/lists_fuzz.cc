// Lists of published splits, captions, and what users write on command lines:
// any bytes are that or an error of ours.

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "datasets/lists/captions.h"
#include "datasets/lists/list_files.h"
#include "harness/base/error.h"
#include "harness/record/plugin_reference.h"
#include "harness/record/units.h"
#include "tests/fuzz/scratch_file.h"

namespace {

using namespace tailmark;  // NOLINT(google-build-using-namespace)

template <class Use>
void Try(Use use) {
  try {
    use();
  } catch (const Error&) {
  }
}

void ReadWords(std::string_view text) {
  Try([&] {
    if (!(ParseDuration(text, "limit") >= 0)) std::abort();
  });
  Try([&] {
    if (ParseBytes(text, "limit") < 0) std::abort();
  });
  Try([&] { (void)ParseSeeds(text, "seeds"); });
  Try([&] { (void)ParsePluginReference(text, "/base"); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  constexpr std::size_t kClasses = 5;
  static const auto kFile = ScratchFor("lists_fuzz") / "list.txt";
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  WriteScratch(kFile, bytes);
  Try([&] { (void)lists::ReadClasses(kFile); });
  Try([&] {
    const auto images = lists::ReadLabelledImages(kFile, kClasses);
    if (images.labels.positive.size() != images.paths.size() * kClasses) {
      std::abort();
    }
  });
  Try([&] { (void)lists::ReadImages(kFile); });
  Try([&] {
    if (lists::ReadLabelRows(kFile, 2, kClasses).positive.size() !=
        2 * kClasses) {
      std::abort();
    }
  });
  Try([&] { (void)lists::ReadSupports(kFile, kClasses); });
  Try([&] {
    for (const std::int64_t number : lists::ReadNumbers(kFile, kClasses)) {
      if (number < 0 || number >= std::int64_t{kClasses}) std::abort();
    }
  });
  Try([&] { (void)lists::ReadCaptions(kFile, 2); });
  ReadWords(bytes);
  return 0;
}
