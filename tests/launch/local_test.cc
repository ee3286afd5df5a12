#include "harness/launch/local.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "tests/launch/sample_plan.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;

/// Runs plans of one method whose worker does what "act" says.
class Local : public ::testing::Test {
 protected:
  static Plan PlanOf(const std::vector<std::string>& acts, int seeds = 1) {
    Recipe recipe = SampleRecipe();
    for (const std::string& act : acts) {
      MethodUse use{.use = "probe", .name = act};
      use.options["act"] = {act, {"test", {}}};
      for (int seed = 0; seed < seeds; ++seed) use.seeds.push_back(seed);
      recipe.methods.push_back(use);
    }
    return MakeSamplePlan(recipe);
  }

  LocalOptions Options(int workers = 2) const {
    LocalOptions options;
    options.launch.bundles = bundles();
    options.launch.worker = fs::path(TM_BIN_DIR) / "fake_worker";
    options.launch.grace_s = 0.2;
    options.slots.resize(static_cast<std::size_t>(workers));
    options.quiet = true;
    return options;
  }
  std::vector<TaskResult> Run(const Plan& plan) const {
    return RunLocally(plan, Options());
  }
  /// The result of one task that does `act`, with the record it left.
  TaskResult RunOne(const Plan& plan) {
    const TaskResult result = Run(plan).at(0);
    if (!result.bundle.empty()) record_ = ReadBundle(result.bundle);
    return result;
  }

  fs::path bundles() const { return scratch_.path() / "bundles"; }
  std::int64_t Starts() const {
    const std::string text = ReadFile(bundles() / "starts");
    return std::count(text.begin(), text.end(), '\n');
  }
  /// Names in bundles/ but for the fake worker's own file.
  std::vector<std::string> Left() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(bundles())) {
      const std::string name = entry.path().filename().string();
      // A killed writer leaves its temporary; `db vacuum` removes it. What is
      // not done keeps the numbers of its leases.
      if (name != "starts" && name.find(".tmp.") == name.npos &&
          !name.ends_with(".leases")) {
        names.push_back(name);
      }
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  ScratchFolder scratch_;
  RunRecord record_;
};

TEST_F(Local, EveryTaskLeavesASealedBundleUnderItsKeyAndNothingElse) {
  const Plan plan = PlanOf({"good", "steps"}, 2);
  const auto results = Run(plan);
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < plan.tasks.size(); ++i) {
    EXPECT_EQ(results[i].state, RunState::kDone) << results[i].reason;
    EXPECT_EQ(RunKey(ReadBundle(results[i].bundle).spec), plan.tasks[i].key);
    keys.push_back(plan.tasks[i].key);
  }
  std::sort(keys.begin(), keys.end());
  EXPECT_EQ(Left(), keys);
  EXPECT_EQ(Starts(), 4);
}

TEST_F(Local, WhatIsFinishedIsNotRunAgain) {
  const Plan plan = PlanOf({"good"}, 2);
  Run(plan);
  const auto results = Run(plan);
  EXPECT_TRUE(results[0].adopted);
  EXPECT_TRUE(results[1].adopted);
  EXPECT_EQ(Starts(), 2);
}

TEST_F(Local, AForcedRunIsRunAgainBesideTheFirst) {
  const Plan plan = PlanOf({"good"});
  Run(plan);
  LocalOptions options = Options();
  options.launch.force = true;
  EXPECT_EQ(RunLocally(plan, options)[0].state, RunState::kDone);
  EXPECT_EQ(Starts(), 2);
  EXPECT_TRUE(IsSealed(bundles() / plan.tasks[0].key));
}

TEST_F(Local, AForcedRunThatNoneCameBeforeIsTheFirst) {
  const Plan plan = PlanOf({"good"});
  LocalOptions options = Options();
  options.launch.force = true;
  const TaskResult result = RunLocally(plan, options)[0];
  EXPECT_EQ(result.bundle, bundles() / plan.tasks[0].key);
  EXPECT_EQ(Left(), std::vector<std::string>{plan.tasks[0].key});
  EXPECT_TRUE(Run(plan)[0].adopted);
}

