// Average precision against exact fractions (metrics/) and against what the
// compared methods' own code printed (methods/).

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/files.h"
#include "harness/base/json.h"
#include "harness/metrics/evaluate.h"
#include "harness/metrics/invariants.h"
#include "harness/metrics/profile.h"
#include "tests/golden/golden.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;

const std::map<std::string, std::string> kIds = {
    {"step", "ap.step"},
    {"rank_input_order", "ap.rank"},
    {"rank_reverse_order", "ap.rank/ties=reverse"},
    {"rank_best", "ap.rank/ties=best"},
    {"rank_worst", "ap.rank/ties=worst"},
    {"rank_expected", "ap.rank/ties=expected"},
    {"voc_area_input_order", "ap.voc10"},
    {"voc_area_grouped", "ap.voc10/ties=grouped"},
    {"voc11_input_order", "ap.voc07"},
    {"voc11_grouped", "ap.voc07/ties=grouped"},
    {"trapezoid", "ap.trapezoid"}};

// "3/4" -> 0.75, {"fraction": "3/4"} too, null -> nothing.
std::optional<double> Fraction(const Json& json) {
  if (json.is_null()) return std::nullopt;
  if (json.is_object()) return Fraction(json.at("fraction"));
  const auto text = json.get<std::string>();
  const auto slash = text.find('/');
  return std::stod(text.substr(0, slash)) / std::stod(text.substr(slash + 1));
}

void ExpectAp(const std::optional<double>& got,
              const std::optional<double>& want, const std::string& what) {
  ASSERT_EQ(got.has_value(), want.has_value()) << what;
  if (!want) return;
  EXPECT_NEAR(*got, *want, 1e-12) << what;
}

template <class Float>
Evaluation EvaluateOne(const std::vector<Float>& scores,
                       const LabelSpans& labels,
                       const std::vector<Definition>& definitions) {
  const auto evaluation =
      Evaluate({.values = std::span<const Float>(scores),
                .rows = static_cast<std::int64_t>(scores.size()),
                .classes = 1},
               labels, {}, definitions);
  for (const auto& each : Violations(evaluation)) ADD_FAILURE() << each;
  return evaluation;
}

// The vectors, or nothing after a skip.
std::optional<Json> Vectors() {
  const fs::path path = GoldenFolder("metrics") / "ap_vectors.json";
  if (!fs::exists(path)) return std::nullopt;
  return ReadJson(path);
}

TEST(MetricsGolden, EveryVectorUnderEveryDefinition) {
  const auto golden = Vectors();
  if (!golden) GTEST_SKIP() << "no golden folder metrics";
  std::vector<Definition> definitions;
  for (const auto& [name, id] : kIds) {
    definitions.push_back(ParseDefinition(id));
  }
  int compared = 0;
  for (const Json& vector : golden->at("vectors")) {
    const auto scores = vector.at("score").get<std::vector<double>>();
    const auto labels = vector.at("label").get<std::vector<std::uint8_t>>();
    const std::vector<float> floats(scores.begin(), scores.end());
    const bool exact = std::equal(scores.begin(), scores.end(), floats.begin());
    const auto wide = EvaluateOne(scores, {labels}, definitions);
    const auto narrow =
        exact ? EvaluateOne(floats, {labels}, definitions) : wide;
    for (const auto& [key, want] : vector.at("expected").items()) {
      ASSERT_TRUE(kIds.contains(key)) << "no definition for " << key;
      const auto definition = ParseDefinition(kIds.at(key));
      const auto what = vector.at("name").get<std::string>() + " " + key;
      const auto value = Fraction(want);
      ExpectAp(wide.Find(definition)->ap[0], value, what);
      ExpectAp(narrow.Find(definition)->ap[0], value, what + " as float");
      ++compared;
    }
  }
  EXPECT_GT(compared, 0);
  std::printf("compared %d values\n", compared);
}

TEST(MetricsGolden, WhatFloatsDoToAVector) {
  const auto golden = Vectors();
  if (!golden) GTEST_SKIP() << "no golden folder metrics";
  int compared = 0;
  for (const Json& vector : golden->at("vectors")) {
    for (const char* key : {"after_float32", "after_float32_sigmoid"}) {
      if (!vector.contains(key)) continue;
      const Json& after = vector.at(key);
      const auto scores =
          after.value("score", vector.at("score")).get<std::vector<float>>();
      const auto labels = vector.at("label").get<std::vector<std::uint8_t>>();
      const auto step = EvaluateOne(scores, {labels}, {Definition{}});
      ExpectAp(step.results[0].ap[0], Fraction(after.at("step")),
               vector.at("name").get<std::string>() + " " + key);
      ++compared;
    }
  }
  EXPECT_GT(compared, 0);
  std::printf("compared %d values\n", compared);
}

