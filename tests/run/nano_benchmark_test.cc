// The committed nano-CLIP on the whole embedded data set: its numbers, and the
// properties that the benchmark promises. Through the real worker; what this
// very build scored before is read again, not trained again (tests/README.md).

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>

#include "datasets/builtin.h"
#include "datasets/test_labels.h"
#include "harness/base/error.h"
#include "harness/base/npy.h"
#include "harness/metrics/arrays.h"
#include "harness/metrics/evaluate.h"
#include "harness/record/weights.h"
#include "tests/record/kept.h"
#include "tests/run/worker.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;

/// Mean AP in percent: all classes, then those of each group.
struct Means {
  double total, head, medium, tail;
};

class NanoBenchmark : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    cache_ =
        fs::path(testing::TempDir()) / StrCat("tailmark-nano-cache-", getpid());
  }
  static void TearDownTestSuite() { fs::remove_all(cache_); }
  void SetUp() override {
    if (!fs::exists(weights() / "model.safetensors")) {
      GTEST_SKIP() << "no weights in methods/clip/nano";
    }
    numbers_ = ReadJson(TM_SOURCE_DIR "/tests/run/nano_numbers.json");
  }
  static fs::path weights() { return TM_SOURCE_DIR "/methods/clip/nano"; }

  /// Scores of one run, scored here: the worker never sees test labels.
  Means Score(const std::string& method, const std::string& preset,
              std::uint64_t seed = 0, const OptionMap& data_options = {}) {
    RunSpec spec = bench_.Spec(method, preset, {}, weights());
    for (const auto& [name, value] : data_options) {
      spec.identity.dataset_options[name] = value;
    }
    spec.place.cache = cache_;
    spec.seed = seed;
    const Json from = {
        {"build", WhatMovesScores(TM_BIN_DIR, {"tailmark-worker"})},
        {"weights", numbers_.at("weights_sha256")},
        {"key", RunKey(spec)}};
    std::string name = StrCat(method, "-", preset, "-", seed);
    for (const auto& option : data_options) name += "-" + option.first;
    const fs::path scores =
        Kept(TM_BIN_DIR "/../kept/nano-benchmark", name, from,
             [&](const fs::path& out) {
               EXPECT_TRUE(bench_.Prepare(spec)) << bench_.log();
               if (bench_.Run(spec, "run") == 0) {
                 fs::copy_file(bench_.Bundle("run") / "scores/test.npy", out);
                 fs::remove_all(bench_.Bundle("run"));
               }
             });
    if (scores.empty()) throw std::runtime_error(bench_.log());
    const DatasetSpec data{.name = "embedded",
                           .options = spec.identity.dataset_options};
    return Evaluated(scores, data);
  }

  static Means Evaluated(const fs::path& file, const DatasetSpec& spec) {
    const LabelMatrix labels = BuiltinTestLabels().Load(spec);
    DatasetRegistry registry;
    RegisterBuiltinDatasets(registry);
    const auto data = registry.Find(spec.name).open(spec);
    std::vector<ClassGroup> groups = {
        {"head", {}}, {"medium", {}}, {"tail", {}}};
    std::int64_t index = 0;
    for (const ClassInfo& each : data->classes()) {
      groups[static_cast<std::size_t>(each.group)].classes.push_back(index++);
    }
    const ScoreArray scores = ScoresFromNpy(ReadNpy(file), file.string());
    const std::vector<Definition> definitions = {Definition{}};
    const Evaluation result = Evaluate(
        scores.view(), {.positive = labels.positive}, groups, definitions);
    const auto& means = result.results.at(0).means;
    return {*means[0].percent, *means[1].percent, *means[2].percent,
            *means[3].percent};
  }

  /// The committed numbers of `name`, within what another CPU may move.
  void ExpectCommitted(const Means& got, const std::string& name) const {
    std::cout << name << ": total " << got.total << ", head " << got.head
              << ", medium " << got.medium << ", tail " << got.tail << "\n";
    const Json& expected = numbers_.at(name);
    const double bound = numbers_.at("bound").get<double>();
    EXPECT_NEAR(got.total, expected.at("total").get<double>(), bound) << name;
    EXPECT_NEAR(got.head, expected.at("head").get<double>(), bound) << name;
    EXPECT_NEAR(got.medium, expected.at("medium").get<double>(), bound) << name;
    EXPECT_NEAR(got.tail, expected.at("tail").get<double>(), bound) << name;
  }

  static inline fs::path cache_;  ///< Features, for all tests of this file.
  toys::WorkerBench bench_;
  Json numbers_;
};

