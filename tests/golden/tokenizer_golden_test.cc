// CLIP's tokenizer against the reference's ids. The vocabulary is not ours to
// ship: without it there is nothing to compare.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/json.h"
#include "methods/clip/bpe_tokenizer.h"
#include "methods/clip/text_unicode.h"
#include "tests/golden/golden.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;
using Ids = std::vector<std::int64_t>;

fs::path VocabularyFile() {
  return ReferenceFolder("clip_vocab") / "bpe_simple_vocab_16e6.txt.gz";
}

/// Null where the vocabulary is absent.
const BpeTokenizer* OpenAi() {
  static const auto kTokenizer = []() -> std::unique_ptr<BpeTokenizer> {
    if (!fs::exists(VocabularyFile())) return nullptr;
    return BpeTokenizer::FromOpenAi(VocabularyFile());
  }();
  return kTokenizer.get();
}

std::vector<Json> GoldenRows() {
  std::vector<Json> rows;
  const auto path = GoldenFolder("clip/tokenizer") / "tokens.jsonl";
  if (!fs::exists(path)) return rows;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    rows.push_back(ParseJson(line, path.string()));
  }
  return rows;
}

#define TM_NEED_VOCABULARY() \
  if (OpenAi() == nullptr)   \
  GTEST_SKIP() << "clip_vocab is not there; set TAILMARK_REFERENCE_DATA"

TEST(BpeGoldenTest, EveryTextHasTheReferencesIds) {
  TM_NEED_VOCABULARY();
  const auto rows = GoldenRows();
  if (rows.empty()) GTEST_SKIP() << "clip/tokenizer is not there";
  for (const Json& row : rows) {
    const auto text = row["text"].get<std::string>();
    const auto ids = OpenAi()->Encode(text);
    EXPECT_EQ(ids, row["ids"].get<Ids>()) << row.dump();
    if (row.contains("truncated77")) {
      EXPECT_EQ(OpenAi()->Row(text, 77, true), row["truncated77"].get<Ids>());
      EXPECT_THROW((void)OpenAi()->Row(text, 77, false), ConfigError);
    } else {
      Ids padded{OpenAi()->start()};
      padded.insert(padded.end(), ids.begin(), ids.end());
      padded.push_back(OpenAi()->end());
      padded.resize(77, 0);
      EXPECT_EQ(OpenAi()->Row(text, 77, false), padded);
    }
  }
  std::cout << "compared " << rows.size() << " texts\n";
}

TEST(BpeGoldenTest, HuggingFaceCleaningDiffersWhereTransformersDoes) {
  TM_NEED_VOCABULARY();
  const auto path = GoldenFolder("clip/tokenizer") / "hf_differences.json";
  if (!fs::exists(path)) GTEST_SKIP() << path << " is not there";
  const auto tokenizer =
      BpeTokenizer::FromOpenAi(VocabularyFile(), TextCleaning::kHuggingFace);
  const Json rows = ReadJson(path)["rows"];
  std::size_t same = 0;
  for (const Json& row : rows) {
    const bool equal = tokenizer->Encode(row["text"].get<std::string>()) ==
                       row["hf"].get<Ids>();
    same += equal ? 1 : 0;
    if (!equal)
      std::cout << "other ids: " << row["text"].dump(-1, ' ', true) << "\n";
  }
  std::cout << "compared " << rows.size() << " texts, " << same << " equal\n";
  EXPECT_GE(same * 100, rows.size() * 85);
}

TEST(BpeGoldenTest, CaptionsOfTheSplitsHaveTheirPublishedIds) {
  TM_NEED_VOCABULARY();
  std::size_t compared = 0;
  for (const std::string_view split : {"coco-lt", "voc-lt"}) {
    const auto path = ReferenceFolder("splits") / split / "captions.tsv";
    if (!fs::exists(path)) continue;
    const std::string text = ReadFile(path);
    std::istringstream lines(text);
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line)) {
      std::vector<std::string> cells;
      std::istringstream row(line);
      for (std::string cell; std::getline(row, cell, '\t');)
        cells.push_back(cell);
      ASSERT_EQ(cells.size(), 4U) << line;
      Ids expected;
      std::istringstream numbers(cells[3]);
      for (std::int64_t id = 0; numbers >> id;) expected.push_back(id);
      Ids ids{OpenAi()->start()};
      for (const auto id : OpenAi()->Encode(cells[2])) ids.push_back(id);
      ids.push_back(OpenAi()->end());
      EXPECT_EQ(ids, expected) << line;
      ++compared;
    }
  }
  std::cout << "compared " << compared << " captions\n";
}

TEST(BpeGoldenTest, PlainTextIsCutAsThePatternCutsIt) {
  TM_NEED_VOCABULARY();
  // A no-break space makes the text take the other way and is a blank to both.
  for (const Json& row : GoldenRows()) {
    const auto text = row["text"].get<std::string>();
    if (!IsAscii(text) || text.find('&') != text.npos) continue;
    EXPECT_EQ(OpenAi()->Encode(text), OpenAi()->Encode(text + " \u00A0"))
        << text;
  }
}

}  // namespace
}  // namespace tailmark