TEST(MetricsGolden, DifficultObjectsUnderEveryPolicy) {
  const auto golden = Vectors();
  if (!golden) GTEST_SKIP() << "no golden folder metrics";
  int compared = 0;
  for (const Json& vector : golden->at("difficult")) {
    const auto scores = vector.at("score").get<std::vector<double>>();
    std::vector<std::uint8_t> positive;
    std::vector<std::uint8_t> known;
    for (const int label : vector.at("label3").get<std::vector<int>>()) {
      positive.push_back(label >= 0 ? 1 : 0);
      known.push_back(label != 0 ? 1 : 0);
    }
    for (const auto& [policy, want] : vector.at("step").items()) {
      const auto definition = ParseDefinition("ap.step/difficult=" + policy);
      const auto got = EvaluateOne(scores, {positive, known}, {definition});
      ExpectAp(got.results[0].ap[0], Fraction(want),
               vector.at("name").get<std::string>() + " " + policy);
      ++compared;
    }
  }
  EXPECT_GT(compared, 0);
  std::printf("compared %d values\n", compared);
}

// ---- What other people's code gave ------------------------------------------

// The tensors of one .safetensors file that this test needs.
class Tensors {
 public:
  explicit Tensors(const fs::path& path) : bytes_(ReadFile(path)) {
    std::uint64_t length = 0;
    std::memcpy(&length, bytes_.data(), sizeof length);
    data_ = 8 + length;
    header_ = ParseJson(std::string_view(bytes_).substr(8, length),
                        path.filename().string());
  }
  template <class T>
  std::vector<T> Get(const std::string& key) const {
    const auto ends =
        header_.at(key).at("data_offsets").get<std::array<std::size_t, 2>>();
    std::vector<T> out((ends[1] - ends[0]) / sizeof(T));
    std::memcpy(out.data(), bytes_.data() + data_ + ends[0], ends[1] - ends[0]);
    return out;
  }

 private:
  std::string bytes_;
  Json header_;
  std::size_t data_ = 0;
};

// One case of methods/metrics.safetensors, evaluated.
class MethodCase {
 public:
  MethodCase(const Tensors& tensors, const Json& json)
      : tensors_(tensors),
        json_(json),
        id_(json.at("id").get<std::string>()),
        scores_(tensors.Get<float>(id_ + "/in/scores")),
        labels_(tensors.Get<std::uint8_t>(id_ + "/in/labels")) {
    const Json& shape = json.at("inputs").at("scores").at("shape");
    rows_ = shape.at(0).get<std::int64_t>();
    classes_ = shape.at(1).get<std::int64_t>();
  }

  std::string id() const { return id_; }
  bool ties() const { return json_.at("params").value("ties", false); }
  bool Has(const std::string& output) const {
    return json_.at("outputs").contains(output);
  }
  std::vector<double> Output(const std::string& output) const {
    return tensors_.Get<double>(
        json_.at("outputs").at(output).value("key", id_ + "/out/" + output));
  }
  DefinitionResult Result(const char* id,
                          const std::vector<ClassGroup>& groups = {}) const {
    const auto evaluation =
        Evaluate({.values = std::span<const float>(scores_),
                  .rows = rows_,
                  .classes = classes_},
                 {labels_}, groups, std::vector{ParseDefinition(id)});
    return evaluation.results.at(0);
  }

  // Every class within `slack` of what that output says; their number.
  int Expect(const char* id, const std::string& output, double slack) const {
    if (!Has(output)) return 0;
    const auto want = Output(output);
    const auto got = Result(id);
    EXPECT_EQ(got.ap.size(), want.size());
    for (std::size_t c = 0; c < want.size(); ++c) {
      EXPECT_NEAR(got.ap[c].value(), want[c], slack)
          << id_ << " " << output << " class " << c;
    }
    return static_cast<int>(want.size());
  }

  // Sorts that are not stable give one of the orders of the ties.
  int ExpectBetween(const std::string& output, double slack) const {
    if (!Has(output)) return 0;
    const auto want = Output(output);
    const auto low = Result("ap.rank/ties=worst/nopos=zero");
    const auto high = Result("ap.rank/ties=best/nopos=zero");
    for (std::size_t c = 0; c < want.size(); ++c) {
      EXPECT_GE(want[c], *low.ap[c] - slack) << id_ << " " << output;
      EXPECT_LE(want[c], *high.ap[c] + slack) << id_ << " " << output;
    }
    return static_cast<int>(want.size());
  }

 private:
  const Tensors& tensors_;
  const Json& json_;
  std::string id_;
  std::vector<float> scores_;
  std::vector<std::uint8_t> labels_;
  std::int64_t rows_ = 0;
  std::int64_t classes_ = 0;
};

