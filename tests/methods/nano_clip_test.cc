// The committed files of nano-CLIP belong together. How well it classifies is
// tests/run/nano_benchmark_test.cc's business.

#include <gtest/gtest.h>

#include <sstream>

#include "datasets/embedded/web_pairs.h"
#include "harness/base/digest.h"
#include "harness/base/files.h"
#include "methods/clip/tokenizer.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;
const fs::path kNano = fs::path(TM_SOURCE_DIR) / "methods/clip/nano";

TEST(NanoClip, EveryFileIsTheOneThatWasMade) {
  std::istringstream sums(ReadFile(kNano / "SHA256SUMS"));
  std::string digest, name;
  int files = 0;
  while (sums >> digest >> name) {
    EXPECT_EQ(Sha256File(kNano / name), digest) << name;
    ++files;
  }
  EXPECT_GE(files, 6);
}

TEST(NanoClip, ItsVocabularyIsTheGenerators) {
  EXPECT_EQ(ReadVocabulary(kNano / "vocab.json"), embedded::Vocabulary());
}

TEST(NanoClip, NoCaptionOfTheWebPairsHasAnUnknownWord) {
  const WordTokenizer tokenizer(embedded::Vocabulary(), "vocabulary");
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const auto caption = embedded::DrawWebPair(1, i).caption;
    for (const std::int64_t id : tokenizer.Encode(caption)) {
      ASSERT_NE(id, 1) << caption;
    }
  }
}

}  // namespace
}  // namespace tailmark
