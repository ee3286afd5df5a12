#include "harness/record/weights.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "harness/base/digest.h"
#include "harness/base/error.h"
#include "harness/base/files.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;

class Weights : public ::testing::Test {
 protected:
  Weights()
      : folder_(fs::path(testing::TempDir()) /
                testing::UnitTest::GetInstance()->current_test_info()->name()) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }

 public:
  ~Weights() override { fs::remove_all(folder_); }

 protected:
  void Put(const std::string& name, const std::string& text) const {
    WriteFileAtomic(folder_ / name, text);
  }
  const fs::path folder_;
};

TEST_F(Weights, AFileIsItsOwnHash) {
  Put("w.safetensors", "abc");
  EXPECT_EQ(WeightsSha256(folder_ / "w.safetensors"), Sha256Hex("abc"));
}

TEST_F(Weights, AFolderIsWhatAnEncoderIsMadeFromAndNothingElse) {
  Put("model.safetensors", "abc");
  Put("config.json", "{}");
  const std::string hash = WeightsSha256(folder_);
  EXPECT_EQ(hash, Sha256Hex(Sha256Hex("{}") + "  config.json\n" +
                            Sha256Hex("abc") + "  model.safetensors\n"));
  Put("README.md", "notes");
  Put("log.txt", "loss");
  EXPECT_EQ(WeightsSha256(folder_), hash);
  Put("vocab.json", "[]");
  EXPECT_NE(WeightsSha256(folder_), hash);
}

TEST_F(Weights, AFileCountsWithWhatIsReadBesideIt) {
  Put("ViT-B-16.pt", "abc");
  Put("other.pt", "def");
  const std::string alone = WeightsSha256(folder_ / "ViT-B-16.pt");
  EXPECT_EQ(alone, Sha256Hex("abc"));
  EXPECT_NE(WeightsSha256(folder_ / "other.pt"), alone);
  Put("bpe_simple_vocab_16e6.txt.gz", "words");
  const std::string with_words = WeightsSha256(folder_ / "ViT-B-16.pt");
  EXPECT_NE(with_words, alone);
  Put("other.pt", "ghi");
  EXPECT_EQ(WeightsSha256(folder_ / "ViT-B-16.pt"), with_words);
  Put("bpe_simple_vocab_16e6.txt.gz", "other words");
  EXPECT_NE(WeightsSha256(folder_ / "ViT-B-16.pt"), with_words);
}

TEST_F(Weights, OpenClipsConfigurationDecidesTheActivationAndCounts) {
  Put("open_clip_model.safetensors", "abc");
  const std::string hash = WeightsSha256(folder_);
  Put("open_clip_config.json", "{}");
  EXPECT_NE(WeightsSha256(folder_), hash);
}

TEST_F(Weights, WhatHoldsNoneIsRefusedByName) {
  EXPECT_THROW(WeightsSha256(folder_), DataError);
  try {
    WeightsSha256(folder_ / "gone");
    FAIL();
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("gone: no such weights"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace tailmark