TEST_F(Local, AForcedRunStandsInForAFirstOneThatWasDamaged) {
  const Plan plan = PlanOf({"good"});
  Run(plan);
  const fs::path first = bundles() / plan.tasks[0].key;
  WriteFileAtomic(first / "run.json", "{}");
  EXPECT_THROW((void)ReadBundle(first), DataError);
  LocalOptions options = Options();
  options.launch.force = true;
  const TaskResult result = RunLocally(plan, options)[0];
  EXPECT_EQ(result.state, RunState::kDone);
  EXPECT_EQ(result.bundle, first);
  EXPECT_EQ(ReadBundle(first).state, RunState::kDone);
  EXPECT_EQ(Left(), std::vector<std::string>{plan.tasks[0].key});
}

TEST_F(Local, WhoseKeyIsTakenOverWhileItStartsGivesWay) {
  const Plan plan = PlanOf({"good"});
  LaunchOptions launch = Options().launch;
  launch.generation = 1;
  MakeFolders(bundles());
  // As if its folder were moved away between two steps: it cannot be used.
  WriteFileAtomic(FilesOf(bundles(), plan.tasks[0].key, false, 1).part, "");
  launch.ours = [] { return true; };
  EXPECT_THROW(TaskRun(plan.tasks[0], launch).Start(), StoreError);
  launch.ours = [] { return false; };
  EXPECT_EQ(TaskRun(plan.tasks[0], launch).Start(), TaskRun::Started::kBusy);
}

TEST_F(Local, WhoseKeyIsTakenOverWhileItEndsLeavesNoFailure) {
  const Plan plan = PlanOf({"abort"});
  LaunchOptions launch = Options().launch;
  launch.generation = 1;
  int asked = 0;
  launch.ours = [&] { return asked++ == 0; };
  TaskRun run(plan.tasks[0], launch);
  ASSERT_EQ(run.Start(), TaskRun::Started::kRunning);
  std::optional<TaskResult> result;
  while (!(result = run.Poll())) usleep(1000);
  EXPECT_EQ(result->state, RunState::kPlanned) << result->reason;
  EXPECT_EQ(asked, 2);
  for (const std::string& name : Left()) {
    EXPECT_EQ(name.find(".failed"), name.npos) << name;
  }
}

TEST_F(Local, ACrashIsAFailedRowThatNamesTheSignal) {
  const TaskResult result = RunOne(PlanOf({"abort"}));
  EXPECT_EQ(result.state, RunState::kFailed);
  EXPECT_NE(result.reason.find("signal 6 (SIGABRT)"), std::string::npos);
  EXPECT_EQ(record_.state, RunState::kFailed);
  EXPECT_EQ(record_.signal, SIGABRT);
}

TEST_F(Local, AKilledWorkerIsKilled) {
  const TaskResult result = RunOne(PlanOf({"kill9"}));
  EXPECT_EQ(result.state, RunState::kKilled);
  EXPECT_EQ(record_.signal, SIGKILL);
  EXPECT_FALSE(record_.exit_code);
}

TEST_F(Local, AHangIsATimeout) {
  Plan plan = PlanOf({"hang"});
  // On a busy machine the limit may strike before the worker has spoken: then
  // again with twice as much.
  std::string reason;
  for (double limit = 0.3; limit < 100; limit *= 2) {
    plan.tasks[0].limits.wall_s = limit;
    const TaskResult result = RunOne(plan);
    ASSERT_EQ(result.state, RunState::kTimeout);
    reason = result.reason;
    if (reason.find("hanging") != std::string::npos) break;
  }
  EXPECT_NE(reason.find("its last words: hanging"), std::string::npos)
      << reason;
}

