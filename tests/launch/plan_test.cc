#include "harness/launch/plan.h"

#include <gtest/gtest.h>

#include <set>

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

TEST(Plan, OptionsMaySpareAMethodItsCaptions) {
  Recipe recipe = SampleRecipe();
  recipe.methods = {{.use = "captioner", .name = "captioner", .seeds = {0}}};
  recipe.methods[0].options["act"] = {Json("mute"), {"c.json", {}}};
  const Plan plan = MakeSamplePlan(recipe);
  EXPECT_EQ(plan.tasks[0].state, RunState::kPlanned) << plan.tasks[0].reason;
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

MethodUse StagedUse(const std::string& name, const char* options = "{}") {
  MethodUse use{.use = "staged", .name = name, .seeds = {0}};
  const Json json = Json::parse(options);
  for (const auto& [key, value] : json.items()) {
    use.options[key] = {value, {"c.json", {}}};
  }
  return use;
}

Recipe StagedRecipe() {
  Recipe recipe = SampleRecipe();
  recipe.methods = {StagedUse("full", R"({"teachers": 2})"),
                    StagedUse("light", R"({"teachers": 2, "weight": 0.5})")};
  return recipe;
}

const PlanTask& Named(const Plan& plan, const std::string& label) {
  for (const PlanTask& task : plan.tasks) {
    if (task.label == label) return task;
  }
  throw std::out_of_range(label);
}

TEST(PlanNeeds, WhatARunStartsFromIsPlannedOnceBeforeIt) {
  const Plan plan = MakeSamplePlan(StagedRecipe());
  // A teacher is a stage 2 without teachers, and starts from the same stage 1.
  EXPECT_EQ(Labels(plan),
            (std::vector<std::string>{
                "full: stage1/set/0", "full: teacher-0/set/0",
                "full: teacher-1/set/0", "full/set/0", "light/set/0"}));
  const PlanTask& full = Named(plan, "full");
  ASSERT_EQ(full.spec.identity.needs.size(), 3u);
  EXPECT_EQ(full.spec.identity.needs[0].key, plan.tasks[0].key);
  EXPECT_EQ(full.spec.identity.needs[2].role, "teacher-1");
  EXPECT_EQ(full.spec.identity.needs[2].key, plan.tasks[2].key);
  EXPECT_EQ(plan.tasks[2].spec.identity.needs[0].key, plan.tasks[0].key);
  EXPECT_TRUE(full.row());
  EXPECT_FALSE(full.spec.place.keep_state);
  for (int i = 0; i < 3; ++i) {
    const PlanTask& task = plan.tasks[static_cast<std::size_t>(i)];
    EXPECT_FALSE(task.row());
    EXPECT_TRUE(task.spec.place.keep_state);
    EXPECT_EQ(task.spec.identity.scores, i == 0);
  }
  EXPECT_EQ(plan.tasks[1].origins.at("part"), "needed as teacher-0");
}

TEST(PlanNeeds, ADependencyThatTheRecipeNamesIsOneTaskAndARow) {
  for (const bool first : {true, false}) {
    Recipe recipe = SampleRecipe();
    recipe.methods = {StagedUse("full"), StagedUse("half", R"({"stage": 1})")};
    if (first) std::swap(recipe.methods[0], recipe.methods[1]);
    const Plan plan = MakeSamplePlan(recipe);
    ASSERT_EQ(plan.tasks.size(), 2u) << first;
    EXPECT_EQ(plan.tasks[0].label, recipe.methods[0].name);
    const PlanTask& half = Named(plan, "half");
    EXPECT_TRUE(half.row());
    EXPECT_TRUE(half.spec.place.keep_state);
    EXPECT_EQ(Named(plan, "full").spec.identity.needs[0].key, half.key);
    EXPECT_TRUE(plan.notes.empty());
  }
}

TEST(PlanNeeds, SeedsOfARunWithNeedsShareTheirRecipe) {
  Recipe recipe = StagedRecipe();
  recipe.methods.resize(1);
  recipe.methods[0].seeds = {0, 1};
  const Plan plan = MakeSamplePlan(recipe);
  ASSERT_EQ(plan.tasks.size(), 8u);
  EXPECT_EQ(plan.tasks[3].recipe, plan.tasks[7].recipe);
  EXPECT_NE(plan.tasks[3].spec.identity.needs[0].key,
            plan.tasks[7].spec.identity.needs[0].key);
}

TEST(PlanNeeds, ACircleIsRefused) {
  Recipe recipe = SampleRecipe();
  recipe.methods = {{.use = "circle", .name = "circle", .seeds = {0}}};
  EXPECT_THROW(MakeSamplePlan(recipe), ConfigError);
}

TEST(PlanNeeds, WithoutDataNothingIsPlannedForWhatIsSkipped) {
  Recipe recipe = StagedRecipe();
  recipe.datasets = {{.use = "absent", .name = "absent"}};
  const Plan plan = MakeSamplePlan(recipe);
  ASSERT_EQ(plan.tasks.size(), 2u);
  EXPECT_EQ(plan.tasks[0].state, RunState::kSkipped);
}

TEST(PlanNeeds, ComeBackFromTheFileAndEditedOnesAreRefused) {
  Json json = ToJson(MakeSamplePlan(StagedRecipe()));
  EXPECT_EQ(ToJson(PlanFromJson(json)), json);
  EXPECT_EQ(json["tasks"][3]["after"].size(), 3u);
  json["tasks"][3]["after"][0] = "another";
  EXPECT_THROW(PlanFromJson(json), DataError);
}

/// States by label when the store has `stored` (label -> has its state) under
/// `build`.
std::map<std::string, RunState> Marked(
    Reuse reuse, const std::map<std::string, bool>& stored,
    const std::string& build = "build") {
  Plan plan = MakeSamplePlan(StagedRecipe());
  const auto look = [&](const PlanTask& task) -> std::optional<StoredRun> {
    const auto it = stored.find(task.label);
    if (it == stored.end()) return std::nullopt;
    return StoredRun{.build = build,
                     .reason = {},
                     .has_state = [has = it->second] { return has; }};
  };
  const auto none = [](const PlanTask&) { return std::nullopt; };
  if (build == "build") {
    MarkReused(plan, reuse, {}, look, none);
  } else {
    MarkReused(plan, reuse, {}, none, look);
  }
  std::map<std::string, RunState> states;
  for (const PlanTask& task : plan.tasks) {
    states[task.label] = task.state;
    EXPECT_EQ(task.key, RunKey(task.spec));
  }
  return states;
}

TEST(PlanNeeds, WhatOnlyFinishedRunsStartFromIsNotRun) {
  const auto states =
      Marked(Reuse::kSameBuild, {{"full", false}, {"light", false}});
  for (const auto& [label, state] : states) {
    EXPECT_EQ(state, RunState::kDone) << label;
  }
}

TEST(PlanNeeds, AFinishedRunWithoutItsStateIsMadeAgainForWhatStartsFromIt) {
  auto states = Marked(
      Reuse::kSameBuild,
      {{"full", false}, {"full: stage1", false}, {"full: teacher-0", true}});
  EXPECT_EQ(states["full"], RunState::kDone);
  EXPECT_EQ(states["light"], RunState::kPlanned);
  EXPECT_EQ(states["full: teacher-0"], RunState::kDone);
  EXPECT_EQ(states["full: teacher-1"], RunState::kPlanned);
  EXPECT_EQ(states["full: stage1"], RunState::kPlanned);
}

TEST(PlanNeeds, StatesAreLookedAtOnlyWhereSomethingStartsFromThem) {
  Plan plan = MakeSamplePlan(StagedRecipe());
  std::set<std::string> asked;
  MarkReused(
      plan, Reuse::kSameBuild, {},
      [&](const PlanTask& task) -> std::optional<StoredRun> {
        if (task.label == "light") return std::nullopt;
        return StoredRun{.build = "build",
                         .reason = {},
                         .has_state = [&, label = task.label] {
                           return asked.insert(label).second;
                         }};
      },
      [](const PlanTask&) { return std::nullopt; });
  EXPECT_FALSE(asked.empty());
  EXPECT_FALSE(asked.contains("full"));
}

TEST(PlanNeeds, NothingStartsFromARunOfAnotherBuild) {
  auto states = Marked(
      Reuse::kSameRecipe,
      {{"full", false}, {"full: stage1", true}, {"full: teacher-0", true}},
      "older");
  EXPECT_EQ(states["full"], RunState::kDone);
  EXPECT_EQ(states["light"], RunState::kPlanned);
  EXPECT_EQ(states["full: stage1"], RunState::kPlanned);
  EXPECT_EQ(states["full: teacher-0"], RunState::kPlanned);
}

TEST(Plan, TheRuleOfSelectionIsPartOfTheRecipeOfWhatTrains) {
  Recipe recipe = TwoMethods();
  const Plan last = MakeSamplePlan(recipe);
  recipe.protocol = {.selection = "validation", .validation = 0.2};
  const Plan held = MakeSamplePlan(recipe);
  EXPECT_EQ(held.tasks[1].spec.identity.selection, "validation");
  EXPECT_EQ(held.tasks[1].spec.identity.validation, 0.2);
  EXPECT_NE(held.tasks[1].recipe, last.tasks[1].recipe);
}

TEST(Plan, AMethodThatCannotDoThePrecisionIsNotApplicable) {
  Recipe recipe = TwoMethods();
  recipe.numerics.precision = "fp16-state";
  const Plan plan = MakeSamplePlan(recipe);
  EXPECT_EQ(plan.tasks[0].state, RunState::kNotApplicable);
  EXPECT_EQ(plan.tasks[0].reason, "prior cannot compute in fp16-state");
}

TEST(Plan, ARunThatAsksForTestScoresIsBranded) {
  Recipe recipe = SampleRecipe();
  recipe.methods = {{.use = "driven", .name = "driven", .seeds = {0}}};
  const Plan plan = MakeSamplePlan(recipe);
  EXPECT_EQ(plan.tasks[0].spec.tags,
            std::vector<std::string>{std::string(kFeedbackTag)});
}

TEST(Plan, EpisodesHaveNoImageToSpareForValidation) {
  Recipe recipe = TwoMethods();
  recipe.datasets = {{.use = "episodes", .name = "episodes"}};
  const Plan plan = MakeSamplePlan(recipe);
  EXPECT_EQ(plan.tasks[0].state, RunState::kPlanned);
  EXPECT_EQ(plan.tasks[0].spec.identity.episodes_sha256, "e");
  recipe.protocol.selection = "best_on_test";
  EXPECT_EQ(MakeSamplePlan(recipe).tasks[1].state, RunState::kPlanned);
  EXPECT_EQ(MakeSamplePlan(recipe).tasks[1].spec.identity.selection,
            "best_on_test");
  recipe.protocol = {.selection = "validation", .validation = 0.2};
  EXPECT_EQ(MakeSamplePlan(recipe).tasks[0].state, RunState::kNotApplicable);
}

TEST(Plan, AMethodMayHaveARuleOfItsOwn) {
  Recipe recipe = TwoMethods();
  const Plan plain = MakeSamplePlan(recipe);
  recipe.methods[1].selection = "best_on_test";
  recipe.methods[1].selection_every = 10;
  const Plan plan = MakeSamplePlan(recipe);
  EXPECT_EQ(plan.tasks[0].spec.identity.selection, "last");
  EXPECT_EQ(plan.tasks[1].spec.identity.selection, "best_on_test");
  EXPECT_EQ(plan.tasks[1].spec.identity.selection_every, 10);
  EXPECT_EQ(plan.tasks[0].key, plain.tasks[0].key);
  EXPECT_NE(plan.tasks[1].key, plain.tasks[1].key);
  // Each in its own place: the protocol's rule is for the others.
  recipe.protocol.selection = "best_on_test";
  recipe.methods[1].selection = "last";
  recipe.methods[1].selection_every = 1;
  EXPECT_EQ(MakeSamplePlan(recipe).tasks[1].key, plain.tasks[1].key);
  EXPECT_NE(MakeSamplePlan(recipe).tasks[0].key, plain.tasks[0].key);
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
