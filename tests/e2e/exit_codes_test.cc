// Every exit code that scripts rely on (harness/cli/exit_codes.h), one by one.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "harness/base/files.h"
#include "tests/e2e/made_store.h"
#include "tests/e2e/program.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {

class ExitCodes : public ::testing::Test {
 protected:
  void Campaign(const std::string& name, const MadeRun& run) {
    StoreCampaign(tailmark_.store(), name, {run});
  }
  int Check(std::vector<std::string> more = {}) {
    more.insert(more.begin(),
                {"check", "--confirm", "0", "--resamples", "500"});
    return tailmark_(more).code;
  }
  void Accept() {
    Campaign("night", {});
    ASSERT_EQ(tailmark_({"baseline", "accept", "--why", "it is right"}).code,
              0);
  }

  ScratchFolder scratch_;
  Program tailmark_{scratch_.path()};
};

TEST_F(ExitCodes, ZeroIsDone) {
  EXPECT_EQ(tailmark_({"list", "definitions"}).code, 0);
  Accept();
  EXPECT_EQ(Check(), 0);
}

TEST_F(ExitCodes, OneIsARegression) {
  Accept();
  Campaign("worse", {.build = "build-2", .skill = 1.3});
  EXPECT_EQ(Check(), 1);
}

TEST_F(ExitCodes, OneIsAnUnexplainedImprovementWhenStrict) {
  Accept();
  Campaign("better", {.build = "build-2", .skill = 1.7});
  EXPECT_EQ(Check(), 0);
  EXPECT_EQ(Check({"--strict"}), 1);
}

TEST_F(ExitCodes, TwoIsAWrongCommandLineOrWrongInput) {
  EXPECT_EQ(tailmark_({"lst"}).code, 2);
  EXPECT_EQ(tailmark_({"run", "no-such-recipe"}).code, 2);
  EXPECT_EQ(
      tailmark_({"eval", "--scores", "none.npy", "--labels", "none.npy"}).code,
      2);
}

TEST_F(ExitCodes, ThreeIsARunThatFailed) {
  WriteScoreFile(scratch_.path(), "theirs", {});
  WriteFileAtomic(scratch_.path() / "theirs.ids.txt", "nobody\n");
  WriteFileAtomic(scratch_.path() / "recipe.json",
                  R"({"schema": "tailmark-campaign/1", "campaign": "c",
                      "datasets": ["embedded"],
                      "methods": [{"use": "scores:theirs.npy"}]})");
  EXPECT_EQ(tailmark_({"run", "recipe.json"}).code, 3);
}

TEST_F(ExitCodes, FourIsNothingMeasured) {
  EXPECT_EQ(tailmark_({"reproduce", "hp-dval:table1:ERM"}).code, 4);
  Accept();
  StoreCampaign(tailmark_.store(), "else", {{.method = "else"}});
  const int code = Check();
  EXPECT_EQ(code, 4) << "the baseline's row is missing, nothing was compared";
}

TEST_F(ExitCodes, FiveIsNotComparable) {
  Accept();
  Campaign("chosen", {.build = "build-2", .selection = "best_on_test"});
  EXPECT_EQ(Check(), 5);
}

TEST_F(ExitCodes, SixIsADamagedStore) {
  Campaign("night", {});
  WriteFileAtomic(tailmark_.store() / "tailmark.sqlite", "no database");
  const Said said = tailmark_({"status"});
  EXPECT_EQ(said.code, 6) << said.err;
}

#ifdef TM_HAS_ENGINE
// A run long enough to be stopped.
std::vector<std::string> Long(const std::vector<std::string>& more) {
  std::vector<std::string> words = {"run",    "quickstart",
                                    "--only", "method=linear_probe-bce",
                                    "--set",  "linear_probe.epochs=100000"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

TEST_F(ExitCodes, SeventyFiveIsStoppedEarlyWithACheckpoint) {
  tailmark_.ShareFeatures();
  EXPECT_EQ(tailmark_(Long({"--stop-after", "2epochs"})).code, 75);
}

TEST_F(ExitCodes, AHundredAndMoreIsTheSignal) {
  for (const int signal : {SIGINT, SIGTERM}) {
    const pid_t pid = tailmark_.Start(Long({"--force"}));
    // Until its worker runs, so that there is something to stop.
    for (int i = 0; i < 600 && Program::Workers(pid).empty(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    kill(pid, signal);
    EXPECT_EQ(Program::Wait(pid), 128 + signal);
  }
}
#endif

}  // namespace
}  // namespace tailmark
