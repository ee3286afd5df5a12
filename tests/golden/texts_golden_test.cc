// The texts of zero-shot classification and their ids against published ones.

#include <gtest/gtest.h>

#include <filesystem>
#include <iostream>
#include <set>

#include "harness/base/json.h"
#include "methods/clip/bpe_tokenizer.h"
#include "methods/zero_shot_clip/templates.h"
#include "tests/golden/golden.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;

/// Start, ids, end: rows of the files end there.
std::vector<std::int64_t> Ids(const BpeTokenizer& tokenizer,
                              const std::string& text) {
  std::vector<std::int64_t> ids{tokenizer.start()};
  for (const auto id : tokenizer.Encode(text)) ids.push_back(id);
  ids.push_back(tokenizer.end());
  return ids;
}

TEST(TextsGoldenTest, TextsAndIdsOfEveryVariantAreThePublishedOnes) {
  const fs::path vocabulary =
      ReferenceFolder("clip_vocab") / "bpe_simple_vocab_16e6.txt.gz";
  if (!fs::exists(vocabulary)) {
    GTEST_SKIP() << "clip_vocab is not there; set TAILMARK_REFERENCE_DATA";
  }
  const auto tokenizer = BpeTokenizer::FromOpenAi(vocabulary);
  std::size_t compared = 0;
  const auto expect = [&](const Json& published, const std::string& variant,
                          const std::string& name, NameStyle style) {
    const auto texts = TextsOf(TextVariantOf(variant), name, style);
    ASSERT_EQ(texts.size(), 1U);
    EXPECT_EQ(texts[0], published["text"].get<std::string>());
    EXPECT_EQ(Ids(*tokenizer, texts[0]),
              published["tokens"].get<std::vector<std::int64_t>>());
    ++compared;
  };
  for (const std::string_view split : {"coco-lt", "voc-lt"}) {
    const fs::path path = ReferenceFolder("splits") / split / "prompts.json";
    if (!fs::exists(path)) continue;
    for (const Json& row : ReadJson(path)) {
      const auto name = row["name"].get<std::string>();
      expect(row["a_photo_of_a"], "single", name, NameStyle::kSpace);
      const Json& cut = row["zero_shot_76char"];
      expect(cut["first_word_as_released"], "lmpt-concat", name,
             NameStyle::kFirstWord);
      expect(cut["underscore"], "lmpt-concat", name, NameStyle::kUnderscore);
      expect(cut["space"], "lmpt-concat", name, NameStyle::kSpace);
    }
  }
  std::cout << "compared " << compared << " texts\n";
}

TEST(TextsGoldenTest, TheEightyTemplatesAreEightyAndHaveOnePlaceEach) {
  const auto& all = ImageNetTemplates();
  EXPECT_EQ(all.size(), 80U);
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), 80U);
  for (const std::string& text : all) {
    EXPECT_NE(text.find("{}"), std::string::npos);
    EXPECT_EQ(text.find("{}"), text.rfind("{}"));
  }
}

}  // namespace
}  // namespace tailmark
