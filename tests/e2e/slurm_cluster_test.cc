// Arrays on a real Slurm of one node, which the test starts and ends itself.
// `ci/slurm-test` runs this, with what it needs installed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <functional>
#include <thread>

#include "harness/base/clock.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/record/bundle.h"
#include "tests/e2e/program.h"
#include "tests/e2e/slurm_cluster.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// Seconds without any sign of work after which a job counts as stuck. How long
/// the work itself takes is the machine's business.
constexpr double kPatience = 240;

using Words = std::vector<std::string>;

Words Joined(Words first, const Words& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

/// Two rows, two seeds: four tasks of a second or two.
const Words kSmall = {"quickstart",
                      "--only",
                      "method=label_prior",
                      "--only",
                      "method=linear_probe-bce",
                      "--seeds",
                      "0-1",
                      "--set",
                      "linear_probe.epochs=2"};
/// One task that computes for a while and leaves checkpoints.
const Words kLong = {"quickstart", "--only", "method=linear_probe-bce", "--set",
                     "linear_probe.epochs=4000"};
const char* const kName = "tailmark-quickstart";

class OnSlurm : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    suite_ = new ScratchFolder;
    std::string why;
    cluster_ = SlurmCluster::Start(suite_->path() / "slurm", why).release();
    why_ = new std::string(why);
  }
  static void TearDownTestSuite() {
    delete cluster_;
    delete why_;
    delete suite_;
    cluster_ = nullptr;
  }
  void SetUp() override {
    if (cluster_ == nullptr) GTEST_SKIP() << *why_;
  }
  void TearDown() override {
    if (cluster_ == nullptr) return;
    if (direct_ > 0) {
      kill(direct_, SIGKILL);
      Program::Wait(direct_);
    }
    if (HasFailure()) std::cout << cluster_->Logs();
    cluster_->Ask("scancel --quiet --full --me");
    cluster_->WaitUntilEmpty(30);
  }

  Program InFolder(const std::string& name) const {
    Program program(scratch_.path() / name);
    program.environment = cluster_->environment();
    program.environment["TAILMARK_CACHE"] = (suite_->path() / "cache").string();
    return program;
  }

  /// Submits; the scripts were taken.
  static void Submit(const Program& tailmark, const Words& recipe,
                     const Words& more = {}) {
    const Said said =
        tailmark(Joined(Joined({"slurm"}, recipe), Joined(more, {"--submit"})));
    ASSERT_EQ(said.code, 0) << said.err;
    EXPECT_THAT(said.out, HasSubstr("merge.sbatch"));
  }

  /// key -> SHA-256 of its test scores, of every run that the store has as
  /// done.
  static std::map<std::string, std::string> Hashes(const Program& program) {
    std::map<std::string, std::string> hashes;
    const Said said = program(
        {"db", "query",
         "SELECT r.key, s.sha256 FROM run r JOIN score s ON s.run_id = r.id "
         "WHERE r.state = 'done' AND s.name = 'test'",
         "--json"});
    EXPECT_EQ(said.code, 0) << said.err;
    if (said.code != 0) return hashes;
    const Json rows = said.json();
    for (const Json& row : rows) {
      EXPECT_TRUE(hashes.emplace(row["key"], row["sha256"]).second)
          << "stored twice: " << row["key"];
    }
    return hashes;
  }

  /// Begins the same without a cluster and without disturbance, beside it.
  void Begin(const Words& recipe) {
    direct_ = InFolder("direct").Start(Joined({"run"}, recipe));
  }
  /// What it gave.
  std::map<std::string, std::string> Expected() {
    EXPECT_EQ(Program::Wait(direct_), 0);
    direct_ = -1;
    return Hashes(InFolder("direct"));
  }

  /// What the jobs printed.
  static std::string Output(const Program& program) {
    std::string all;
    for (const auto& entry :
         fs::recursive_directory_iterator(program.store() / "slurm")) {
      if (entry.path().extension() == ".out") all += ReadFile(entry.path());
    }
    return all;
  }

  /// Names, sizes and times of what runs and jobs write, but for the beats of
  /// leases, which go on while nothing is done.
  static std::string SignsOfWork(const Program& program) {
    std::string signs;
    std::error_code code;
    fs::recursive_directory_iterator it(program.store(), code);
    for (; !code && it != fs::recursive_directory_iterator();
         it.increment(code)) {
      if (it->path().extension() == ".leases") it.disable_recursion_pending();
      std::error_code gone;
      const auto size = it->is_regular_file(gone) ? it->file_size(gone) : 0;
      const auto when = it->last_write_time(gone).time_since_epoch().count();
      if (!gone)
        signs += StrCat(it->path().string(), " ", size, " ", when, "\n");
    }
    return signs;
  }

  /// Asks again and again, as long as there is work to be seen.
  static bool Until(const Program& program, const std::function<bool()>& done) {
    std::string before;
    for (Stopwatch watch; watch.Seconds() < kPatience;
         std::this_thread::sleep_for(std::chrono::milliseconds(50))) {
      if (done()) return true;
      std::string now = SignsOfWork(program);
      if (now != before) watch = Stopwatch();
      before = std::move(now);
    }
    return false;
  }

  static bool WaitUntilEmpty(const Program& program) {
    return Until(program, [] { return cluster_->WaitUntilEmpty(0.5); });
  }

  static bool HasCheckpoint(const Program& program) {
    std::error_code ignored;
    for (const auto& entry :
         fs::directory_iterator(program.store() / "bundles", ignored)) {
      if (entry.path().extension() == ".part" &&
          fs::exists(entry.path() / "state.safetensors")) {
        return true;
      }
    }
    return false;
  }

  /// Waits until the only task of a store has left a checkpoint; false as soon
  /// as no job is there that could.
  static bool WaitForCheckpoint(const Program& program) {
    bool found = false;
    Until(program, [&] {
      found = HasCheckpoint(program);
      return found ||
             cluster_->Ask(StrCat("squeue -h -o %i --name=", kName)).empty();
    });
    return found;
  }

  ScratchFolder scratch_;
  pid_t direct_ = -1;  ///< What Begin() began.
  static ScratchFolder* suite_;
  static SlurmCluster* cluster_;
  static std::string* why_;
};
ScratchFolder* OnSlurm::suite_ = nullptr;
SlurmCluster* OnSlurm::cluster_ = nullptr;
std::string* OnSlurm::why_ = nullptr;