TEST_F(Local, TooMuchProcessorTimeIsATimeout) {
  Plan plan = PlanOf({"spin"});
  plan.tasks[0].limits.cpu_s = 0.3;
  const TaskResult result = RunOne(plan);
  EXPECT_EQ(result.state, RunState::kTimeout);
  EXPECT_NE(result.reason.find("more processor time than its limit"),
            std::string::npos)
      << result.reason;
}

TEST_F(Local, TooMuchMemoryIsAnOom) {
  Plan plan = PlanOf({"hog"});
  plan.tasks[0].limits.rss_bytes = std::int64_t{64} << 20;
  EXPECT_EQ(RunOne(plan).state, RunState::kOom);
}

TEST_F(Local, AFloodIsCapped) {
  const TaskResult result = RunOne(PlanOf({"flood"}));
  EXPECT_EQ(result.state, RunState::kDone);
  EXPECT_LT(fs::file_size(result.bundle / "log.txt"), 5u << 20);
}

TEST_F(Local, AGrandchildThatStaysIsKilledAndTheRunIsDone) {
  EXPECT_EQ(RunOne(PlanOf({"leave_child"})).state, RunState::kDone);
}

TEST_F(Local, TheWorkersOwnReasonIsKept) {
  const TaskResult result = RunOne(PlanOf({"fail"}));
  EXPECT_EQ(result.state, RunState::kFailed);
  EXPECT_EQ(result.reason, "scores of row 3 are NaN");
  EXPECT_EQ(record_.exit_code, 3);
}

TEST_F(Local, AnExitCodeWithoutARecordGetsItsLastWords) {
  EXPECT_EQ(RunOne(PlanOf({"exit5"})).reason,
            "the worker ended with exit code 5; its last words: cannot go on");
}

TEST_F(Local, ABundleThatIsNoneIsAFailure) {
  for (const char* act : {"nothing", "other_key", "tamper"}) {
    const TaskResult result = RunOne(PlanOf({act}));
    EXPECT_EQ(result.state, RunState::kFailed) << act;
    EXPECT_NE(result.reason.find("left no valid bundle"), std::string::npos)
        << result.reason;
  }
}

TEST_F(Local, StoppingWithACheckpointIsNoFailure) {
  const auto results = Run(PlanOf({"checkpoint"}));
  EXPECT_EQ(results[0].state, RunState::kPlanned);
  EXPECT_NE(results[0].reason.find("checkpoint"), std::string::npos);
}

TEST_F(Local, OneFailureDoesNotEndTheOthers) {
  const auto results = Run(PlanOf({"abort", "good", "exit5", "steps"}));
  EXPECT_EQ(results[0].state, RunState::kFailed);
  EXPECT_EQ(results[1].state, RunState::kDone);
  EXPECT_EQ(results[2].state, RunState::kFailed);
  EXPECT_EQ(results[3].state, RunState::kDone);
}

TEST_F(Local, RetriesAreAsManyAsAllowed) {
  Plan plan = PlanOf({"kill9"});
  plan.tasks[0].limits.retries = {{"killed", 2}};
  EXPECT_EQ(Run(plan)[0].state, RunState::kKilled);
  EXPECT_EQ(Starts(), 3);
}

TEST_F(Local, WhatIngestFindsWrongIsNoLongerDone) {
  LocalOptions options = Options();
  options.on_end = [](const PlanTask&, TaskResult result) {
    result.state = RunState::kFailed;
    result.reason = "wrong rows";
    return result;
  };
  const Plan plan = PlanOf({"good"});
  const auto results = RunLocally(plan, options);
  EXPECT_EQ(results[0].state, RunState::kFailed);
  EXPECT_FALSE(fs::exists(bundles() / plan.tasks[0].key));
  EXPECT_TRUE(IsSealed(results[0].bundle));
}

