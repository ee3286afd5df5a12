// Any text is a run spec, a run record, a catalogue, or an error of ours.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "harness/base/error.h"
#include "harness/base/json.h"
#include "harness/record/bundle.h"
#include "harness/record/catalog.h"
#include "harness/record/run_spec.h"

namespace {

template <class Parse>
void Try(const tailmark::Json& json, Parse parse) {
  try {
    parse(json);
  } catch (const tailmark::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using namespace tailmark;  // NOLINT(google-build-using-namespace)
  Json json;
  try {
    json = ParseJson(
        std::string_view(reinterpret_cast<const char*>(data), size), "input");
  } catch (const DataError&) {
    return 0;
  }
  Try(json, [](const Json& j) {
    const RunSpec spec = RunSpecFromJson(j);
    if (RunKey(RunSpecFromJson(ToJson(spec))) != RunKey(spec)) std::abort();
  });
  Try(json, [](const Json& j) { RunRecordFromJson(j); });
  Try(json, [](const Json& j) { CatalogFromJson(j); });
  return 0;
}