// Calls `use` on each metrics case; false when the folder is absent.
template <class Use>
bool ForEachMethodCase(Use use) {
  const fs::path folder = GoldenFolder("methods");
  if (!fs::exists(folder / "metrics.safetensors")) return false;
  const Json manifest = ReadJson(folder / "manifest.json");
  const Tensors tensors(folder / "metrics.safetensors");
  for (const Json& json : manifest.at("cases")) {
    if (json.at("file") != "metrics.safetensors") continue;
    use(MethodCase(tensors, json));
  }
  return true;
}

// Printed in the documentation of torchmetrics and mmpretrain.
TEST(MetricsGolden, DocumentedNumbersOfOtherProgramsAreOurs) {
  const std::vector<double> scores = {.75, .05, .35, .45, .75, .05,
                                      .05, .55, .75, .05, .65, .05};
  const std::vector<std::uint8_t> labels = {1, 0, 1, 0, 0, 0, 0, 1, 1, 1, 1, 1};
  const auto evaluation = Evaluate(
      {.values = std::span<const double>(scores), .rows = 4, .classes = 3},
      {labels}, {},
      std::vector{ParseDefinition("ap.step"),
                  ParseDefinition("ap.binned/bins=5")});
  const std::vector<double> step = {0.75, 7 / 12.0, 11 / 12.0};
  const std::vector<double> binned = {0.75, 2 / 3.0, 11 / 12.0};
  for (std::size_t c = 0; c < 3; ++c) {
    ExpectAp(evaluation.results[0].ap[c], step[c], "torchmetrics");
    ExpectAp(evaluation.results[1].ap[c], binned[c], "torchmetrics, 5 bins");
  }
  const std::vector<double> other = {.9, .8, .3, .2, .1, .2, .2, .1,
                                     .7, .5, .9, .3, .8, .1, .1, .2};
  const std::vector<std::uint8_t> truth = {1, 1, 0, 0, 0, 1, 0, 0,
                                           0, 0, 1, 0, 1, 0, 0, 0};
  const auto mmpretrain = Evaluate(
      {.values = std::span<const double>(other), .rows = 4, .classes = 4},
      {truth}, {}, std::vector{FindProfile("mmpretrain").definition});
  EXPECT_NEAR(mmpretrain.results[0].total().percent.value(), 100 * 17 / 24.0,
              1e-10);
  std::printf("compared 7 values\n");
}

TEST(MetricsGolden, TheMethodsOwnCodeGivesTheSame) {
  int compared = 0;
  const bool there = ForEachMethodCase([&](const MethodCase& each) {
    compared += each.Expect("ap.step/nopos=zero", "ap_lmpt_sklearn", 1e-12);
    compared += each.Expect("ap.rank", "ap_stable_row_order", 1e-12);
    compared += each.Expect("ap.rank/ties=worst", "ap_pessimistic", 1e-12);
    compared += each.Expect("ap.rank/ties=best", "ap_optimistic", 1e-12);
    if (!each.ties()) {
      compared += each.Expect("ap.voc10", "ap_mlvpt_voc_envelope", 1e-12);
    }
    if (!each.ties()) {
      compared += each.Expect("ap.rank/ties=reverse/eps=1e-8/nopos=zero",
                              "ap_asl_like", 1e-12);
    }
    // Meters keep AP in float32; the ASL-like mean divides by P + 1e-8.
    for (const char* meter : {"ap_hpdval_meter", "ap_cpsd_meter",
                              "ap_zeroshot_apmeter", "ap_asl_like"}) {
      compared += each.ExpectBetween(meter, 1e-6);
    }
  });
  if (!there) GTEST_SKIP() << "no golden folder methods";
  EXPECT_GT(compared, 0);
  std::printf("compared %d values\n", compared);
}

TEST(MetricsGolden, TheirGroupMeansAreOurs) {
  const fs::path splits = ReferenceFolder("splits");
  if (splits.empty()) GTEST_SKIP() << "TAILMARK_REFERENCE_DATA is not set";
  int compared = 0;
  const bool there = ForEachMethodCase([&](const MethodCase& each) {
    const std::string output = "total_head_medium_tail_lmpt_sklearn";
    if (!each.Has(output)) return;
    const bool coco = each.id().find("coco") != std::string::npos;
    const Json json =
        ReadJson(splits / (coco ? "coco-lt" : "voc-lt") / "classes.json");
    std::vector<ClassGroup> groups;
    for (const char* name : {"head", "medium", "tail"}) {
      groups.push_back(
          {name, json.at("groups").at(name).get<std::vector<std::int64_t>>()});
    }
    const auto want = each.Output(output);
    const auto got = each.Result("ap.step/nopos=zero", groups);
    for (std::size_t g = 0; g < want.size(); ++g) {
      EXPECT_NEAR(got.means[g].percent.value(), 100 * want[g], 1e-10)
          << each.id() << " " << got.means[g].name;
      ++compared;
    }
  });
  if (!there) GTEST_SKIP() << "no golden folder methods";
  EXPECT_GT(compared, 0);
  std::printf("compared %d values\n", compared);
}

}  // namespace
}  // namespace tailmark