TEST_F(Local, ADamagedBundleIsMadeAgain) {
  const Plan plan = PlanOf({"good"});
  Run(plan);
  std::ofstream(bundles() / plan.tasks[0].key / "ids.txt") << "torn";
  EXPECT_EQ(Run(plan)[0].state, RunState::kDone);
  EXPECT_EQ(Starts(), 2);
  EXPECT_EQ(ReadFile(bundles() / plan.tasks[0].key / "ids.txt"), "0\n1\n2\n");
}

/// `runs` processes that run the same plan on the same bundles, killed with -9
/// after `ms` (0: not at all).
void RunInChildren(const Plan& plan, const LocalOptions& options, int runs,
                   int ms) {
  std::vector<pid_t> children;
  for (int i = 0; i < runs; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      const auto results = RunLocally(plan, options);
      const bool done = std::all_of(
          results.begin(), results.end(),
          [](const TaskResult& each) { return each.state == RunState::kDone; });
      _exit(done ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    if (ms > 0) {
      usleep(static_cast<useconds_t>(ms) * 1000);
      kill(child, SIGKILL);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (ms == 0) {
      EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
    }
  }
}

Plan StagedPlan(const std::string& act,
                std::vector<std::uint64_t> seeds = {0}) {
  Recipe recipe = SampleRecipe();
  MethodUse use{.use = "staged", .name = "staged", .seeds = std::move(seeds)};
  use.options["teachers"] = {3, {"test", {}}};
  use.options["act"] = {act, {"test", {}}};
  recipe.methods = {use};
  return MakeSamplePlan(recipe);
}

TEST_F(Local, NothingStartsBeforeWhatItStartsFrom) {
  const Plan plan = StagedPlan("good", {0, 1});
  const auto results = Run(plan);
  ASSERT_EQ(results.size(), 10u);
  for (const TaskResult& each : results) {
    EXPECT_EQ(each.state, RunState::kDone) << each.reason;
  }
  EXPECT_EQ(Starts(), 10);
  EXPECT_FALSE(fs::exists(results[4].bundle / "state.safetensors"));
  EXPECT_TRUE(fs::exists(results[0].bundle / "state.safetensors"));
}

TEST_F(Local, WhatStartsFromAFailureIsSkippedWithThatReason) {
  int skipped = 0;
  LocalOptions options = Options();
  options.on_end = [&](const PlanTask&, const TaskResult& result) {
    if (result.state == RunState::kSkipped) ++skipped;
    return result;
  };
  const auto results = RunLocally(StagedPlan("fail_teacher"), options);
  ASSERT_EQ(results.size(), 5u);
  EXPECT_EQ(results[0].state, RunState::kDone);
  EXPECT_EQ(results[1].state, RunState::kFailed);
  EXPECT_EQ(results[4].state, RunState::kSkipped);
  EXPECT_NE(results[4].reason.find("it starts from teacher-"),
            std::string::npos)
      << results[4].reason;
  EXPECT_NE(results[4].reason.find("exit code 5"), std::string::npos);
  EXPECT_EQ(skipped, 1);
}

TEST_F(Local, ATaskAloneTakesWhatItStartsFromOutOfTheBundles) {
  const Plan plan = StagedPlan("good");
  Plan alone = plan;
  alone.tasks = {plan.tasks.back()};
  const auto before = Run(alone);
  EXPECT_EQ(before[0].state, RunState::kSkipped);
  EXPECT_NE(before[0].reason.find("has to run first"), std::string::npos);
  Run(plan);
  fs::remove_all(bundles() / plan.tasks.back().key);
  EXPECT_EQ(Run(alone)[0].state, RunState::kDone);
  EXPECT_EQ(Starts(), 6);
}

TEST_F(Local, AFinishedBundleWithoutItsStateIsMadeAgainWhenThatIsAsked) {
  Plan plan = PlanOf({"good"});
  Run(plan);
  plan.tasks[0].spec.place.keep_state = true;
  EXPECT_EQ(Run(plan)[0].state, RunState::kDone);
  EXPECT_EQ(Starts(), 2);
  EXPECT_TRUE(fs::exists(bundles() / plan.tasks[0].key / "state.safetensors"));
}

TEST_F(Local, WhatWaitsForAStoppedTaskIsStillToDo) {
  const auto results = Run(StagedPlan("checkpoint"));
  for (const TaskResult& each : results) {
    EXPECT_EQ(each.state, RunState::kPlanned);
  }
  EXPECT_EQ(Starts(), 1);
}

TEST_F(Local, WhatTogetherNeedsMoreMemoryThanThereIsRunsOneByOne) {
  Plan plan = PlanOf({"steps"}, 4);
  for (PlanTask& task : plan.tasks) task.rss_bytes = 3;
  LocalOptions options = Options(4);
  options.memory = 5;
  std::ptrdiff_t most = 0;
  options.give_up = [&] {
    if (!fs::exists(bundles())) return false;
    std::ptrdiff_t now = 0;
    for (const std::string& name : Left()) now += name.ends_with(".part");
    most = std::max(most, now);
    return false;
  };
  for (const TaskResult& each : RunLocally(plan, options)) {
    EXPECT_EQ(each.state, RunState::kDone);
  }
  EXPECT_EQ(most, 1);
}

TEST_F(Local, AWorkerGetsTheDeviceOfItsSlot) {
  LocalOptions options = Options();
  options.slots = {{.device = "cuda:3", .cores = {}}};
  const Plan plan = PlanOf({"good"});
  const TaskResult result = RunLocally(plan, options).at(0);
  EXPECT_EQ(ReadBundle(result.bundle).spec.place.device, "cuda:3");
}

TEST_F(Local, TwoProcessesNeverRunOneKeyTwice) {
  RunInChildren(PlanOf({"good", "steps"}, 4), Options(), 2, 0);
  EXPECT_EQ(Starts(), 8);
}

TEST_F(Local, KilledAtAnyMomentAndResumedIsAsIfNothingHappened) {
  const Plan plan = PlanOf({"steps"}, 4);
  const auto undisturbed = Run(plan);
  std::vector<std::string> expected;
  for (const TaskResult& each : undisturbed) {
    expected.push_back(ReadBundle(each.bundle).scores.at(0).sha256);
  }
  for (const int ms : {5, 40, 130, 260}) {
    fs::remove_all(bundles());
    RunInChildren(plan, Options(), 1, ms);
    const auto results = Run(plan);
    for (std::size_t i = 0; i < results.size(); ++i) {
      ASSERT_EQ(results[i].state, RunState::kDone) << results[i].reason;
      EXPECT_EQ(ReadBundle(results[i].bundle).scores.at(0).sha256, expected[i]);
    }
    EXPECT_EQ(Left().size(), 4u)
        << "after " << ms << " ms: " << ::testing::PrintToString(Left());
  }
}

TEST_F(Local, KilledAmongTheTeachersNothingIsLostAndNothingDoneTwice) {
  const Plan plan = StagedPlan("steps", {0, 1});
  for (const int ms : {60, 330, 600, 900}) {
    fs::remove_all(bundles());
    RunInChildren(plan, Options(), 1, ms);
    std::vector<std::string> finished;
    for (const PlanTask& task : plan.tasks) {
      // Sealed, and killed before it got its name: that is finished, too.
      if (IsSealed(bundles() / task.key) ||
          IsSealed(bundles() / (task.key + ".g1.part"))) {
        finished.push_back(task.key);
      }
    }
    const auto results = Run(plan);
    for (std::size_t i = 0; i < results.size(); ++i) {
      ASSERT_EQ(results[i].state, RunState::kDone) << results[i].reason;
      const bool before =
          std::count(finished.begin(), finished.end(), plan.tasks[i].key) > 0;
      EXPECT_EQ(results[i].adopted, before) << plan.tasks[i].label;
    }
    EXPECT_EQ(Left().size(), plan.tasks.size()) << "after " << ms << " ms";
  }
}

}  // namespace
}  // namespace tailmark
