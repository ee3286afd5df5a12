#include "tests/record/kept.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>

#include "harness/base/files.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;

class KeptFiles : public ::testing::Test {
 protected:
  void SetUp() override { unsetenv("TAILMARK_AFRESH"); }
  /// What `name` holds for `from`; counts how often it was made.
  std::string Content(const std::string& name, const Json& from) {
    const fs::path path =
        Kept(scratch_.path() / "kept", name, from, [&](const fs::path& out) {
          WriteFileAtomic(out, from.dump() + std::to_string(++made_));
        });
    return ReadFile(path);
  }
  std::size_t Files() const {
    std::size_t files = 0;
    for (const auto& entry : fs::directory_iterator(scratch_.path() / "kept")) {
      files += entry.is_regular_file() ? 1 : 0;
    }
    return files;
  }
  ScratchFolder scratch_;
  int made_ = 0;
};

TEST_F(KeptFiles, AreMadeOnceForTheSameOrigin) {
  EXPECT_EQ(Content("a", 1), "11");
  EXPECT_EQ(Content("a", 1), "11");
  EXPECT_EQ(Content("b", 1), "12");
  EXPECT_EQ(made_, 2);
}

TEST_F(KeptFiles, AreReplacedWhenTheirOriginChanges) {
  EXPECT_EQ(Content("a", 1), "11");
  EXPECT_EQ(Content("a", 2), "22");
  EXPECT_EQ(Files(), 1u);
  EXPECT_EQ(Content("a", 1), "13");
}

TEST_F(KeptFiles, AreMadeAgainWhenThatIsAskedFor) {
  EXPECT_EQ(Content("a", 1), "11");
  setenv("TAILMARK_AFRESH", "1", 1);
  EXPECT_EQ(Content("a", 1), "12");
  unsetenv("TAILMARK_AFRESH");
  EXPECT_EQ(Content("a", 1), "12");
}

TEST_F(KeptFiles, AFailureIsNotKept) {
  const auto nothing = [](const fs::path&) {};
  EXPECT_EQ(Kept(scratch_.path() / "kept", "a", 1, nothing), fs::path());
  EXPECT_THROW(Kept(scratch_.path() / "kept", "a", 1,
                    [](const fs::path& out) {
                      WriteFileAtomic(out, "half");
                      throw std::runtime_error("no");
                    }),
               std::runtime_error);
  EXPECT_EQ(Content("a", 1), "11");
}

TEST_F(KeptFiles, ScoresFollowFromEveryByteOfTheirPrograms) {
  const fs::path bin = scratch_.path();
  WriteFileAtomic(bin / "a", "program");
  WriteFileAtomic(bin / "b", "another");
  const Json before = WhatMovesScores(bin, {"a", "b"});
  EXPECT_EQ(WhatMovesScores(bin, {"a", "b"}), before);
  EXPECT_TRUE(before.contains("torch"));
  WriteFileAtomic(bin / "b", "anothes");
  EXPECT_NE(WhatMovesScores(bin, {"a", "b"}), before);
  EXPECT_THROW(WhatMovesScores(bin, {"c"}), std::exception);
}

TEST_F(KeptFiles, FeaturesAreSharedUntilAnotherWorkerIsBuilt) {
  const fs::path bin = scratch_.path() / "bin";
  fs::create_directories(bin);
  WriteFileAtomic(bin / "tailmark-worker", "program");
  const fs::path first = KeptFeatures(bin);
  WriteFileAtomic(first / "matrix", "features");
  EXPECT_EQ(KeptFeatures(bin), first);
  EXPECT_TRUE(fs::exists(first / "matrix"));
  fs::last_write_time(
      bin / "tailmark-worker",
      fs::last_write_time(bin / "tailmark-worker") + std::chrono::seconds(1));
  const fs::path second = KeptFeatures(bin);
  EXPECT_NE(second, first);
  EXPECT_TRUE(fs::is_empty(second));
  EXPECT_FALSE(fs::exists(first));
  setenv("TAILMARK_AFRESH", "1", 1);
  EXPECT_EQ(KeptFeatures(bin), fs::path());
}

}  // namespace
}  // namespace tailmark
