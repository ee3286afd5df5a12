#include "harness/record/bundle.h"

#include <gtest/gtest.h>

#include <fstream>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;

std::string BundleErrorOf(const fs::path& folder) {
  try {
    ReadBundle(folder);
    return "";
  } catch (const DataError& error) {
    return error.what();
  }
}

void Append(const fs::path& path, std::string_view text) {
  std::ofstream(path, std::ios::app) << text;
}

class Bundle : public ::testing::Test {
 protected:
  void SetUp() override { record_ = WriteSampleBundle(folder()); }
  const fs::path& folder() const { return scratch_.path(); }

  ScratchFolder scratch_;
  RunRecord record_;
};

TEST_F(Bundle, ComesBackAsItWasWritten) {
  EXPECT_TRUE(IsSealed(folder()));
  EXPECT_EQ(ToJson(ReadBundle(folder())), ToJson(record_));
}

TEST_F(Bundle, EventsAndLogMayGrowAfterTheSeal) {
  Append(folder() / "events.jsonl", "{}\n");
  Append(folder() / "log.txt", "more\n");
  EXPECT_EQ(BundleErrorOf(folder()), "");
}

TEST_F(Bundle, AFolderWithoutDoneIsNoResult) {
  fs::remove(folder() / "DONE");
  EXPECT_FALSE(IsSealed(folder()));
  EXPECT_NE(BundleErrorOf(folder()).find("no DONE"), std::string::npos);
}

TEST_F(Bundle, WhatAKilledWriterLeftIsNotSealed) {
  Append(folder() / "run.json.tmp.123", "half");
  SealBundle(folder());
  EXPECT_FALSE(fs::exists(folder() / "run.json.tmp.123"));
  EXPECT_EQ(BundleErrorOf(folder()), "");
}

TEST_F(Bundle, AnyChangedByteIsFoundAndNamed) {
  for (const char* file : {"run.json", "ids.txt", "scores/test.npy"}) {
    const std::string before = ReadFile(folder() / file);
    std::string after = before;
    after[after.size() / 2] ^= 1;
    WriteFileAtomic(folder() / file, after);
    EXPECT_NE(BundleErrorOf(folder()).find(file), std::string::npos) << file;
    WriteFileAtomic(folder() / file, before);
  }
  EXPECT_EQ(BundleErrorOf(folder()), "");
}

TEST_F(Bundle, AMissingFileIsNamed) {
  fs::remove(folder() / "ids.txt");
  EXPECT_FALSE(IsSealed(folder()));
  EXPECT_NE(BundleErrorOf(folder()).find("ids.txt: is in DONE but missing"),
            std::string::npos);
}

TEST_F(Bundle, AFileThatDoneDoesNotListIsNamed) {
  Append(folder() / "scores/extra.npy", "x");
  EXPECT_NE(BundleErrorOf(folder()).find("extra.npy: is not listed in DONE"),
            std::string::npos);
}

TEST_F(Bundle, ALinkIsRefused) {
  fs::create_symlink("/etc/passwd", folder() / "scores/link.npy");
  EXPECT_NE(BundleErrorOf(folder()).find("is a link"), std::string::npos);
}

TEST_F(Bundle, ATornDoneIsRefusedWithItsLine) {
  const std::string done = ReadFile(folder() / "DONE");
  for (std::size_t size = 0; size < done.size(); ++size) {
    WriteFileAtomic(folder() / "DONE", done.substr(0, size));
    EXPECT_NE(BundleErrorOf(folder()), "") << size;
  }
}

TEST_F(Bundle, DoneMayNotLeadOutOfTheFolder) {
  const std::string done = ReadFile(folder() / "DONE");
  WriteFileAtomic(folder() / "DONE",
                  done + std::string(64, 'a') + "  ../outside\n");
  EXPECT_NE(BundleErrorOf(folder()).find("DONE:4"), std::string::npos);
  EXPECT_FALSE(IsSealed(folder()));
}

TEST_F(Bundle, AScoreFileWhoseHashTheRecordContradictsIsRefused) {
  fs::remove(folder() / "DONE");
  record_.scores[0].sha256 = std::string(64, '0');
  WriteFileAtomic(folder() / "run.json", ToJson(record_).dump());
  SealBundle(folder());
  EXPECT_NE(BundleErrorOf(folder()).find("names scores/test.npy"),
            std::string::npos);
}

TEST_F(Bundle, AStateIsFoundWholeOnlyInAWholeBundleOfItsKey) {
  const std::string key = RunKey(record_.spec);
  ScratchFolder bundles;
  const auto put = [&](const std::string& name) {
    const fs::path to = bundles.path() / name;
    fs::copy(folder(), to, fs::copy_options::recursive);
    WriteFileAtomic(to / "state.safetensors", name);
    SealBundle(to);
    return to;
  };
  EXPECT_EQ(FindWholeState(bundles.path(), key), "");
  const fs::path first = put(key);
  EXPECT_EQ(FindWholeState(bundles.path(), key), first / "state.safetensors");
  Append(first / "state.safetensors", "x");
  EXPECT_EQ(FindWholeState(bundles.path(), key), "");
  EXPECT_EQ(FindState(bundles.path(), key), first / "state.safetensors");
  // One of --force takes the place of one that is damaged.
  const fs::path forced = put(key + ".forced");
  EXPECT_EQ(FindWholeState(bundles.path(), key), forced / "state.safetensors");
  const std::string other(64, 'b');
  put(other);
  EXPECT_EQ(FindWholeState(bundles.path(), other), "");
}

TEST(RunState, NamesComeBack) {
  for (int i = 0; i <= static_cast<int>(RunState::kNotApplicable); ++i) {
    const auto state = static_cast<RunState>(i);
    EXPECT_EQ(RunStateFromName(NameOf(state)), state);
  }
  EXPECT_THROW(RunStateFromName("finished"), DataError);
}

}  // namespace
}  // namespace tailmark
