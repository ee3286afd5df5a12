#include "harness/metrics/evaluate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "harness/base/error.h"
#include "harness/metrics/arrays.h"
#include "tests/metrics/cases.h"

namespace tailmark::testing {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

// [4, 2]: class 0 has AP 5/6, class 1 has no positive.
Case Small() {
  return {.rows = 4,
          .classes = 2,
          .scores = {0.1, 9, 0.4, 8, 0.35, 7, 0.8, 6},
          .positive = {0, 0, 0, 0, 1, 0, 1, 0}};
}

template <class Error>
std::string ErrorOf(const Case& problem,
                    const std::vector<ClassGroup>& groups = {},
                    const std::vector<Definition>& definitions = {
                        Definition{}}) {
  try {
    Evaluate(problem.view(), problem.labels(), groups, definitions);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Evaluate, AClassWithoutPositivesIsUndefinedAndCounted) {
  const auto result =
      EvaluateCase(Small(), Definitions({"ap.step"})).results.at(0);
  ASSERT_TRUE(result.ap[0]);
  EXPECT_DOUBLE_EQ(*result.ap[0], 5.0 / 6);
  EXPECT_FALSE(result.ap[1]);
  EXPECT_DOUBLE_EQ(*result.total().percent, 500.0 / 6);
  EXPECT_EQ(result.total().classes, 1);
  EXPECT_EQ(result.total().undefined, 1);
  EXPECT_EQ(result.counts[0], (ClassCounts{2, 2, 0}));
  EXPECT_EQ(result.counts[1], (ClassCounts{0, 4, 0}));
}

TEST(Evaluate, WithNoposZeroItEntersTheMean) {
  const auto result =
      EvaluateCase(Small(), Definitions({"ap.step/nopos=zero"})).results.at(0);
  EXPECT_EQ(result.ap[1], 0.0);
  EXPECT_DOUBLE_EQ(*result.total().percent, 250.0 / 6);
  EXPECT_EQ(result.total().undefined, 0);
}

TEST(Evaluate, NothingDefinedGivesNoMean) {
  Case problem = Small();
  problem.positive.assign(8, 0);
  const auto evaluation = EvaluateCase(problem, Definitions({"ap.rank"}));
  EXPECT_FALSE(evaluation.results[0].total().percent);
  EXPECT_EQ(evaluation.results[0].total().undefined, 2);
  EXPECT_FALSE(evaluation.diagnostics.best_percent);
}

TEST(Evaluate, GroupsAreMeansOverTheirClasses) {
  Case problem = Small();
  problem.positive[1] = 1;  // class 1: rank 1
  const std::vector<ClassGroup> groups = {
      {"head", {1, 0}}, {"tail", {1}}, {"none", {}}};
  const auto evaluation = Evaluate(problem.view(), problem.labels(), groups,
                                   Definitions({"ap.step"}));
  const auto& means = evaluation.results[0].means;
  ASSERT_EQ(means.size(), 4u);
  EXPECT_EQ(means[0].name, "total");
  EXPECT_EQ(means[1].percent, means[0].percent);
  EXPECT_DOUBLE_EQ(*means[1].percent, 50 * (5.0 / 6 + 1));
  EXPECT_EQ(means[2].name, "tail");
  EXPECT_DOUBLE_EQ(*means[2].percent, 100);
  EXPECT_FALSE(means[3].percent);
  EXPECT_EQ(means[3].undefined, 0);
}

TEST(Evaluate, DifficultObjectsCountAsTheDefinitionSays) {
  // Difficult on top, then positive, negative, positive.
  const Case problem =
      OneClass({0.9, 0.8, 0.7, 0.6}, {1, 1, 0, 1}, {0, 1, 1, 1});
  const auto results =
      EvaluateCase(problem, Definitions({"ap.step/difficult=ignore",
                                         "ap.step/difficult=negative",
                                         "ap.step/difficult=positive"}))
          .results;
  EXPECT_DOUBLE_EQ(*results[0].ap[0], (1.0 + 2.0 / 3) / 2);
  EXPECT_EQ(results[0].counts[0], (ClassCounts{2, 1, 1}));
  EXPECT_DOUBLE_EQ(*results[1].ap[0], (1.0 / 2 + 2.0 / 4) / 2);
  EXPECT_EQ(results[1].counts[0], (ClassCounts{2, 2, 0}));
  EXPECT_DOUBLE_EQ(*results[2].ap[0], (1.0 + 1.0 + 3.0 / 4) / 3);
  EXPECT_EQ(results[2].counts[0], (ClassCounts{3, 1, 0}));
}

TEST(Evaluate, AnUnknownCellNeverCounts) {
  const Case problem =
      OneClass({0.9, 0.8, 0.7, 0.6}, {0, 1, 0, 1}, {0, 1, 1, 1});
  for (const char* id :
       {"ap.step/difficult=ignore", "ap.step/difficult=negative",
        "ap.step/difficult=positive"}) {
    const auto result = EvaluateCase(problem, Definitions({id})).results[0];
    EXPECT_DOUBLE_EQ(*result.ap[0], (1.0 + 2.0 / 3) / 2) << id;
    EXPECT_EQ(result.counts[0], (ClassCounts{2, 1, 1})) << id;
  }
}

TEST(Evaluate, UnderIgnoreTheLabelOfAnUnknownCellIsNeverLookedAt) {
  ChanceStream chance(1, 0, 0);
  const Case problem = RandomCase(chance, 50, 5, 20, true);
  Case poisoned = problem;
  for (std::size_t i = 0; i < problem.known.size(); ++i) {
    if (problem.known[i] == 0) poisoned.positive[i] ^= 1;
  }
  const auto definitions =
      Definitions({"ap.step", "ap.step/empty=drop", "ap.rank", "ap.voc10"});
  const auto a = EvaluateCase(problem, definitions);
  const auto b = EvaluateCase(poisoned, definitions);
  for (std::size_t d = 0; d < definitions.size(); ++d) {
    EXPECT_EQ(a.results[d].ap, b.results[d].ap);
    EXPECT_EQ(a.results[d].images, b.results[d].images);
  }
}

TEST(Evaluate, EmptyImagesAreDroppedOnlyWhenAsked) {
  // Row 0 has no label and the highest scores.
  const Case problem{.rows = 3,
                     .classes = 2,
                     .scores = {9, 9, 2, 1, 1, 2},
                     .positive = {0, 0, 1, 0, 0, 1}};
  const auto results =
      EvaluateCase(problem, Definitions({"ap.step", "ap.step/empty=drop"}))
          .results;
  EXPECT_EQ(results[0].images, 3);
  EXPECT_EQ(results[1].images, 2);
  EXPECT_DOUBLE_EQ(*results[0].total().percent, 50);
  EXPECT_DOUBLE_EQ(*results[1].total().percent, 100);
  EXPECT_EQ(results[1].counts[0], (ClassCounts{1, 1, 0}));
}

TEST(Evaluate, AClassWhereEveryImageIsPositiveIsFlagged) {
  const auto result =
      EvaluateCase(OneClass({1, 3, 2}, {1, 1, 1}), Definitions({"ap.step"}))
          .results[0];
  EXPECT_EQ(result.ap[0], 1.0);
  EXPECT_TRUE(result.counts[0].all_positive());
  EXPECT_FALSE((ClassCounts{0, 0, 3}.all_positive()));
}

TEST(Evaluate, SignedZerosAreOneScoreAndInfinityIsARank) {
  EXPECT_EQ(ApOf(OneClass({0.0, -0.0}, {0, 1}), "ap.step"), 0.5);
  const Case problem = OneClass({kInf, 1, -kInf}, {0, 1, 0});
  EXPECT_EQ(ApOf(problem, "ap.step"), 0.5);
  EXPECT_EQ(
      EvaluateCase(problem, Definitions({"ap.step"})).diagnostics.infinite, 2);
}

TEST(Evaluate, FloatDoubleAndHalfGiveTheSameBits) {
  ChanceStream chance(2, 0, 0);
  const Case problem = RandomCase(chance, 600, 3, 300, false);
  const std::vector<float> narrow(problem.scores.begin(), problem.scores.end());
  const auto definitions = DefaultDefinitions({});
  const auto a = EvaluateCase(problem, definitions);
  const auto b = Evaluate({.values = std::span<const float>(narrow),
                           .rows = problem.rows,
                           .classes = problem.classes},
                          problem.labels(), {}, definitions);
  for (std::size_t d = 0; d < definitions.size(); ++d) {
    EXPECT_EQ(a.results[d].ap, b.results[d].ap);
  }
  // 1, 1.5, -2 as halves.
  const NpyArray half{.dtype = DType::kFloat16,
                      .shape = {3, 1},
                      .bytes = std::string("\x00\x3C\x00\x3E\x00\xC0", 6)};
  const auto widened = ScoresFromNpy(half, "h.npy");
  EXPECT_EQ(widened.dtype, DType::kFloat16);
  EXPECT_EQ(std::get<0>(widened.values), (std::vector<float>{1, 1.5, -2}));
}

TEST(Evaluate, ARepeatedDefinitionIsComputedOnce) {
  const auto evaluation = EvaluateCase(
      Small(), Definitions({"ap.rank", "ap.rank/ties=input", "ap.step"}));
  ASSERT_EQ(evaluation.results.size(), 2u);
  EXPECT_EQ(evaluation.Find(ParseDefinition("ap.step")),
            &evaluation.results[1]);
  EXPECT_EQ(evaluation.Find(ParseDefinition("ap.voc07")), nullptr);
}

TEST(Evaluate, NanIsAnErrorThatNamesTheFirstRowAndClass) {
  Case problem = Small();
  problem.scores[5] = kNan;
  problem.scores[6] = kNan;
  EXPECT_EQ(ErrorOf<DataError>(problem),
            "scores: row 2, class 1 is NaN (the first of 2); NaN cannot be "
            "ranked, look at the method that made it");
}

TEST(Evaluate, ShapesThatDisagreeAreErrors) {
  Case problem = Small();
  problem.positive.pop_back();
  EXPECT_EQ(ErrorOf<DataError>(problem),
            "labels: 7 values do not fill the shape [4, 2] of the scores");
  problem = Small();
  problem.known.assign(2, 1);
  EXPECT_NE(ErrorOf<DataError>(problem).find("known: 2 values"),
            std::string::npos);
  problem = Small();
  problem.rows = 5;
  EXPECT_NE(ErrorOf<DataError>(problem).find("scores: 8 values"),
            std::string::npos);
  // Rows times classes overflows to 8.
  problem = Small();
  problem.rows = 1 << 30;
  problem.classes = std::int64_t{1} << 36;
  EXPECT_NE(ErrorOf<DataError>(problem).find("do not fill"), std::string::npos);
}

TEST(Evaluate, OnlyASubsetOfTheClassesIsAnError) {
  Case problem = Small();
  problem.positive = {0, 0, 1, 1};  // labels of class 0 alone
  EXPECT_NE(ErrorOf<DataError>(problem).find("labels: 4 values"),
            std::string::npos);
}

TEST(Evaluate, TooManyRowsAreRefusedBeforeAnythingIsAllocated) {
  Case problem = Small();
  problem.rows = std::int64_t{1} << 31;
  problem.classes = 1;
  EXPECT_NE(ErrorOf<DataError>(problem).find("at most 2147483647"),
            std::string::npos);
}

TEST(Evaluate, ALabelOfTwoIsAnErrorThatNamesIt) {
  Case problem = Small();
  problem.positive[3] = 2;
  EXPECT_EQ(ErrorOf<DataError>(problem),
            "labels: row 1, class 1 is 2; expected 0 or 1");
  problem = Small();
  problem.known.assign(8, 1);
  problem.known[0] = 255;
  EXPECT_EQ(ErrorOf<DataError>(problem),
            "known: row 0, class 0 is 255; expected 0 or 1");
}

TEST(Evaluate, AnEmptyMatrixIsAnError) {
  EXPECT_NE(ErrorOf<DataError>(Case{}).find("[0, 0] is empty"),
            std::string::npos);
  EXPECT_NE(ErrorOf<DataError>(Case{.rows = 3}).find("[3, 0] is empty"),
            std::string::npos);
  EXPECT_NE(ErrorOf<DataError>(Case{.rows = -1, .classes = 2}).find("empty"),
            std::string::npos);
}

TEST(Evaluate, BadGroupsAndDefinitionsAreErrors) {
  EXPECT_EQ(ErrorOf<ConfigError>(Small(), {{"head", {2}}}),
            "group 'head' names class 2; there are classes 0 to 1");
  EXPECT_EQ(ErrorOf<ConfigError>(Small(), {{"head", {1, 1}}}),
            "group 'head' names class 1 twice");
  EXPECT_NE(ErrorOf<ConfigError>(Small(), {{"total", {0}}}), "");
  EXPECT_NE(ErrorOf<ConfigError>(Small(), {{"a", {0}}, {"a", {1}}}), "");
  EXPECT_NE(ErrorOf<ConfigError>(Small(), {{"", {0}}}), "");
  EXPECT_NE(ErrorOf<ConfigError>(Small(), {}, {}), "");
  EXPECT_NE(
      ErrorOf<ConfigError>(Small(), {},
                           {{.family = ApFamily::kStep, .ties = Ties::kBest}}),
      "");
}

TEST(Arrays, WhatIsNoMatrixOfScoresOrBitsIsRefused) {
  const auto error = [](auto call) -> std::string {
    try {
      call();
    } catch (const DataError& e) {
      return e.what();
    }
    return "";
  };
  const NpyArray ints{
      .dtype = DType::kInt32, .shape = {1, 1}, .bytes = std::string(4, '\0')};
  EXPECT_EQ(error([&] { ScoresFromNpy(ints, "s.npy"); }),
            "s.npy: scores must be float16, float32 or float64, found int32");
  const NpyArray flat{
      .dtype = DType::kFloat32, .shape = {2}, .bytes = std::string(8, '\0')};
  EXPECT_EQ(error([&] { ScoresFromNpy(flat, "s.npy"); }),
            "s.npy: scores must be [images, classes], found [2]");
  const NpyArray bits{
      .dtype = DType::kUint8, .shape = {1, 2}, .bytes = std::string("\0\3", 2)};
  EXPECT_EQ(error([&] { BitsFromNpy(bits, 1, 2, "l.npy"); }),
            "l.npy: row 0, class 1 is 3; expected 0 or 1");
  EXPECT_EQ(error([&] { BitsFromNpy(bits, 2, 1, "l.npy"); }),
            "l.npy: expected the shape of the scores, [2, 1], found [1, 2]");
  EXPECT_EQ(error([&] { BitsFromNpy(flat, 2, 1, "l.npy"); }),
            "l.npy: expected uint8 or bool, found float32");
  const NpyArray mask{
      .dtype = DType::kBool, .shape = {1, 2}, .bytes = std::string("\1\0", 2)};
  EXPECT_EQ(BitsFromNpy(mask, 1, 2, "k.npy"),
            (std::vector<std::uint8_t>{1, 0}));
}

}  // namespace
}  // namespace tailmark::testing