TEST_F(NanoBenchmark, TheWeightsAreThoseTheNumbersBelongTo) {
  EXPECT_EQ(WeightsSha256(weights()),
            numbers_.at("weights_sha256").get<std::string>());
}

TEST_F(NanoBenchmark, ZeroShotIsBetweenFortyAndSixtyInEveryGroupAlike) {
  const Means single = Score("zero_shot_clip", "embedded");
  ExpectCommitted(single, "zero_shot");
  EXPECT_GE(single.total, 40);
  EXPECT_LE(single.total, 60);
  for (const double group : {single.head, single.medium, single.tail}) {
    EXPECT_NEAR(group, single.total, 8);
  }
  const Means ensemble = Score("zero_shot_clip", "embedded-ensemble");
  EXPECT_NEAR(ensemble.total, single.total, 1.5);
  const Means chance = Score("label_prior", "");
  EXPECT_GE(chance.total, 9);
  EXPECT_LE(chance.total, 11);
}

TEST_F(NanoBenchmark, TheLongTailHurtsTheProbeNotTheClasses) {
  const Means tailed = Score("linear_probe", "embedded");
  ExpectCommitted(tailed, "linear_probe_bce");
  EXPECT_GE(tailed.head - tailed.tail, 12);
  const Means even = Score("linear_probe", "embedded", 0, {{"balanced", true}});
  ExpectCommitted(even, "linear_probe_bce_balanced");
  EXPECT_LE(even.head - even.tail, 10);
  EXPECT_GE(even.total - tailed.total, 6);
}

TEST_F(NanoBenchmark, HpDvalGainsOverZeroShotAndMostInTheTail) {
  const Means zero = Score("zero_shot_clip", "embedded");
  const Means probe = Score("linear_probe", "embedded");
  const Means first = Score("hp_dval", "embedded");
  std::cout << "hp_dval stage 1: total " << first.total << ", head "
            << first.head << ", medium " << first.medium << ", tail "
            << first.tail << "\n";
  EXPECT_GE(first.total, zero.total + 6);
  EXPECT_GE(first.tail, zero.tail + 4);
  EXPECT_GE(first.tail, probe.tail + 7);
}

TEST_F(NanoBenchmark, LmptByLogitGainsOverZeroShotBySoftmax) {
  const Means zero = Score("zero_shot_clip", "embedded");
  const Means lmpt = Score("lmpt", "embedded");
  std::cout << "lmpt: total " << lmpt.total << ", head " << lmpt.head
            << ", medium " << lmpt.medium << ", tail " << lmpt.tail << "\n";
  EXPECT_GE(lmpt.total, zero.total + 2);
}

TEST_F(NanoBenchmark, PsdGainsOverZeroShot) {
  const Means zero = Score("zero_shot_clip", "embedded");
  const Means student = Score("psd", "embedded");
  std::cout << "psd: total " << student.total << ", head " << student.head
            << ", medium " << student.medium << ", tail " << student.tail
            << "\n";
  EXPECT_GE(student.total, zero.total + 6);
}

// P7 for those that start from a random layer.
TEST_F(NanoBenchmark, SeedsMoveWhatStartsAtRandomLittle) {
  const Means zero = Score("zero_shot_clip", "embedded");
  for (const auto& [method, seeds] :
       {std::pair{"finetune_clip", 3}, std::pair{"cocoop", 2}}) {
    double sum = 0;
    double squares = 0;
    for (int seed = 0; seed < seeds; ++seed) {
      const double total =
          Score(method, "embedded", static_cast<std::uint64_t>(seed)).total;
      std::cout << method << ", seed " << seed << ": total " << total << "\n";
      EXPECT_GE(total, zero.total) << method;
      sum += total;
      squares += total * total;
    }
    const double variance = (squares - sum * sum / seeds) / (seeds - 1);
    EXPECT_LE(std::sqrt(std::max(variance, 0.0)), 1.5) << method;
  }
}

TEST_F(NanoBenchmark, SeedsMoveTheProbesLittle) {
  for (const std::string preset : {"embedded", "embedded-db"}) {
    double sum = 0;
    double squares = 0;
    constexpr int kSeeds = 3;
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
      const Means each = Score("linear_probe", preset, seed);
      if (seed == 0 && preset == "embedded-db") {
        ExpectCommitted(each, "linear_probe_db");
      }
      sum += each.total;
      squares += each.total * each.total;
    }
    const double variance = (squares - sum * sum / kSeeds) / (kSeeds - 1);
    EXPECT_LE(std::sqrt(std::max(variance, 0.0)), 1.5) << preset;
  }
}

}  // namespace
}  // namespace tailmark
