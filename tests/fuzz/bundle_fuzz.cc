// DONE, run.json and score files of a bundle: any bytes there are a bundle that
// holds what it promises, or a DataError. The first byte says which file they
// are, and whether a right seal is put on what they make of it.

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "harness/base/error.h"
#include "harness/base/json.h"
#include "harness/record/bundle.h"
#include "tests/fuzz/json_changes.h"
#include "tests/fuzz/scratch_file.h"
#include "tests/record/sample.h"

namespace {

namespace fs = std::filesystem;
using namespace tailmark;  // NOLINT(google-build-using-namespace)

void Read(const fs::path& folder) {
  try {
    const RunRecord record = ReadBundle(folder);
    if (!IsSealed(folder)) std::abort();
    for (const ScoreFile& file : record.scores) {
      if (!fs::exists(folder / file.path)) std::abort();
    }
  } catch (const DataError&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  static const auto kTop = ScratchFor("bundle_fuzz");
  static const RunRecord kGood = [] {
    fs::remove_all(kTop / "good");
    return WriteSampleBundle(kTop / "good");
  }();
  if (size == 0) return 0;
  const fs::path folder = kTop / "input";
  fs::remove_all(folder);
  fs::copy(kTop / "good", folder, fs::copy_options::recursive);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1,
                               size - 1);
  switch (data[0] % 4) {
    case 0:
      WriteScratch(folder / "DONE", bytes);
      break;
    case 1:
      WriteScratch(folder / "DONE",
                   std::string(64, '0') + "  run.json\n" + std::string(bytes));
      break;
    case 2:
      WriteScratch(folder / "run.json", bytes);
      break;
    default:
      WriteScratch(folder / "run.json", Changed(ToJson(kGood), bytes).dump());
      break;
  }
  if (data[0] >= 128 && data[0] % 4 > 1) SealBundle(folder);
  Read(folder);
  return 0;
}
