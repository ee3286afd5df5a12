// What no method may do, and what becomes of it: a row with a reason each, and
// the rest of the campaign done.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "harness/base/environment.h"
#include "harness/base/files.h"
#include "harness/plugin/sandbox.h"
#include "tests/plugins/plugin_program.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;
using ::testing::HasSubstr;

class HostilePlugin : public ::testing::Test, protected PluginProgram {
 protected:
  HostilePlugin() {
    program.environment["TM_TEST_OUTSIDE"] = outside().string();
    program.environment["TM_TEST_MARK"] = mark();
    program.environment["TM_TEST_LABELS"] =
        TM_SOURCE_DIR "/datasets/voc_lt/test_labels.txt";
    // A sanitizer would turn a crash or a refused allocation into words of its
    // own before either becomes what is tested here.
    program.environment["ASAN_OPTIONS"] =
        GetEnv("ASAN_OPTIONS").value_or("") +
        ":handle_segv=0:allocator_may_return_null=1";
  }
  fs::path outside() const { return folder() / "outside.txt"; }
  static std::string mark() { return "tm-left-" + std::to_string(getpid()); }
  static std::string Use() {
    return std::string("plugin:") + TM_PLUGIN_DIR + "/libhostile.so#hostile";
  }
  /// Its row alone has the limits: the prior may take what time it needs.
  Json Does(const std::string& deed, const Json& limits = Json::object()) {
    return RowOf(
        {{"use", Use()}, {"options", {{"deed", deed}}}, {"limits", limits}});
  }
  void ExpectFailure(const std::string& deed, const std::string& reason,
                     const std::string& state = "failed",
                     const Json& limits = Json::object()) {
    const Json row = Does(deed, limits);
    ASSERT_EQ(row.value("state", std::string()), state) << row;
    EXPECT_THAT(row["reason"].get<std::string>(), HasSubstr(reason));
  }
  /// What `plugin check` says of each promise.
  Json Checked(const std::vector<std::string>& more = {}) {
    std::vector<std::string> words = {"plugin", "check", Use(), "--json"};
    words.insert(words.end(), more.begin(), more.end());
    const Said said = program(words);
    EXPECT_EQ(said.code, 1) << said.err;
    return ParseJson(said.out, "plugin check")[0]["checks"];
  }
  /// Numbers of the processes of that name.
  static std::vector<std::string> ProcessesCalled(const std::string& name) {
    std::vector<std::string> found;
    std::error_code code;
    for (const auto& entry : fs::directory_iterator("/proc", code)) {
      std::string line;
      std::getline(std::ifstream(entry.path() / "comm"), line);
      if (line == name) found.push_back(entry.path().filename());
    }
    return found;
  }
};

TEST_F(HostilePlugin, WhatThrowsWhenItIsMadeFailsWithItsWords) {
  ExpectFailure("throw", "the wheels came off");
}

TEST_F(HostilePlugin, ScoresOfAWrongShapeAreNoResult) {
  ExpectFailure("shape", "gave scores of shape");
  ExpectFailure("rows", "gave scores of shape");
}

TEST_F(HostilePlugin, ScoresThatAreNoNumbersAreNoResult) {
  ExpectFailure("nan", "scores must be finite");
}

TEST_F(HostilePlugin, ACrashIsARowWithItsSignal) {
  ExpectFailure("segfault", "SIGSEGV");
}

TEST_F(HostilePlugin, AnEarlierPromiseIsNotToBlameForABrokenOne) {
  const Json fresh = Checked();
  // It crashes in the company of others, and does not alone.
  program.environment["TM_TEST_MOST_FITS"] = "8";
  EXPECT_EQ(Checked(), fresh);
}

TEST_F(HostilePlugin, APromiseThatCrashesIsNamedAndTheNextIsAsked) {
  program.environment["TM_TEST_MOST_FITS"] = "0";
  const Json said = Checked({"--only", "RefusesAnOptionItDoesNotHave", "--only",
                             "WorksWithOneClass", "--only", "WorksWithOneImage",
                             "--only", "EveryPresetCanBeMade"});
  ASSERT_EQ(said.size(), 4u) << said;
  for (const Json& each : said) {
    const bool fits = each["check"].get<std::string>().starts_with("Works");
    EXPECT_EQ(each["outcome"], fits ? "broken" : "kept") << each;
    if (fits) {
      EXPECT_THAT(each["detail"].get<std::string>(),
                  HasSubstr("it crashed: signal 11"));
    }
  }
}

TEST_F(HostilePlugin, LeavingWithoutABundleIsAFailure) {
  ExpectFailure("exit", "left no valid bundle");
}

TEST_F(HostilePlugin, AHangEndsAtItsLimit) {
  ExpectFailure("hang", "no sign of life for", "timeout", {{"silence", "20s"}});
}

