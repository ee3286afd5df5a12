// Any bytes are a published table, as CSV, as a list of objects or in our
// form, and can be linted; or they are a DataError.

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "harness/base/error.h"
#include "harness/base/json.h"
#include "results/lint.h"
#include "results/published.h"
#include "tests/fuzz/json_changes.h"
#include "tests/fuzz/scratch_file.h"

namespace {

using namespace tailmark;  // NOLINT(google-build-using-namespace)

void Read(const std::filesystem::path& file, std::string_view bytes) {
  WriteScratch(file, bytes);
  try {
    const Published published =
        ReadPublished(file, {{"head", 1}, {"medium", 2}, {"tail", 3}});
    (void)Lint(published);
  } catch (const DataError&) {
  }
}

Json Row(double total) {
  return {{"row", "a"},
          {"dataset", "coco-lt"},
          {"status", "primary"},
          {"values",
           {{"total", total},
            {"head", 1.5},
            {"medium", 2},
            {"tail", "3.10"},
            {"CP", 50},
            {"CR", 40.5},
            {"CF1", 44.75}}}};
}

Json GoodFile() {
  return {{"schema", "tailmark-published/1"},
          {"name", "paper"},
          {"version", 1},
          {"summary", "s"},
          {"paper", "p"},
          {"tables",
           {{{"id", "t"},
             {"title", "T"},
             {"source", "s"},
             {"decimals", 2},
             {"groups", {{"coco-lt", {{"head", 2}, {"tail", 3}}}}},
             {"rows", {Row(2), Row(100)}}},
            {{"id", "log"},
             {"title", "L"},
             {"source", "s"},
             {"decimals", 4},
             {"logs_of", "t"},
             {"rows", {Row(2.0001)}}}}}};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  static const auto kFolder = ScratchFor("published_fuzz");
  static const Json kGood = GoodFile();
  static const Json kList = {{{"method", "a"},
                              {"dataset", "voc-lt"},
                              {"total", 1.25},
                              {"head", "2.0"},
                              {"medium", nullptr},
                              {"tail", 3}}};
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Read(kFolder / "t.csv", bytes);
  Read(kFolder / "t.csv",
       "row,dataset,total,head,medium,tail\na,coco-lt," + std::string(bytes));
  Read(kFolder / "t.json", bytes);
  Read(kFolder / "t.json", Changed(kGood, bytes).dump());
  Read(kFolder / "t.json", Changed(kList, bytes).dump());
  return 0;
}
