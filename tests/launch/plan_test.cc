#include "harness/launch/plan.h"

#include <gtest/gtest.h>

#include "harness/base/error.h"
#include "tests/launch/sample_plan.h"

namespace tailmark {
namespace {

std::vector<std::string> Labels(const Plan& plan) {
  std::vector<std::string> labels;
  for (const PlanTask& task : plan.tasks) {
    labels.push_back(StrCat(task.label, "/", task.spec.identity.dataset, "/",
                            task.spec.seed));
  }
  return labels;
}

Recipe TwoMethods() {
  Recipe recipe = SampleRecipe();
  recipe.methods = {{.use = "prior", .name = "prior", .seeds = {0}},
                    {.use = "probe", .name = "probe", .seeds = {0, 1}}};
  return recipe;
}

TEST(Plan, IsDataSetsTimesMethodsTimesGridTimesSeeds) {
  Recipe recipe = TwoMethods();
  recipe.methods[1].options["lr"] = {Json::parse("[0.1, 0.2]"), {"c.json", {}}};
  const Plan plan = MakeSamplePlan(recipe);
  EXPECT_EQ(Labels(plan),
            (std::vector<std::string>{
                "prior/set/0", "probe lr=0.1/set/0", "probe lr=0.1/set/1",
                "probe lr=0.2/set/0", "probe lr=0.2/set/1"}));
  EXPECT_EQ(plan.tasks[1].recipe, plan.tasks[2].recipe);
  EXPECT_NE(plan.tasks[1].key, plan.tasks[2].key);
  EXPECT_NE(plan.tasks[1].recipe, plan.tasks[3].recipe);
  EXPECT_EQ(plan.tasks[1].origins.at("lr"), "c.json");
}

TEST(Plan, AMethodThatLooksAtNoImageDoesNotDependOnWeights) {
  Recipe recipe = TwoMethods();
  const Plan before = MakeSamplePlan(recipe);
  recipe.weights = "others";
  const Plan after = MakeSamplePlan(recipe);
  EXPECT_EQ(before.tasks[0].key, after.tasks[0].key);
  EXPECT_NE(before.tasks[1].key, after.tasks[1].key);
  EXPECT_EQ(before.tasks[0].spec.identity.pipeline, "");
  EXPECT_EQ(before.tasks[1].spec.identity.pipeline, "clip-32");
}

TEST(Plan, WithoutWeightsWhatLooksAtImagesIsRefused) {
  Recipe recipe = TwoMethods();
  recipe.weights.clear();
  EXPECT_THROW(MakeSamplePlan(recipe), ConfigError);
  recipe.methods.pop_back();
  EXPECT_EQ(MakeSamplePlan(recipe).tasks.size(), 1u);
}

TEST(Plan, ADataSetWhoseFilesAreAbsentIsSkippedWithItsReason) {
  Recipe recipe = TwoMethods();
  recipe.datasets = {{.use = "set", .name = "set"},
                     {.use = "absent", .name = "absent"}};
  const Plan plan = MakeSamplePlan(recipe);
  ASSERT_EQ(plan.tasks.size(), 6u);
  EXPECT_EQ(plan.tasks[2].state, RunState::kPlanned);
  EXPECT_EQ(plan.tasks[3].state, RunState::kSkipped);
  EXPECT_EQ(plan.tasks[3].reason, "no files in /absent");
}

TEST(Plan, AMethodThatNeedsCaptionsIsNotApplicableWithoutThem) {
  Recipe recipe = SampleRecipe();
  recipe.methods = {{.use = "captioner", .name = "captioner", .seeds = {0}}};
  const Plan plan = MakeSamplePlan(recipe);
  EXPECT_EQ(plan.tasks[0].state, RunState::kNotApplicable);
  EXPECT_EQ(plan.tasks[0].reason,
            "captioner needs captions, which set does not have");
}

TEST(Plan, AMethodThatTrainsIsNotApplicableWithoutTrainingImages) {
  Recipe recipe = TwoMethods();
  recipe.datasets = {{.use = "untrained", .name = "untrained"}};
  const Plan plan = MakeSamplePlan(recipe);
  EXPECT_EQ(plan.tasks[0].state, RunState::kNotApplicable);
  EXPECT_EQ(plan.tasks[0].reason,
            "prior trains, and untrained has no training images");
}

TEST(Plan, ADataSetKeepsTheNameThatTheRecipeGivesIt) {
  Recipe recipe = TwoMethods();
  recipe.datasets = {{.use = "set", .name = "mine"}};
  EXPECT_EQ(MakeSamplePlan(recipe).tasks[0].spec.identity.dataset, "set:mine");
}

TEST(Plan, ARunThatTheRecipeNamesTwiceIsPlannedOnceWithANote) {
  Recipe recipe = SampleRecipe();
  recipe.methods = {{.use = "probe", .name = "a", .seeds = {0}},
                    {.use = "probe", .name = "b", .seeds = {0}}};
  const Plan plan = MakeSamplePlan(recipe);
  EXPECT_EQ(plan.tasks.size(), 1u);
  EXPECT_EQ(plan.notes,
            std::vector<std::string>{"b, seed 0: the recipe names this run "
                                     "twice"});
}

TEST(Plan, ALimitBrandsTheRunAndChangesItsRecipe) {
  Recipe recipe = TwoMethods();
  const Plan whole = MakeSamplePlan(recipe);
  recipe.limit = 5;
  const Plan partial = MakeSamplePlan(recipe);
  EXPECT_EQ(partial.tasks[0].spec.tags, std::vector<std::string>{"partial"});
  EXPECT_NE(partial.tasks[0].recipe, whole.tasks[0].recipe);
}

TEST(Plan, ComesBackFromItsFileAndAnEditedOneIsRefused) {
  const Plan plan = MakeSamplePlan(TwoMethods());
  Json json = ToJson(plan);
  EXPECT_EQ(ToJson(PlanFromJson(json)), json);
  json["tasks"][1]["spec"]["seed"] = 5;
  EXPECT_THROW(PlanFromJson(json), DataError);
}

TEST(Plan, UnknownNamesAreRefusedWithTheNearest) {
  Recipe recipe = SampleRecipe();
  recipe.methods = {{.use = "prob", .name = "prob", .seeds = {0}}};
  EXPECT_THROW(MakeSamplePlan(recipe), ConfigError);
  EXPECT_THROW(ReuseFromName("same"), ConfigError);
  EXPECT_THROW(RerunFromText("failed,misssing"), ConfigError);
  for (const char* device : {"", "gpu", "cuda:", "cuda:x", "cpu:0"}) {
    EXPECT_THROW(DeviceType(device), ConfigError) << device;
  }
  EXPECT_EQ(DeviceType("cuda:12"), "cuda");
}

class Reused : public ::testing::Test {
 protected:
  /// State and key of the only task when the store has `same` for its key and
  /// `other` for its recipe.
  PlanTask Mark(Reuse reuse, const Rerun& rerun, std::optional<RunState> same,
                std::optional<RunState> other) {
    Recipe recipe = SampleRecipe();
    recipe.methods = {{.use = "probe", .name = "probe", .seeds = {0}}};
    Plan plan = MakeSamplePlan(recipe);
    key_ = plan.tasks[0].key;
    const auto stored = [](std::optional<RunState> state, const char* build) {
      return [state, build](const PlanTask&) -> std::optional<StoredRun> {
        if (!state) return std::nullopt;
        return StoredRun{.state = *state, .build = build, .reason = "why"};
      };
    };
    MarkReused(plan, reuse, rerun, stored(same, "build"),
               stored(other, "older"));
    return plan.tasks[0];
  }
  std::string key_;
};

TEST_F(Reused, TheSameKeyIsTakenUnlessNothingIs) {
  EXPECT_EQ(Mark(Reuse::kSameBuild, {}, RunState::kDone, {}).state,
            RunState::kDone);
  EXPECT_EQ(Mark(Reuse::kNone, {}, RunState::kDone, {}).state,
            RunState::kPlanned);
}

TEST_F(Reused, AnotherBuildsRunIsTakenOnlyWhenAskedAndKeepsItsKey) {
  EXPECT_EQ(Mark(Reuse::kSameBuild, {}, {}, RunState::kDone).state,
            RunState::kPlanned);
  const PlanTask task = Mark(Reuse::kSameRecipe, {}, {}, RunState::kDone);
  EXPECT_EQ(task.state, RunState::kDone);
  EXPECT_EQ(task.spec.build, "older");
  EXPECT_NE(task.key, key_);
  EXPECT_EQ(task.key, RunKey(task.spec));
}

TEST_F(Reused, StaleRunsAreMadeAgainWhenAsked) {
  const Rerun stale{.failed = false, .missing = false, .stale = true};
  EXPECT_EQ(Mark(Reuse::kSameRecipe, stale, {}, RunState::kDone).state,
            RunState::kPlanned);
  EXPECT_EQ(Mark(Reuse::kSameRecipe, stale, RunState::kDone, {}).state,
            RunState::kDone);
}

TEST_F(Reused, FailedAndMissingRunsAreRunAgainUnlessLeftOut) {
  const Rerun failed{.failed = true, .missing = false, .stale = false};
  const Rerun missing{.failed = false, .missing = true, .stale = false};
  EXPECT_EQ(Mark(Reuse::kSameBuild, {}, RunState::kOom, {}).state,
            RunState::kPlanned);
  EXPECT_EQ(Mark(Reuse::kSameBuild, failed, RunState::kOom, {}).state,
            RunState::kPlanned);
  EXPECT_EQ(Mark(Reuse::kSameBuild, missing, RunState::kOom, {}).state,
            RunState::kSkipped);
  EXPECT_EQ(Mark(Reuse::kSameBuild, failed, {}, {}).state, RunState::kSkipped);
  EXPECT_EQ(Mark(Reuse::kSameBuild, missing, {}, {}).state, RunState::kPlanned);
}

}  // namespace
}  // namespace tailmark