TEST_F(OnSlurm, AnArrayAndTwoThatClaimLeaveInTheStoreWhatALocalRunDoes) {
  const Program tailmark = InFolder("a");
  Begin(kSmall);
  Submit(tailmark, kSmall);
  const Program claims = InFolder("claims");
  ASSERT_EQ(claims(Joined({"plan"}, Joined(kSmall, {"-o", "plan.json"}))).code,
            0);
  const pid_t other =
      claims.Start({"worker", "--plan", "plan.json", "--claim"});
  EXPECT_EQ(claims({"worker", "--plan", "plan.json", "--claim"}).code, 0);
  EXPECT_EQ(Program::Wait(other), 0);
  EXPECT_EQ(claims({"import", claims.store() / "bundles"}).code, 0);
  ASSERT_TRUE(WaitUntilEmpty(tailmark)) << cluster_->Ask("squeue");
  const auto expected = Expected();
  EXPECT_EQ(expected.size(), 4u);
  EXPECT_EQ(Hashes(claims), expected);
  EXPECT_EQ(Hashes(tailmark), expected) << Output(tailmark);
  const Said status = tailmark({"status", "--json"});
  EXPECT_EQ(status.json()["counts"], Json({{"done", 4}})) << status.out;
  // Nothing is to do a second time.
  const Said again = tailmark(Joined({"slurm"}, Joined(kSmall, {"--submit"})));
  EXPECT_EQ(again.code, 4) << again.out;
}

TEST_F(OnSlurm, AnArrayIsNoLargerThanThisClusterAllows) {
  // The cluster says eight; each of the nine is thought to take more than the
  // five minutes up to which they share an element.
  const Program tailmark = InFolder("a");
  const Said said = tailmark(
      {"slurm", "quickstart", "--only", "method=linear_probe-bce", "--set",
       "linear_probe.epochs=100000", "--seeds", "0-8", "--dry-run"});
  EXPECT_THAT(said.out, HasSubstr("--array=0-7%16"));
  EXPECT_THAT(said.out, HasSubstr("--array=0-0%16"));
}