TEST_F(HostilePlugin, ComputingForEverEndsAtItsLimitOfProcessorTime) {
  ExpectFailure("spin", "more processor time than its limit", "timeout",
                {{"cpu", "2s"}});
}

TEST_F(HostilePlugin, RunningOutOfDescriptorsIsAFailure) {
  const Json row = Does("descriptors");
  EXPECT_EQ(row["state"], "failed") << row;
  EXPECT_THAT(row["reason"].get<std::string>(), testing::Not(""));
}

TEST_F(HostilePlugin, MoreMemoryThanThereIsEndsTheRunAlone) {
  ExpectFailure("memory", "memory", "oom", {{"rss", "4GiB"}});
}

TEST_F(HostilePlugin, AFloodOnStderrIsCutAndTheRunGoesOn) {
  const Json row = Does("flood");
  EXPECT_EQ(row["state"], "done") << row;
  for (const auto& entry :
       fs::recursive_directory_iterator(program.store() / "bundles")) {
    if (entry.path().filename() != "log.txt") continue;
    EXPECT_LT(entry.file_size(), 5u << 20);
  }
}

TEST_F(HostilePlugin, WhatItLeavesBehindIsEnded) {
  const Json row = Does("fork");
  EXPECT_EQ(row["state"], "done") << row;
  EXPECT_THAT(ProcessesCalled(mark()), testing::IsEmpty());
}

TEST_F(HostilePlugin, WritingElsewhereIsRefused) {
  if (SandboxName() == "none") GTEST_SKIP() << "this kernel has no Landlock";
  ExpectFailure("write", "out of reach");
  EXPECT_FALSE(fs::exists(outside()));
}

TEST_F(HostilePlugin, LabelsOfATestSplitCannotBeRead) {
  if (SandboxName() == "none") GTEST_SKIP() << "this kernel has no Landlock";
  ASSERT_TRUE(std::ifstream(program.environment["TM_TEST_LABELS"]));
  ExpectFailure("labels", "out of reach");
}

TEST_F(HostilePlugin, HowItIsHeldBackIsRecorded) {
  Does("none");
  EXPECT_THAT(RecordOfPlugin()["spec"]["tags"],
              testing::Contains("isolation=" + SandboxName()));
}

TEST_F(HostilePlugin, NoneOfItsCodeRunsWhenItsStampDoesNotFit) {
  program.environment["TM_TEST_LOADED"] = "1";
  const fs::path fits = folder() / "fits.so", other = folder() / "other.so";
  std::string bytes = ReadFile(fs::path(TM_PLUGIN_DIR) / "libhostile.so");
  WriteFileAtomic(fits, bytes);
  bytes.replace(bytes.find("\"build_type\":\"") + 14, 2, "xx");
  WriteFileAtomic(other, bytes);
  WriteRecipe({{{"use", "plugin:" + fits.string()}},
               {{"use", "plugin:" + other.string()}}});
  const Said said = RunAll();
  const Json runs = said.json()["runs"];
  ASSERT_EQ(runs.size(), 3u) << said.err;
  EXPECT_THAT(runs[1]["reason"].get<std::string>(), HasSubstr("86"));
  EXPECT_THAT(runs[2]["reason"].get<std::string>(),
              HasSubstr("the build type differ"));
}

TEST_F(HostilePlugin, WhatCannotBeLoadedIsARowToo) {
  const fs::path stamp = folder() / "stamp.so", bare = folder() / "bare.so";
  std::string bytes = ReadFile(fs::path(TM_PLUGIN_DIR) / "libhostile.so");
  const auto at = bytes.find("\"build_type\":\"");
  ASSERT_NE(at, bytes.npos);
  std::string other = bytes;
  other.replace(at + 14, 2, "xx");
  WriteFileAtomic(stamp, other);
  // The symbol by another name, wherever it stands.
  const std::string name = "tailmark_plugin_register";
  for (auto found = bytes.find(name); found != bytes.npos;
       found = bytes.find(name)) {
    bytes[found] = 'x';
  }
  WriteFileAtomic(bare, bytes);
  WriteRecipe({{{"use", "plugin:" + stamp.string()}},
               {{"use", "plugin:" + bare.string()}}});
  const Said said = RunAll();
  const Json runs = said.json()["runs"];
  ASSERT_EQ(runs.size(), 3u) << said.err;
  EXPECT_EQ(runs[0]["state"], "done");
  EXPECT_THAT(runs[1]["reason"].get<std::string>(),
              HasSubstr("the build type differ"));
  EXPECT_THAT(runs[2]["reason"].get<std::string>(),
              HasSubstr("has no symbol 'tailmark_plugin_register'"));
}

}  // namespace
}  // namespace tailmark
