// A pack that somebody else made: any bytes are judged, and none but those that
// were packed hold.

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "harness/base/digest.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/json.h"
#include "harness/record/ustar.h"
#include "results/pack.h"
#include "tests/fuzz/json_changes.h"
#include "tests/fuzz/scratch_file.h"
#include "tests/results/samples.h"

namespace {

namespace fs = std::filesystem;
using namespace tailmark;  // NOLINT(google-build-using-namespace)

struct Packed {
  fs::path top = ScratchFor("pack_fuzz");
  DatasetFacts facts = SampleFacts();
  std::string tar;
  Json claims;

  Packed() {
    fs::remove_all(top);
    fs::create_directories(top);
    (void)WriteBundle(top / "bundle", SampleRun{}, facts);
    WritePack(top / "good.tar", {{top / "bundle", facts}}, {}, top / "scratch");
    tar = ReadFile(top / "good.tar");
    ReadTar(top / "good.tar", top / "open", {});
    claims = ReadJson(top / "open" / kPackFolder / "PACK.json");
  }
};

bool Holds(const Packed& good, const fs::path& archive) {
  try {
    const Verification answer = Verify(
        archive,
        [&](const RunSpec&, const fs::path&) -> const DatasetFacts& {
          return good.facts;
        },
        good.top / "scratch");
    if (!answer.tampered.empty()) return false;
    for (const VerifiedRun& run : answer.runs) {
      if (run.verdict != "holds") return false;
    }
    return !answer.runs.empty();
  } catch (const DataError&) {
    return false;
  }
}

/// Other claims under right hashes.
void Claim(const Packed& good, const Json& claims) {
  const fs::path folder = good.top / "open" / kPackFolder;
  WriteFileAtomic(folder / "PACK.json", claims.dump());
  std::string sums;
  for (const auto& line : {"PACK.json"}) {
    sums += Sha256File(folder / line) + "  " + line + "\n";
  }
  const std::string old = ReadFile(folder / "SHA256SUMS");
  sums += old.substr(old.find('\n') + 1);
  WriteFileAtomic(folder / "SHA256SUMS", sums);
  WriteTar(good.top / "claimed.tar", {folder});
  if (Holds(good, good.top / "claimed.tar") && claims != good.claims) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  static const Packed kGood;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const fs::path input = kGood.top / "input.tar";
  WriteScratch(input, bytes);
  if (Holds(kGood, input) && bytes != kGood.tar) std::abort();
  // The good one with bytes changed: place (two), value.
  std::string tar = kGood.tar;
  for (std::size_t i = 0; i + 2 < size && i < 12; i += 3) {
    const std::size_t place = data[i] * 256U + data[i + 1];
    tar[place * 7 % tar.size()] = static_cast<char>(data[i + 2]);
  }
  WriteScratch(input, tar);
  if (Holds(kGood, input) != (tar == kGood.tar)) std::abort();
  Claim(kGood, Changed(kGood.claims, bytes));
  return 0;
}
