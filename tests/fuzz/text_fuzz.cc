// Any bytes are cleaned to text that is UTF-8 again, or are a DataError.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "harness/base/error.h"
#include "methods/clip/text_html.h"
#include "methods/clip/text_repair.h"
#include "methods/clip/text_unicode.h"

namespace tailmark {

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  try {
    const auto text = FromUtf8({reinterpret_cast<const char*>(data), size});
    if (FromUtf8(ToUtf8(text)) != text) std::abort();
    const auto repaired = RepairText(text);
    (void)ToUtf8(Lower(Strip(UnescapeHtml(repaired))));
  } catch (const DataError&) {
  }
  return 0;
}

}  // namespace tailmark
