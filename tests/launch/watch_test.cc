#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/base/files.h"
#include "harness/launch/bundle_watch.h"
#include "harness/launch/key_lock.h"
#include "harness/launch/task_run.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;
using ::testing::IsEmpty;

class Watch : public ::testing::Test {
 protected:
  /// A run that has begun: its spec and one event.
  TaskFiles Begin() const {
    TaskFiles files = FilesOf(scratch_.path(), "k");
    MakeFolders(files.part);
    WriteFileAtomic(files.spec, ToJson(SampleSpec()).dump());
    WriteFileAtomic(files.part / "events.jsonl",
                    R"({"event": "progress", "phase": "fit", "done": 3,)"
                    R"( "total": 9, "unit": "epochs", "eta_s": 8})"
                    "\n");
    return files;
  }
  /// The state of every run, in one word each.
  static std::vector<std::string> States(BundleWatch& watch) {
    std::vector<std::string> states;
    for (const SeenRun& run : watch.Look()) states.push_back(run.state);
    return states;
  }

  ScratchFolder scratch_;
};

using Words = std::vector<std::string>;

TEST_F(Watch, ARunGoesFromRunningOverStoppedToDone) {
  BundleWatch watch(scratch_.path(), /*network=*/false);
  EXPECT_THAT(watch.Look(), IsEmpty());
  const TaskFiles files = Begin();
  {
    const auto lock = KeyLock::Try(files.lock);
    const auto runs = watch.Look();
    ASSERT_EQ(runs.size(), 1u);
    EXPECT_EQ(runs[0].state, "running");
    EXPECT_EQ(runs[0].method, SampleSpec().identity.method);
    EXPECT_EQ(runs[0].dataset, SampleSpec().identity.dataset);
    EXPECT_EQ(runs[0].campaign, SampleSpec().campaign);
    EXPECT_EQ(runs[0].seed, SampleSpec().seed);
    EXPECT_EQ(ToText(runs[0].progress), "fit 3/9 epochs");
    EXPECT_EQ(runs[0].progress.left_s, 8);
  }
  EXPECT_EQ(States(watch), Words{"stopped"});
  fs::remove_all(files.part);
  WriteSampleBundle(files.done);
  EXPECT_EQ(States(watch), Words{"done"});
  EXPECT_EQ(States(watch), Words{"done"});
}

TEST_F(Watch, AFailureIsShownUntilTheNextAttemptBegins) {
  BundleWatch watch(scratch_.path(), /*network=*/false);
  const TaskFiles files = FilesOf(scratch_.path(), "k");
  RunRecord record = WriteSampleBundle(files.failed);
  record.state = RunState::kTimeout;
  record.reason = "ran too long";
  WriteFileAtomic(files.failed / "run.json", ToJson(record).dump());
  const auto runs = watch.Look();
  ASSERT_EQ(runs.size(), 1u);
  EXPECT_EQ(runs[0].state, "timeout");
  EXPECT_EQ(runs[0].reason, "ran too long");
  Begin();
  EXPECT_EQ(States(watch), Words{"timeout"}) << "nobody works on it";
  const auto lock = KeyLock::Try(files.lock);
  EXPECT_EQ(States(watch), Words{"running"});
}

TEST_F(Watch, OnASharedFolderAFreshEventCountsAsRunning) {
  const TaskFiles files = Begin();
  BundleWatch watch(scratch_.path(), /*network=*/true);
  EXPECT_EQ(States(watch), Words{"running"});
  const fs::path events = files.part / "events.jsonl";
  fs::last_write_time(events,
                      fs::last_write_time(events) - std::chrono::hours(1));
  EXPECT_EQ(States(watch), Words{"stopped"});
}

TEST(TimeLeft, IsWhatFinishedRunsOfTheMethodTookSharedByWhoIsAtWork) {
  const SeenRun fast{.method = "fast", .state = "done", .seconds = 10};
  const SeenRun slow{.method = "slow", .state = "done", .seconds = 90};
  SeenRun busy{.method = "slow", .state = "running"};
  EXPECT_EQ(SecondsLeft({busy}, {}), -1) << "none has finished";
  EXPECT_EQ(SecondsLeft({fast, slow}, {"fast"}), -1) << "nobody works";
  EXPECT_EQ(SecondsLeft({fast, slow, busy}, {}), 90);
  EXPECT_EQ(SecondsLeft({fast, slow, busy}, {"fast", "new"}), 90 + 10 + 50);
  busy.progress.left_s = 30;
  busy.silent_s = 5;
  const std::vector<std::string> waiting(7, "fast");
  EXPECT_EQ(SecondsLeft({fast, slow, busy}, waiting), 25 + 70);
  EXPECT_EQ(SecondsLeft({fast, slow, busy, busy}, waiting), (50 + 70) / 2);
  const SeenRun left{.method = "slow", .state = "stopped"};
  EXPECT_EQ(SecondsLeft({fast, slow, busy, busy, left}, {}), 90)
      << "one of them takes that long";
}

TEST_F(Watch, WhatIsNoBundleIsPassedOver) {
  MakeFolders(scratch_.path() / "k.part");
  MakeFolders(scratch_.path() / "other");
  WriteFileAtomic(scratch_.path() / "note.txt", "hello");
  BundleWatch watch(scratch_.path(), /*network=*/false);
  EXPECT_THAT(watch.Look(), IsEmpty());
}

}  // namespace
}  // namespace tailmark
