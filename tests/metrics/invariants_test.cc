#include "harness/metrics/invariants.h"

#include <gtest/gtest.h>

#include "tests/metrics/cases.h"

namespace tailmark::testing {
namespace {

// Two classes without ties, one positive in class 1, in two groups.
Evaluation Sound() {
  const Case problem{.rows = 4,
                     .classes = 3,
                     .scores = {1, 9, 5, 2, 8, 5, 3, 7, 5, 4, 6, 5},
                     .positive = {0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 0, 0}};
  const std::vector<ClassGroup> groups = {{"head", {0, 2}}, {"tail", {1}}};
  std::vector<Definition> all;
  for (const auto& info : KnownDefinitions()) {
    all.push_back(ParseDefinition(info.name));
  }
  return Evaluate(problem.view(), problem.labels(), groups, all);
}

DefinitionResult& Result(Evaluation& evaluation, const char* id) {
  for (auto& result : evaluation.results) {
    if (result.definition == ParseDefinition(id)) return result;
  }
  throw std::logic_error("no such result");
}

std::string AllOf(const std::vector<std::string>& violations) {
  std::string text;
  for (const auto& each : violations) text += each + "\n";
  return text;
}

TEST(Invariants, ASoundEvaluationBreaksNone) {
  EXPECT_EQ(AllOf(Violations(Sound())), "");
}

struct Lie {
  const char* name;
  void (*tell)(Evaluation&);
  const char* says;
};
void PrintTo(const Lie& lie, std::ostream* out) { *out << lie.name; }
class ALie : public ::testing::TestWithParam<Lie> {};

TEST_P(ALie, IsFoundAndNamed) {
  Evaluation evaluation = Sound();
  GetParam().tell(evaluation);
  const auto text = AllOf(Violations(evaluation));
  EXPECT_NE(text.find(GetParam().says), std::string::npos) << "found: " << text;
}

INSTANTIATE_TEST_SUITE_P(
    , ALie,
    ::testing::Values(
        Lie{"ApAboveOne",
            [](Evaluation& e) { Result(e, "ap.voc07").ap[0] = 1.01; },
            "AP 1.01 is not in [0, 1]"},
        Lie{"ApNegative",
            [](Evaluation& e) { Result(e, "ap.voc07").ap[0] = -0.5; },
            "is not in [0, 1]"},
        Lie{"BelowAllLast",
            [](Evaluation& e) { Result(e, "ap.step").ap[0] = 0.1; },
            "all positives at the end"},
        Lie{"StepAboveTheEnvelope",
            [](Evaluation& e) { Result(e, "ap.step").ap[2] = 0.99; },
            "exceeds ap.voc10"},
        Lie{"BestBelowExpected",
            [](Evaluation& e) { Result(e, "ap.rank/ties=best").ap[2] = 0.5; },
            "exceeds ap.rank/ties=best"},
        Lie{"WorstAboveStep",
            [](Evaluation& e) { Result(e, "ap.rank/ties=worst").ap[2] = 0.9; },
            "exceeds ap.step"},
        Lie{"RankIsNotStepWithoutTies",
            [](Evaluation& e) { Result(e, "ap.rank").ap[0] = 0.75; },
            "no scores are equal"},
        Lie{"OnePositiveIsNoRank",
            [](Evaluation& e) { Result(e, "ap.rank").ap[1] = 0.4; },
            "AP is 1/rank, not 0.4"},
        Lie{"MissingValue",
            [](Evaluation& e) { Result(e, "ap.voc10").ap[0].reset(); },
            "has positives but no value"},
        Lie{"ValueWithoutPositives",
            [](Evaluation& e) {
              Result(e, "ap.voc10").counts[1] = {0, 4, 0};
            },
            "no positive image, yet AP is"},
        Lie{"CountsDoNotAddUp",
            [](Evaluation& e) { Result(e, "ap.step").counts[0].ignored = 1; },
            "do not add up to 4 images"},
        Lie{"AllPositiveButNotOne",
            [](Evaluation& e) {
              Result(e, "ap.voc07").counts[0] = {4, 0, 0};
            },
            "every image is positive"},
        Lie{"TotalIsNotTheMean",
            [](Evaluation& e) {
              auto& total = Result(e, "ap.step").means[0];
              total.percent = *total.percent + 0.001;
            },
            "is not the mean of its classes"},
        Lie{"GroupsDoNotAverageToTheTotal",
            [](Evaluation& e) {
              auto& tail = Result(e, "ap.step").means[2];
              tail.percent = *tail.percent + 0.001;
            },
            "the groups average to"},
        Lie{"WrongNumberOfClasses",
            [](Evaluation& e) { ++Result(e, "ap.step").means[1].classes; },
            "have a value, not 3"},
        Lie{"MissingClass",
            [](Evaluation& e) { Result(e, "ap.step").ap.pop_back(); },
            "not one entry a class"}),
    [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace tailmark::testing
