// What no method may do, all of it in one campaign: a row with a reason each,
// and the rest done. One entry of CTest, so that the campaign runs once.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <memory>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/plugin/sandbox.h"
#include "tests/plugins/hostile_program.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// A deed and the limits of its row; the others may take what they need.
struct Deed {
  const char* name;
  Json limits = Json::object();
};

class HostileCampaign : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const Deed deeds[] = {{"hang", {{"silence", "20s"}}},
                          {"spin", {{"cpu", "2s"}}},
                          {"memory", {{"rss", "4GiB"}}},
                          {"throw"},
                          {"shape"},
                          {"rows"},
                          {"nan"},
                          {"segfault"},
                          {"exit"},
                          {"descriptors"},
                          {"flood"},
                          {"fork"},
                          {"write"},
                          {"labels"},
                          {"none"}};
    program_ = std::make_unique<HostileProgram>();
    Json methods = Json::array();
    for (const Deed& deed : deeds) {
      methods.push_back({{"use", HostileProgram::Use()},
                         {"name", StrCat("hostile-", deed.name)},
                         {"options", {{"deed", deed.name}}},
                         {"limits", deed.limits}});
    }
    program_->WriteRecipe(methods);
    const Said said = program_->RunAll();
    const Json runs = said.json().value("runs", Json());
    ASSERT_EQ(runs.size(), 1 + std::size(deeds)) << said.err;
    prior_ = runs[0];
    for (std::size_t i = 0; i < std::size(deeds); ++i) {
      rows_[deeds[i].name] = runs[1 + i];
    }
  }
  static void TearDownTestSuite() { program_.reset(); }

  static const Json& Row(const std::string& deed) { return rows_.at(deed); }
  static fs::path Bundle(const std::string& deed) {
    return Row(deed)["bundle"].get<std::string>();
  }
  static void ExpectFailure(const std::string& deed, const std::string& reason,
                            const std::string& state = "failed") {
    ASSERT_EQ(Row(deed).value("state", std::string()), state) << Row(deed);
    EXPECT_THAT(Row(deed)["reason"].get<std::string>(), HasSubstr(reason));
  }

  static std::unique_ptr<HostileProgram> program_;
  static Json prior_;
  static std::map<std::string, Json> rows_;
};
std::unique_ptr<HostileProgram> HostileCampaign::program_;
Json HostileCampaign::prior_;
std::map<std::string, Json> HostileCampaign::rows_;

TEST_F(HostileCampaign, GoesOnToItsEnd) {
  EXPECT_EQ(prior_["state"], "done") << prior_;
  EXPECT_EQ(Row("none")["state"], "done") << Row("none");
}

TEST_F(HostileCampaign, WhatThrowsWhenItIsMadeFailsWithItsWords) {
  ExpectFailure("throw", "the wheels came off");
}

TEST_F(HostileCampaign, ScoresOfAWrongShapeAreNoResult) {
  ExpectFailure("shape", "gave scores of shape");
  ExpectFailure("rows", "gave scores of shape");
}

TEST_F(HostileCampaign, ScoresThatAreNoNumbersAreNoResult) {
  ExpectFailure("nan", "scores must be finite");
}

TEST_F(HostileCampaign, ACrashIsARowWithItsSignal) {
  ExpectFailure("segfault", "SIGSEGV");
}

TEST_F(HostileCampaign, LeavingWithoutABundleIsAFailure) {
  ExpectFailure("exit", "left no valid bundle");
}

TEST_F(HostileCampaign, AHangEndsAtItsLimit) {
  ExpectFailure("hang", "no sign of life for", "timeout");
}

TEST_F(HostileCampaign, ComputingForEverEndsAtItsLimitOfProcessorTime) {
  ExpectFailure("spin", "more processor time than its limit", "timeout");
}

TEST_F(HostileCampaign, RunningOutOfDescriptorsIsAFailure) {
  ExpectFailure("descriptors", "");
  EXPECT_THAT(Row("descriptors")["reason"].get<std::string>(),
              testing::Not(""));
}

TEST_F(HostileCampaign, MoreMemoryThanThereIsEndsTheRunAlone) {
  ExpectFailure("memory", "memory", "oom");
}

TEST_F(HostileCampaign, AFloodOnStderrIsCutAndTheRunGoesOn) {
  EXPECT_EQ(Row("flood")["state"], "done") << Row("flood");
  const auto bytes = fs::file_size(Bundle("flood") / "log.txt");
  EXPECT_GT(bytes, 100'000u);
  EXPECT_LT(bytes, 5u << 20);
}

TEST_F(HostileCampaign, WhatItLeavesBehindIsEnded) {
  EXPECT_EQ(Row("fork")["state"], "done") << Row("fork");
  EXPECT_THAT(HostileProgram::ProcessesCalled(HostileProgram::mark()),
              testing::IsEmpty());
}

TEST_F(HostileCampaign, WritingElsewhereIsRefused) {
  if (SandboxName() == "none") GTEST_SKIP() << "this kernel has no Landlock";
  ExpectFailure("write", "out of reach");
  EXPECT_FALSE(fs::exists(program_->outside()));
}

TEST_F(HostileCampaign, LabelsOfATestSplitCannotBeRead) {
  if (SandboxName() == "none") GTEST_SKIP() << "this kernel has no Landlock";
  ASSERT_TRUE(std::ifstream(program_->program.environment["TM_TEST_LABELS"]));
  ExpectFailure("labels", "out of reach");
}

TEST_F(HostileCampaign, HowItIsHeldBackIsRecorded) {
  EXPECT_THAT(ReadJson(Bundle("none") / "run.json")["spec"]["tags"],
              testing::Contains("isolation=" + SandboxName()));
}

}  // namespace
}  // namespace tailmark
