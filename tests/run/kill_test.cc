// Every method that trains, as a process that is killed with SIGKILL between
// two epochs: it goes on to the same bytes.

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "harness/api/registry.h"
#include "harness/base/clock.h"
#include "harness/base/files.h"
#include "methods/builtin.h"
#include "tests/run/worker.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;
using toys::WorkerProcess;

constexpr std::int64_t kLimit = 48;

/// A method with options over its preset `embedded`.
struct Killed {
  std::string name;  ///< Of the test.
  std::string method;
  OptionMap options;
};

void PrintTo(const Killed& killed, std::ostream* out) { *out << killed.name; }

class KilledWorker : public ::testing::TestWithParam<Killed> {
 protected:
  KilledWorker() {
    RegisterBuiltinMethods(methods_);
    toys::WriteRandomNano(weights());
  }
  fs::path weights() const { return bench_.folder() / "weights"; }

  /// Small and of many epochs, so that a blow falls between two of them.
  RunSpec Spec(const std::string& method, OptionMap options) const {
    const auto& entry = methods_.Find(method);
    const bool quick = entry.info.input == InputKind::kFeatures;
    for (const FieldInfo& field : entry.options) {
      if (field.name == "epochs" || field.name == "stage1_epochs" ||
          field.name == "stage2_epochs") {
        options.try_emplace(field.name, std::int64_t{quick ? 40 : 5});
      }
      if (field.name == "batch_size") options[field.name] = std::int64_t{16};
    }
    RunSpec spec = bench_.Spec(method, "embedded", options, weights());
    spec.identity.limit = kLimit;
    spec.place.cache = bench_.folder() / "cache";
    return spec;
  }
  std::string Scores(const std::string& bundle) const {
    return ReadFile(bench_.Bundle(bundle) / "scores/test.npy");
  }
  bool Said(const std::string& bundle, const std::string& what) const {
    const fs::path events = bench_.Bundle(bundle) / "events.jsonl";
    return fs::exists(events) &&
           ReadFile(events).find(what) != std::string::npos;
  }
  /// True when the process was killed with a checkpoint behind it.
  bool KillAfterACheckpoint(const RunSpec& spec, const std::string& bundle) {
    WorkerProcess worker(bench_.Arguments(spec, bundle), bench_.log_path());
    const Stopwatch watch;
    while (watch.Seconds() < 300 && worker.Running() &&
           !Said(bundle, "\"checkpoint\"")) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    worker.Signal(SIGKILL);
    return worker.Wait() == -SIGKILL && Said(bundle, "\"checkpoint\"");
  }

  MethodRegistry methods_;
  toys::WorkerBench bench_;
};

TEST_P(KilledWorker, GoesOnFromItsCheckpointToTheSameBytes) {
  RunSpec spec = Spec(GetParam().method, GetParam().options);
  ASSERT_TRUE(bench_.Prepare(spec)) << bench_.log();
  ASSERT_EQ(bench_.Run(spec, "whole"), 0) << bench_.log();
  ASSERT_EQ(bench_.Run(spec, "again"), 0) << bench_.log();
  EXPECT_EQ(Scores("again"), Scores("whole")) << "same seed, other bits";

  std::string killed;
  for (int attempt = 0; attempt < 10 && killed.empty(); ++attempt) {
    const std::string bundle = "killed-" + std::to_string(attempt);
    if (KillAfterACheckpoint(spec, bundle)) killed = bundle;
  }
  ASSERT_FALSE(killed.empty()) << "always over before the blow";
  ASSERT_EQ(bench_.Run(spec, killed), 0) << bench_.log();
  EXPECT_TRUE(Said(killed, "\"resume\""));
  EXPECT_EQ(Scores(killed), Scores("whole"));
}

std::vector<Killed> Methods() {
  const auto word = [](const char* value) { return std::string(value); };
  std::vector<Killed> all = {
      {"hp_dval_stage2", "hp_dval", {{"stage", word("2")}}},
      {"hp_dval_joint", "hp_dval", {{"stage", word("joint")}}},
      {"psd_alone", "psd", {{"teachers", word("none")}}},
      {"psd_prompt", "psd", {{"variant", word("prompt")}}},
      {"finetune_clip_all", "finetune_clip", {{"train", word("all")}}}};
  MethodRegistry methods;
  RegisterBuiltinMethods(methods);
  for (const std::string& name : methods.Names()) {
    const MethodInfo& info = methods.Find(name).info;
    if (info.abilities.trains && info.input != InputKind::kNone) {
      all.push_back({name, name, {}});
    }
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Every, KilledWorker, ::testing::ValuesIn(Methods()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace tailmark