TEST_F(OnSlurm, ATimeLimitThatIsTooShortIsGoneOnAfterFromACheckpoint) {
  const Program tailmark = InFolder("a");
  Begin(kLong);
  // Each attempt stops itself after four seconds, and asks to be queued again.
  Submit(tailmark, kLong, {"--time", "8s", "--grace", "4s"});
  const std::string stop = "stopped early with a checkpoint";
  ASSERT_TRUE(Until(tailmark, [&] {
    const std::string output = Output(tailmark);
    const auto first = output.find(stop);
    // Twice: the second attempt went on from the first one's checkpoint.
    const bool twice =
        first != output.npos && output.find(stop, first + 1) != output.npos;
    return twice || cluster_->WaitUntilEmpty(0.5);
  })) << Output(tailmark);
  EXPECT_THAT(Output(tailmark), HasSubstr(stop));
  // In the middle of an attempt, unless it is done by now.
  if (!cluster_->WaitUntilEmpty(0.5)) {
    cluster_->WaitUntilRunning(kName, kPatience);
  }
  // A busy machine would take any number of attempts: enough of them.
  cluster_->Ask("scancel --quiet --name=" + std::string(kName));
  ASSERT_TRUE(WaitUntilEmpty(tailmark)) << cluster_->Ask("squeue");
  if (Hashes(tailmark).empty()) {
    Submit(tailmark, kLong);
    ASSERT_TRUE(WaitUntilEmpty(tailmark)) << cluster_->Ask("squeue");
  }
  EXPECT_EQ(Hashes(tailmark), Expected()) << Output(tailmark);
}

TEST_F(OnSlurm, WhatIsRequeuedFromOutsideGoesOnWithTheSameBits) {
  const Program tailmark = InFolder("a");
  Begin(kLong);
  Submit(tailmark, kLong);
  const std::string job = cluster_->WaitUntilRunning(kName, kPatience);
  ASSERT_TRUE(WaitForCheckpoint(tailmark)) << Output(tailmark);
  EXPECT_EQ(cluster_->Ask("scontrol requeue " + job), "");
  ASSERT_TRUE(WaitUntilEmpty(tailmark)) << cluster_->Ask("squeue");
  EXPECT_EQ(Hashes(tailmark), Expected()) << Output(tailmark);
}

TEST_F(OnSlurm, WhatIsCancelledDoesNotComeBackAndIsGoneOnWithWhenAsked) {
  const Program tailmark = InFolder("a");
  Begin(kLong);
  Submit(tailmark, kLong);
  const std::string job = cluster_->WaitUntilRunning(kName, kPatience);
  ASSERT_TRUE(WaitForCheckpoint(tailmark)) << Output(tailmark);
  EXPECT_EQ(cluster_->Ask("scancel " + job), "");
  // The last job runs all the same: what failed is merged, too.
  ASSERT_TRUE(WaitUntilEmpty(tailmark)) << cluster_->Ask("squeue");
  EXPECT_TRUE(Hashes(tailmark).empty());
  Submit(tailmark, kLong);
  ASSERT_TRUE(WaitUntilEmpty(tailmark)) << cluster_->Ask("squeue");
  EXPECT_EQ(Hashes(tailmark), Expected()) << Output(tailmark);
}

TEST_F(OnSlurm, AnElementWhoseDaemonIsKilledIsRunAgainWithTheSameBits) {
  const Program tailmark = InFolder("a");
  Begin(kLong);
  Submit(tailmark, kLong);
  const std::string job = cluster_->WaitUntilRunning(kName, kPatience);
  ASSERT_TRUE(WaitForCheckpoint(tailmark)) << Output(tailmark);
  const pid_t daemon = cluster_->StepDaemonOf(job);
  ASSERT_GT(daemon, 1) << cluster_->Ask("scontrol listpids");
  kill(daemon, SIGKILL);
  // What the script started still runs, and keeps its lease; Slurm queues the
  // element again beside it. It believes that a step is gone only when the node
  // says so some time after the start; the node speaks when it starts.
  Stopwatch since;
  cluster_->RestartNode();
  ASSERT_TRUE(Until(tailmark, [&] {
    if (cluster_->WaitUntilEmpty(0.5)) return true;
    const bool lost =
        cluster_->Ask("scontrol show job " + job).find(" Restarts=0 ") !=
        std::string::npos;
    if (lost && since.Seconds() > 20) {
      cluster_->RestartNode();
      since = Stopwatch();
    }
    return false;
  })) << cluster_->Ask("squeue");
  EXPECT_EQ(Hashes(tailmark), Expected()) << Output(tailmark);
}

}  // namespace
}  // namespace tailmark
