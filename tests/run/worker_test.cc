// The worker as a process: on the embedded data, with an encoder of nano-CLIP's
// shape and random weights.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "harness/base/clock.h"
#include "harness/base/files.h"
#include "harness/base/npy.h"
#include "harness/base/seeds.h"
#include "harness/record/build_info.h"
#include "harness/record/bundle.h"
#include "harness/record/weights.h"
#include "tests/run/worker.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;
using toys::WorkerProcess;

constexpr std::int64_t kLimit = 256;

class Worker : public ::testing::Test {
 protected:
  Worker() { toys::WriteRandomNano(weights()); }
  fs::path weights() const { return bench_.folder() / "weights"; }
  RunSpec Probe(std::int64_t epochs) const {
    RunSpec spec = bench_.Spec("linear_probe", "embedded", {{"epochs", epochs}},
                               weights());
    spec.identity.limit = kLimit;
    spec.place.cache = bench_.folder() / "cache";
    return spec;
  }
  std::string File(const std::string& bundle, const std::string& name) const {
    return ReadFile(bench_.Bundle(bundle) / name);
  }
  /// Waits until `bundle` has a checkpoint behind it.
  void AwaitCheckpoint(const std::string& bundle, WorkerProcess& worker) {
    const fs::path events = bench_.Bundle(bundle) / "events.jsonl";
    const Stopwatch watch;
    while (watch.Seconds() < 120 && worker.Running()) {
      if (fs::exists(events) &&
          ReadFile(events).find("\"checkpoint\"") != std::string::npos) {
        return;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    FAIL() << "no checkpoint: " << bench_.log();
  }

  toys::WorkerBench bench_;
};

TEST_F(Worker, ExecutesARunOnTheEmbeddedDataAndSealsItsBundle) {
  RunSpec spec = bench_.Spec("zero_shot_clip", "embedded", {}, weights());
  spec.identity.limit = kLimit;
  spec.identity.weights_sha256 = WeightsSha256(weights());
  ASSERT_EQ(bench_.Run(spec, "a"), 0) << bench_.log();
  const RunRecord record = ReadBundle(bench_.Bundle("a"));
  EXPECT_EQ(record.state, RunState::kDone);
  EXPECT_EQ(record.scores.at(0).scale, "probability");
  EXPECT_EQ(ReadNpy(bench_.Bundle("a") / "scores/test.npy").shape,
            (std::vector<std::int64_t>{kLimit, 24}));
  EXPECT_THAT(File("a", "ids.txt"), testing::StartsWith("test/00000\n"));
  EXPECT_THAT(record.command, HasSubstr("tailmark-worker run"));
  const Json& env = record.environment;
  EXPECT_EQ(env.at("numerics").at("threads"), 1);
  EXPECT_EQ(env.at("numerics").at("deterministic_algorithms"), true);
  EXPECT_EQ(env.at("numerics").at("cublas_workspace"), ":4096:8");
  EXPECT_EQ(env.at("variables").at("OMP_NUM_THREADS"), "1");
  EXPECT_EQ(env.at("pipeline_fingerprint").get<std::string>().size(), 64U);
  EXPECT_EQ(record.build.digest, record.spec.build);
  EXPECT_TRUE(fs::is_empty(bench_.folder() / "desk"));
}

TEST_F(Worker, SaysWhichBuildItIsAndWithWhichLibTorch) {
  WorkerProcess worker = bench_.Start({"--version"});
  EXPECT_EQ(worker.Wait(), 0);
  EXPECT_THAT(bench_.log(), HasSubstr(ThisBuild().digest.substr(0, 12)));
  EXPECT_THAT(bench_.log(), HasSubstr("LibTorch " + ThisBuild().torch_version));
}

TEST_F(Worker, KilledAtAnyMomentItGoesOnToTheSameBytes) {
  RunSpec spec = Probe(40);
  spec.place.keep_state = true;
  ASSERT_EQ(bench_.Run(spec, "whole"), 0) << bench_.log();
  const Stopwatch watch;
  ASSERT_EQ(bench_.Run(spec, "again"), 0);
  const double whole = watch.Seconds();
  ChanceStream chance(20, 0, 0);
  int killed = 0;
  for (int i = 0; i < 6; ++i) {
    WorkerProcess worker = bench_.Start(bench_.Arguments(spec, "killed"));
    std::this_thread::sleep_for(
        std::chrono::duration<double>(whole * chance.Unit()));
    worker.Signal(SIGKILL);
    killed += worker.Wait() == -SIGKILL ? 1 : 0;
  }
  EXPECT_GT(killed, 0);
  ASSERT_EQ(bench_.Run(spec, "killed"), 0) << bench_.log();
  for (const char* file : {"scores/test.npy", "state.safetensors", "ids.txt"}) {
    EXPECT_EQ(File("killed", file), File("whole", file)) << file;
    EXPECT_EQ(File("again", file), File("whole", file)) << file;
  }
  EXPECT_NO_THROW(ReadBundle(bench_.Bundle("killed")));
}

TEST_F(Worker, SignalsLeaveACheckpointThatTheNextGoesOnFrom) {
  const RunSpec spec = Probe(2000);
  for (const auto& [signal, code] : {std::pair{SIGINT, 130}, {SIGTERM, 143}}) {
    WorkerProcess worker = bench_.Start(bench_.Arguments(spec, "a"));
    AwaitCheckpoint("a", worker);
    const Stopwatch watch;
    worker.Signal(signal);
    EXPECT_EQ(worker.Wait(), code) << bench_.log();
    EXPECT_LT(watch.Seconds(), 5);
    EXPECT_FALSE(IsSealed(bench_.Bundle("a")));
    EXPECT_THAT(File("a", "run.json"), HasSubstr("interrupted by signal"));
    fs::remove(bench_.Bundle("a") / "events.jsonl");
  }
  WorkerProcess worker = bench_.Start(bench_.Arguments(spec, "a"));
  AwaitCheckpoint("a", worker);
  EXPECT_THAT(File("a", "events.jsonl"), HasSubstr("\"resume\""));
}

TEST_F(Worker, ATimeBudgetEndsItWith75) {
  RunSpec spec = Probe(100'000);
  spec.place.stop_after_s = 0.01;
  EXPECT_EQ(bench_.Run(spec, "a"), 75) << bench_.log();
  EXPECT_TRUE(fs::exists(bench_.Bundle("a") / "state.safetensors"));
  EXPECT_FALSE(IsSealed(bench_.Bundle("a")));
}

TEST_F(Worker, MissingWeightsEndItWith2AndAWord) {
  RunSpec spec = Probe(1);
  spec.place.weights = bench_.folder() / "gone";
  EXPECT_EQ(bench_.Run(spec, "a"), 2);
  EXPECT_THAT(bench_.log(), HasSubstr("gone: no such weights; expected a "
                                      "folder with config.json"));
}

TEST_F(Worker, SpecsThatAreNoneEndItWith2) {
  WriteFileAtomic(bench_.folder() / "bad.json", "{\"schema\": 1,}");
  for (const std::string name : {"bad.json", "absent.json"}) {
    WorkerProcess worker =
        bench_.Start({"run", bench_.folder() / name, bench_.Bundle("a")});
    EXPECT_EQ(worker.Wait(), 2);
    EXPECT_THAT(bench_.log(), HasSubstr(name));
  }
  EXPECT_FALSE(fs::exists(bench_.Bundle("a")));
}

TEST_F(Worker, AMisspeltTaskIsToldTheRightSpelling) {
  WorkerProcess worker = bench_.Start({"catalogue"});
  EXPECT_EQ(worker.Wait(), 2);
  EXPECT_THAT(bench_.log(), HasSubstr("did you mean 'catalog'?"));
}

TEST_F(Worker, WritesTheCatalogueThatTheBuildHas) {
  WorkerProcess worker = bench_.Start({"catalog", bench_.folder() / "c.json"});
  ASSERT_EQ(worker.Wait(), 0) << bench_.log();
  EXPECT_EQ(ReadFile(bench_.folder() / "c.json"),
            ReadFile(TM_BIN_DIR "/../share/tailmark/catalog.json"));
}

TEST_F(Worker, NeedsNoneOfTheLibrariesOfTheStore) {
  const std::string file = ReadFile(TM_BIN_DIR "/tailmark-worker");
  EXPECT_THAT(file, HasSubstr("libtorch_cpu.so"));
  for (const char* library : {"libsqlite3.so", "libboost_", "libcurl"}) {
    EXPECT_THAT(file.find(library), std::string::npos) << library;
  }
}

}  // namespace
}  // namespace tailmark
