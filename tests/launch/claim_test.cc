#include "harness/launch/claim.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <numeric>
#include <random>
#include <set>

#include "harness/base/clock.h"
#include "harness/base/environment.h"
#include "harness/base/files.h"
#include "harness/launch/leased_task.h"
#include "harness/launch/local.h"
#include "tests/launch/sample_plan.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;

MethodUse Use(const std::string& method, const std::string& act,
              std::uint64_t seeds) {
  MethodUse use{.use = method, .name = act};
  use.options["act"] = {act, {"test", {}}};
  for (std::uint64_t seed = 0; seed < seeds; ++seed) use.seeds.push_back(seed);
  return use;
}

Plan PlanOf(const std::vector<MethodUse>& uses) {
  Recipe recipe = SampleRecipe();
  recipe.methods = uses;
  return MakeSamplePlan(recipe);
}

std::vector<std::size_t> All(const Plan& plan) {
  std::vector<std::size_t> all(plan.tasks.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

class Claims : public ::testing::Test {
 protected:
  /// With beats so far apart that no busy machine misses three of them.
  ClaimOptions Options() const {
    ClaimOptions options;
    options.launch.bundles = bundles();
    options.launch.worker = fs::path(TM_BIN_DIR) / "fake_worker";
    options.launch.grace_s = 0.2;
    options.beat_s = beat_s_;
    options.quiet = true;
    return options;
  }
  std::vector<TaskResult> Run(const Plan& plan) const {
    return RunClaimed(plan, All(plan), Options());
  }
  fs::path bundles() const { return scratch_.path() / "bundles"; }
  std::int64_t Starts() const {
    const std::string text = ReadFile(bundles() / "starts");
    return std::count(text.begin(), text.end(), '\n');
  }
  pid_t StartWorker(const Plan& plan) const {
    const pid_t child = fork();
    if (child != 0) return child;
    const auto results = Run(plan);
    const bool done = std::all_of(
        results.begin(), results.end(),
        [](const TaskResult& each) { return each.state == RunState::kDone; });
    _exit(done ? 0 : 1);
  }
  /// Every task has one whole bundle with the scores of its seed.
  void ExpectDoneOnce(const Plan& plan) const {
    std::set<std::string> sealed;
    for (const auto& entry : fs::directory_iterator(bundles())) {
      if (IsSealed(entry.path())) sealed.insert(entry.path().filename());
    }
    std::set<std::string> keys;
    for (const PlanTask& task : plan.tasks) {
      keys.insert(task.key);
      EXPECT_EQ(RunKey(ReadBundle(bundles() / task.key).spec), task.key);
    }
    EXPECT_EQ(sealed, keys);
  }

  ScratchFolder scratch_;
  double beat_s_ = 1;
};

TEST_F(Claims, OneWorkerTakesTasksUntilNoneIsLeft) {
  const Plan plan = PlanOf({Use("probe", "good", 3), Use("probe", "steps", 1)});
  for (const TaskResult& each : Run(plan)) {
    EXPECT_EQ(each.state, RunState::kDone) << each.reason;
  }
  ExpectDoneOnce(plan);
  EXPECT_EQ(Starts(), 4);
  for (const auto& entry : fs::directory_iterator(bundles())) {
    EXPECT_EQ(entry.path().filename().string().find('.'), std::string::npos)
        << entry.path();
  }
}

TEST_F(Claims, NothingStartsBeforeWhatItStartsFrom) {
  MethodUse use = Use("staged", "good", 2);
  use.options["teachers"] = {3, {"test", {}}};
  const Plan plan = PlanOf({use});
  const pid_t other = StartWorker(plan);
  for (const TaskResult& each : Run(plan)) {
    EXPECT_EQ(each.state, RunState::kDone) << each.reason;
  }
  int status = 0;
  waitpid(other, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  ExpectDoneOnce(plan);
  EXPECT_EQ(Starts(), 10);
}

TEST_F(Claims, ARunThatStartsByItselfAndAClaimShareTheWork) {
  MethodUse staged = Use("staged", "steps", 1);
  staged.options["teachers"] = {2, {"test", {}}};
  const Plan plan = PlanOf({Use("probe", "steps", 6), staged});
  const pid_t other = fork();
  if (other == 0) {
    LocalOptions local;
    local.launch = Options().launch;
    local.slots.resize(2);
    local.quiet = true;
    const auto results = RunLocally(plan, local);
    _exit(std::all_of(results.begin(), results.end(),
                      [](const TaskResult& each) {
                        return each.state == RunState::kDone;
                      })
              ? 0
              : 1);
  }
  for (const TaskResult& each : Run(plan)) {
    EXPECT_EQ(each.state, RunState::kDone) << each.reason;
  }
  int status = 0;
  waitpid(other, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  ExpectDoneOnce(plan);
  EXPECT_EQ(Starts(), static_cast<std::int64_t>(plan.tasks.size()));
}

TEST_F(Claims, AFailureIsTakenOverUnlessAskedForAgain) {
  const Plan plan = PlanOf({Use("probe", "exit5", 1)});
  EXPECT_EQ(Run(plan)[0].state, RunState::kFailed);
  EXPECT_EQ(Run(plan)[0].state, RunState::kFailed);
  EXPECT_EQ(Starts(), 1);
  ClaimOptions options = Options();
  options.again = true;
  EXPECT_EQ(RunClaimed(plan, {0}, options)[0].state, RunState::kFailed);
  EXPECT_EQ(Starts(), 2);
}

TEST_F(Claims, WhatIsKilledFromOutsideIsTriedAFewTimes) {
  const Plan plan = PlanOf({Use("probe", "kill9", 1)});
  EXPECT_EQ(Run(plan)[0].state, RunState::kKilled);
  EXPECT_EQ(Starts(), 3);
}

TEST_F(Claims, ACheckpointOfALauncherWithoutALeaseIsGoneOnFrom) {
  const Plan plan = PlanOf({Use("probe", "steps", 1)});
  const fs::path part = bundles() / (plan.tasks[0].key + ".part");
  fs::create_directories(part / "checkpoint");
  std::ofstream(part / "checkpoint/step") << 9;
  EXPECT_EQ(Run(plan)[0].state, RunState::kDone);
  EXPECT_NE(ReadFile(bundles() / plan.tasks[0].key / "log.txt")
                .find("goes on from step 9"),
            std::string::npos);
}

/// One that starts from a teacher.
Plan TaughtPlan() {
  Recipe recipe = SampleRecipe();
  MethodUse use{.use = "staged", .name = "staged", .seeds = {0}};
  use.options["teachers"] = {1, {"test", {}}};
  use.options["act"] = {"good", {"test", {}}};
  recipe.methods = {use};
  return MakeSamplePlan(recipe);
}

void Damage(const fs::path& file) { std::ofstream(file, std::ios::app) << "x"; }

TEST_F(Claims, AStartThatWasDamagedSinceIsMadeAgain) {
  const Plan plan = TaughtPlan();
  const auto first = Run(plan);
  const auto tasks = static_cast<std::int64_t>(plan.tasks.size());
  EXPECT_EQ(Starts(), tasks);
  ASSERT_TRUE(plan.tasks[0].spec.place.keep_state);
  Damage(first[0].bundle / "state.safetensors");
  fs::remove_all(first.back().bundle);
  for (const TaskResult& each : Run(plan)) {
    EXPECT_EQ(each.state, RunState::kDone) << each.reason;
  }
  EXPECT_EQ(Starts(), tasks + 2);
}

TEST_F(Claims, WhatIsMadeAgainKeepsItsCheckpointWhenItStops) {
  const Plan plan = TaughtPlan();
  const PlanTask& teacher = plan.tasks[0];
  Damage(Run(plan)[0].bundle / "state.safetensors");
  const ClaimOptions options = Options();
  LeaseBook book(bundles(), beat_s_);
  {
    const auto leased = LeasedTask::Try(teacher, options.launch, book);
    ASSERT_NE(leased, nullptr);
    const TaskFiles files =
        FilesOf(bundles(), teacher.key, false, leased->launch().generation);
    fs::create_directories(files.part / "checkpoint");
  }
  EXPECT_TRUE(fs::exists(FilesOf(bundles(), teacher.key).part / "checkpoint"));
}

TEST_F(Claims, WhoDiedWhileTakingOverLeavesNothingBehind) {
  const Plan plan = PlanOf({Use("probe", "steps", 1)});
  const std::string key = plan.tasks[0].key;
  fs::create_directories(bundles() / (key + ".leases"));
  std::ofstream(bundles() / (key + ".leases/2")) << "him 0 1 free -\n";
  // He had copied what generation 1 left, and not yet removed the original.
  for (const char* name : {".g2.part", ".g2.part.taken"}) {
    fs::create_directories(bundles() / (key + name) / "checkpoint");
    std::ofstream(bundles() / (key + name) / "checkpoint/step") << 9;
  }
  EXPECT_EQ(Run(plan)[0].state, RunState::kDone);
  EXPECT_NE(ReadFile(bundles() / key / "log.txt").find("goes on from step 9"),
            std::string::npos);
  for (const auto& entry : fs::directory_iterator(bundles())) {
    EXPECT_EQ(entry.path().filename().string().find('.'), std::string::npos)
        << entry.path();
  }
}

TEST_F(Claims, WhenTimeIsUpTheRestIsStillToDo) {
  const Plan plan = PlanOf({Use("probe", "steps", 50)});
  ClaimOptions options = Options();
  options.launch.stop_after_s = 0.5;
  const auto results = RunClaimed(plan, All(plan), options);
  EXPECT_EQ(results.back().state, RunState::kPlanned);
  EXPECT_EQ(Run(plan).back().state, RunState::kDone);
  EXPECT_EQ(Starts(), 50);
}

/// Seconds of disturbance; TAILMARK_SOAK_SECONDS for longer.
double SoakSeconds() {
  const auto given = GetEnv("TAILMARK_SOAK_SECONDS");
  return given ? std::stod(*given) : 4;
}

/// Workers that are killed with -9 and paused for longer than a lease lives, at
/// random; each that dies is started again.
TEST_F(Claims, UnderKillsAndPausesEveryTaskIsDoneExactlyOnce) {
  beat_s_ = 0.1;
  const double seconds = SoakSeconds();
  MethodUse staged = Use("staged", "steps", 2);
  staged.options["teachers"] = {2, {"test", {}}};
  const Plan plan =
      PlanOf({Use("probe", "steps", 10 + static_cast<std::uint64_t>(seconds)),
              Use("probe", "good", 10), staged});
  std::vector<pid_t> workers;
  const int count = seconds > 30 ? 16 : 6;
  for (int i = 0; i < count; ++i) workers.push_back(StartWorker(plan));
  std::mt19937 random(7);
  int kills = 0;
  int pauses = 0;
  for (const Stopwatch watch; watch.Seconds() < seconds;) {
    usleep(50000 + random() % 200000);
    pid_t& worker = workers[random() % workers.size()];
    if (random() % 2 == 0) {
      ++kills;
      kill(worker, SIGKILL);
      waitpid(worker, nullptr, 0);
      worker = StartWorker(plan);
    } else {
      ++pauses;
      kill(worker, SIGSTOP);
      // Its own worker process goes on, and it is taken over meanwhile.
      usleep(200000 + random() % 600000);
      kill(worker, SIGCONT);
    }
  }
  for (const pid_t worker : workers) {
    int status = 0;
    waitpid(worker, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
  ExpectDoneOnce(plan);
  std::cout << plan.tasks.size() << " tasks, " << Starts() << " starts, "
            << kills << " kills, " << pauses << " pauses\n";
}

}  // namespace
}  // namespace tailmark
