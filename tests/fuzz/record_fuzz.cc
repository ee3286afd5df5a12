// Any text is a run spec, a run record, a catalogue, or an error of ours; so is
// a good one after changes.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "harness/base/error.h"
#include "harness/base/json.h"
#include "harness/record/bundle.h"
#include "harness/record/catalog.h"
#include "harness/record/run_spec.h"
#include "tests/fuzz/json_changes.h"
#include "tests/record/sample.h"

namespace {

template <class Parse>
void Try(const tailmark::Json& json, Parse parse) {
  try {
    parse(json);
  } catch (const tailmark::Error&) {
  }
}

void ReadSpec(const tailmark::Json& json) {
  using namespace tailmark;  // NOLINT(google-build-using-namespace)
  Try(json, [](const Json& j) {
    const RunSpec spec = RunSpecFromJson(j);
    if (RunKey(RunSpecFromJson(ToJson(spec))) != RunKey(spec)) std::abort();
  });
}

void ReadRecord(const tailmark::Json& json) {
  using namespace tailmark;  // NOLINT(google-build-using-namespace)
  Try(json, [](const Json& j) {
    const RunRecord record = RunRecordFromJson(j);
    if (ToJson(RunRecordFromJson(ToJson(record))) != ToJson(record)) {
      std::abort();
    }
  });
}

tailmark::Json GoodRecord() {
  tailmark::RunRecord record;
  record.spec = tailmark::SampleSpec();
  record.scores = {{.split = "test", .path = "scores/test.npy"}};
  record.phases = {{.phase = "fit", .wall_s = 1}};
  record.curves = {{.name = "loss", .step = 1, .value = 0.5}};
  return ToJson(record);
}

tailmark::Json GoodCatalog() {
  using namespace tailmark;  // NOLINT(google-build-using-namespace)
  Catalog catalog;
  catalog.methods = {
      {.name = "probe",
       .input = "features",
       .options = {{.name = "lr",
                    .type = OptionType::kFloat,
                    .default_value = 0.5}},
       .depends = {
           {.role = "teacher", .when = {{"lr", 0.5}}, .set = {{"lr", 1.0}}}}}};
  return ToJson(catalog);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using namespace tailmark;  // NOLINT(google-build-using-namespace)
  static const Json kSpec = ToJson(SampleSpec());
  static const Json kRecord = GoodRecord();
  static const Json kCatalog = GoodCatalog();
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  ReadSpec(Changed(kSpec, bytes));
  ReadRecord(Changed(kRecord, bytes));
  Try(Changed(kCatalog, bytes), [](const Json& j) { CatalogFromJson(j); });
  Json json;
  try {
    json = ParseJson(bytes, "input");
  } catch (const DataError&) {
    return 0;
  }
  ReadSpec(json);
  ReadRecord(json);
  Try(json, [](const Json& j) { CatalogFromJson(j); });
  return 0;
}
