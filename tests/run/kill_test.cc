// Every method that trains, as a process that is killed with SIGKILL between
// two epochs: it goes on to the same bytes. Those of the few-shot tables also
// over episodes, with the scores of every epoch. What is killed and what
// it is compared with are forks that do what the worker's binary does, without
// loading LibTorch; forks of the binary go on. worker_test kills the binary.

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <map>
#include <thread>

#include "datasets/builtin.h"
#include "harness/api/registry.h"
#include "harness/base/clock.h"
#include "harness/base/files.h"
#include "harness/cli/worker_program.h"
#include "harness/record/bundle.h"
#include "methods/builtin.h"
#include "methods/torch_pch.h"
#include "tests/run/worker.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;
using toys::WorkerProcess;

constexpr std::int64_t kLimit = 32;
constexpr std::int64_t kLimitOfEpisodes = 16;  // There are ten.
/// For those that run a tower for every image although they ask for features.
constexpr std::int64_t kSlowEpochs = 6;

/// A method with options over its preset `embedded`.
struct Killed {
  std::string name;  ///< Of the test.
  std::string method;
  OptionMap options;
};

void PrintTo(const Killed& killed, std::ostream* out) { *out << killed.name; }

class KilledBench : public ::testing::Test {
 protected:
  KilledBench() {
    RegisterBuiltinMethods(methods_);
    at::set_num_threads(1);  // A fork would wait for threads it has not.
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
        options.try_emplace(field.name, std::int64_t{quick ? 24 : 5});
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
  /// True when the process was killed with a checkpoint behind it, and with
  /// `far` (a file of its bundle, "" for none) written.
  bool KillAfterACheckpoint(const RunSpec& spec, const std::string& bundle,
                            const std::string& far = "") {
    const auto there = [&] {
      return Said(bundle, "\"checkpoint\"") &&
             fs::exists(bench_.Bundle(bundle) / far);
    };
    WorkerProcess worker = bench_.Start(bench_.Arguments(spec, bundle));
    const Stopwatch watch;
    while (watch.Seconds() < 300 && worker.Running() && !there()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    worker.Signal(SIGKILL);
    return worker.Wait() == -SIGKILL && there();
  }

  MethodRegistry methods_;
  toys::WorkerBench bench_{WorkerMain};
};

class KilledWorker : public KilledBench,
                     public ::testing::WithParamInterface<Killed> {};

TEST_P(KilledWorker, GoesOnFromItsCheckpointToTheSameBytes) {
  RunSpec spec = Spec(GetParam().method, GetParam().options);
  ASSERT_TRUE(bench_.Prepare(spec)) << bench_.log();
  ASSERT_EQ(bench_.Run(spec, "whole"), 0) << bench_.log();

  std::string killed;
  for (int attempt = 0; attempt < 10 && killed.empty(); ++attempt) {
    const std::string bundle = "killed-" + std::to_string(attempt);
    if (KillAfterACheckpoint(spec, bundle)) killed = bundle;
  }
  ASSERT_FALSE(killed.empty()) << "always over before the blow";
  ASSERT_EQ(bench_.RunBinary(spec, killed), 0) << bench_.log();
  EXPECT_TRUE(Said(killed, "\"resume\""));
  if (Scores(killed) == Scores("whole")) return;
  // Its first epochs are a second run of the same seed, too: which was it?
  ASSERT_EQ(bench_.Run(spec, "again"), 0) << bench_.log();
  FAIL() << (Scores("again") == Scores("whole") ? "going on moved bits"
                                                : "same seed, other bits");
}

std::vector<Killed> Methods() {
  const auto word = [](const char* value) { return std::string(value); };
  std::vector<Killed> all = {
      {"hp_dval_stage2", "hp_dval", {{"stage", word("2")}}},
      {"hp_dval_joint", "hp_dval", {{"stage", word("joint")}}},
      {"psd_alone", "psd", {{"teachers", word("none")}}},
      {"psd_prompt", "psd", {{"variant", word("prompt")}}},
      {"finetune_clip_all",
       "finetune_clip",
       {{"train", word("all")}, {"epochs", kSlowEpochs}}}};
  MethodRegistry methods;
  RegisterBuiltinMethods(methods);
  for (const std::string& name : methods.Names()) {
    const MethodInfo& info = methods.Find(name).info;
    if (info.abilities.trains && info.input != InputKind::kNone) {
      OptionMap options;
      if (name == "cocoop") options["epochs"] = kSlowEpochs;
      all.push_back({name, name, options});
    }
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Every, KilledWorker, ::testing::ValuesIn(Methods()),
                         [](const auto& test) { return test.param.name; });

/// A method over ten episodes; `options` lie over its preset.
struct FewShot {
  std::string name;  ///< Of the test.
  std::string method;
  std::string preset;
  OptionMap options;
};

void PrintTo(const FewShot& few, std::ostream* out) { *out << few.name; }

class EpochsOfEpisodes : public KilledBench,
                         public ::testing::WithParamInterface<FewShot> {
 protected:
  RunSpec FewShotSpec(const FewShot& few, const std::string& selection) {
    OptionMap options = few.options;
    for (const FieldInfo& field : methods_.Find(few.method).options) {
      if (field.name == "epochs" || field.name == "stage1_epochs") {
        options[field.name] = std::int64_t{2};
      }
    }
    RunSpec spec = bench_.Spec(few.method, few.preset, options, weights());
    DatasetRegistry datasets;
    RegisterBuiltinDatasets(datasets);
    const DatasetInfo& data = datasets.Find("embedded-fewshot").info;
    spec.identity.dataset = data.name;
    spec.identity.dataset_version = data.version;
    spec.identity.dataset_options = ResolveOptions(data.options, {});
    spec.identity.pipeline = "squash-48";
    spec.identity.limit = kLimitOfEpisodes;
    spec.identity.selection = selection;
    spec.place.cache = bench_.folder() / "cache";
    return spec;
  }
  /// Bytes of every score matrix, by name.
  std::map<std::string, std::string> All(const std::string& bundle) const {
    std::map<std::string, std::string> all;
    for (const ScoreFile& file : ReadBundle(bench_.Bundle(bundle)).scores) {
      all[file.split] = ReadFile(bench_.Bundle(bundle) / file.path);
    }
    return all;
  }
};

TEST_P(EpochsOfEpisodes, AreKeptBesideTheSameLastScoresThroughAKill) {
  const FewShot& few = GetParam();
  RunSpec last = FewShotSpec(few, "last");
  ASSERT_TRUE(bench_.Prepare(last)) << bench_.log();
  ASSERT_EQ(bench_.Run(last, "last"), 0) << bench_.log();
  // What it starts from is chosen by nobody.
  RunSpec spec = FewShotSpec(few, "best_on_test");
  spec.identity.needs = last.identity.needs;
  spec.place.bundles = last.place.bundles;
  ASSERT_EQ(bench_.Run(spec, "whole"), 0) << bench_.log();
  const auto only_last = All("last");
  const auto whole = All("whole");
  ASSERT_EQ(only_last.size(), 10u);
  ASSERT_EQ(whole.size(), 30u);
  for (int k = 1; k <= 10; ++k) {
    const std::string episode = "episode-" + std::to_string(k);
    EXPECT_EQ(whole.at("test." + episode), only_last.at("test." + episode))
        << "a look at the query moved " << episode;
    EXPECT_EQ(whole.at("test.epoch-2." + episode), whole.at("test." + episode));
    EXPECT_NE(whole.at("test.epoch-1." + episode), whole.at("test." + episode));
  }

  std::string killed;
  for (int attempt = 0; attempt < 10 && killed.empty(); ++attempt) {
    const std::string bundle = "killed-" + std::to_string(attempt);
    if (KillAfterACheckpoint(spec, bundle,
                             "scores/test.epoch-1.episode-3.npy")) {
      killed = bundle;
    }
  }
  ASSERT_FALSE(killed.empty()) << "always over before the blow";
  ASSERT_EQ(bench_.RunBinary(spec, killed), 0) << bench_.log();
  EXPECT_TRUE(Said(killed, "\"resume\""));
  EXPECT_EQ(All(killed), whole);
}

std::vector<FewShot> FewShotMethods() {
  const auto word = [](const char* value) { return std::string(value); };
  const OptionMap base = {{"student_init", word("base-run")},
                          {"base_epochs", std::int64_t{1}}};
  return {{"coop", "coop", "embedded", {}},
          {"lmpt", "lmpt", "embedded", {{"cse", word("off")}}},
          {"hp_dval", "hp_dval", "embedded-few-shot", {}},
          {"hp_dval_base", "hp_dval", "embedded-few-shot", base},
          {"psd_prompt", "psd", "embedded-few-shot", {}},
          {"ml_vpt", "ml_vpt", "embedded-few-shot", {}}};
}

INSTANTIATE_TEST_SUITE_P(Every, EpochsOfEpisodes,
                         ::testing::ValuesIn(FewShotMethods()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace tailmark
