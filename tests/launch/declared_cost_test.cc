#include "harness/launch/declared_cost.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/launch/sample_plan.h"

namespace tailmark {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::Pair;

const FieldTable kFields = {{.name = "epochs",
                             .type = OptionType::kInt,
                             .default_value = std::int64_t{3}},
                            {.name = "batch_size",
                             .type = OptionType::kInt,
                             .default_value = std::int64_t{4}},
                            {.name = "train",
                             .type = OptionType::kString,
                             .default_value = std::string("head")}};

OptionMap Options(const OptionMap& given = {}) {
  return ResolveOptions(kFields, given);
}

/// Towers of which a pass takes a core a second, and a half.
CostFacts Facts() {
  CostFacts facts{.train_images = 10, .test_images = 6, .classes = 5};
  facts.encoder.image = {
      .width = 100, .numbers = 25e6, .tokens = 50, .flops = 85e9, .saved = 1e6};
  facts.encoder.text = {.width = 300, .flops = 63.75e9, .saved = 1e3};
  facts.encoder.pixels = 224;
  return facts;
}

/// Seconds of `term` alone, without what every run takes.
double Seconds(const CostTerm& term, const CostFacts& facts,
               const OptionMap& options = Options()) {
  const Cost nothing{.epochs = {{.option = "epochs"}}, .batch = "batch_size"};
  Cost one = nothing;
  one.work = {term};
  return Reckon(one, kFields, options, facts).seconds -
         Reckon(nothing, kFields, options, facts).seconds;
}

TEST(DeclaredCost, IsAmountTimesUnitTimesFactors) {
  EXPECT_NEAR(Seconds({.unit = CostUnit::kImage}, Facts()), 1, 1e-9);
  EXPECT_NEAR(Seconds({.unit = CostUnit::kImageToken}, Facts()), 0.02, 1e-9);
  EXPECT_NEAR(Seconds({.unit = CostUnit::kTextToken}, Facts()), 0.5, 1e-9);
  EXPECT_NEAR(Seconds({.unit = CostUnit::kPicture}, Facts()), 1.7e-3, 1e-9);
  EXPECT_NEAR(Seconds({.unit = CostUnit::kImageTower}, Facts()), 0.1, 1e-9);
  EXPECT_NEAR(Seconds({.amount = 2}, Facts()), 2, 1e-9);
  EXPECT_NEAR(Seconds({.unit = CostUnit::kImage,
                       .amount = 2,
                       .times = {"train_images", "epochs", "classes"}},
                      Facts()),
              2 * 10 * 3 * 5, 1e-9);
  EXPECT_NEAR(Seconds({.times = {"batch_size"}}, Facts()), 4, 1e-9);
}

TEST(DeclaredCost, CountsStepsWithTheLastBatchThatIsNotFull) {
  EXPECT_NEAR(Seconds({.times = {"steps"}}, Facts()), 3 * 3, 1e-9);
  EXPECT_NEAR(Seconds({.times = {"batch"}}, Facts()), 4, 1e-9);
  const OptionMap large = Options({{"batch_size", std::int64_t{64}}});
  EXPECT_NEAR(Seconds({.times = {"steps"}}, Facts(), large), 3, 1e-9);
  EXPECT_NEAR(Seconds({.times = {"batch"}}, Facts(), large), 10, 1e-9);
}

TEST(DeclaredCost, LeavesOutWhatTheOptionsDoNotDo) {
  const CostTerm tower{.when = {{"train", std::string("all")}}};
  EXPECT_EQ(Seconds(tower, Facts()), 0);
  EXPECT_NEAR(Seconds(tower, Facts(), Options({{"train", std::string("all")}})),
              1, 1e-9);
}

TEST(DeclaredCost, TestImagesAreScoredAsOftenAsTheSelectionLooks) {
  const CostTerm test{.times = {"test_images"}};
  CostFacts facts = Facts();
  EXPECT_NEAR(Seconds(test, facts), 6, 1e-9);
  facts.scored_every = 2;  // After 2 and 3 epochs, and at the end.
  EXPECT_NEAR(Seconds(test, facts), 18, 1e-9);
  facts.scored_every = 0;
  facts.scores = false;  // A task that leaves its state alone.
  EXPECT_EQ(Seconds(test, facts), 0);
}

TEST(DeclaredCost, OfEpisodesIsThatOfEachAndOfTheBaseClassesOnce) {
  CostFacts facts = Facts();
  const CostTerm base{.times = {"train_images"}, .once = true};
  EXPECT_EQ(Seconds(base, facts), 0);
  facts.episodes = 7;
  facts.base_images = 100;
  EXPECT_NEAR(Seconds(base, facts), 100, 1e-9);
  EXPECT_NEAR(Seconds({.times = {"train_images"}}, facts), 7 * 10, 1e-9);
  EXPECT_NEAR(Seconds({.times = {"test_images"}}, facts), 7 * 6, 1e-9);
}

TEST(DeclaredCost, MoreThreadsAndAGpuAreFaster) {
  const CostTerm image{.unit = CostUnit::kImage};
  CostFacts facts = Facts();
  facts.threads = 2;
  EXPECT_NEAR(Seconds(image, facts), 0.5, 1e-9);
  facts.device_type = "cuda";
  const double plain = Seconds(image, facts);
  EXPECT_LT(plain, 0.1);
  facts.tf32 = true;
  const double tf32 = Seconds(image, facts);
  EXPECT_LT(tf32, plain);
  facts.precision = "bf16";
  EXPECT_LT(Seconds(image, facts), tf32);
}

TEST(DeclaredCost, WhatIsSharedStandsApartAndIsDoneOnce) {
  const Cost cost{
      .epochs = {{.option = "epochs"}},
      .shared = {{.name = "train", .terms = {{.times = {"train_images"}}}},
                 {.name = "test",
                  .terms = {{.times = {"test_images"}}, {.amount = 0.5}}},
                 {.name = "never",
                  .terms = {{.when = {{"train", std::string("all")}}}}}}};
  CostFacts facts = Facts();
  facts.scored_every = 1;
  facts.episodes = 3;
  const DeclaredCost found = Reckon(cost, kFields, Options(), facts);
  EXPECT_THAT(found.shared, ElementsAre(Pair("test", DoubleNear(6.5, 1e-9)),
                                        Pair("train", DoubleNear(30, 1e-9))));
  EXPECT_LT(found.seconds, 1);
}

TEST(DeclaredCost, MemoryIsOfTheProcessOrOfTheGpu) {
  const Cost cost{.batch = "batch_size",
                  .memory = {{.unit = CostUnit::kImage, .times = {"batch"}},
                             {.unit = CostUnit::kTextToken, .amount = 8},
                             {.unit = CostUnit::kImageTower, .amount = 3}}};
  CostFacts facts = Facts();
  const std::int64_t towers = 4 * 25'000'000;
  const std::int64_t declared = 4 * 1'000'000 + 8 * 1'000 + 3 * towers;
  const DeclaredCost cpu = Reckon(cost, kFields, Options(), facts);
  EXPECT_EQ(cpu.rss_bytes, 200'000'000 + towers + declared);
  EXPECT_EQ(cpu.gpu_bytes, 0);
  facts.device_type = "cuda";
  const DeclaredCost gpu = Reckon(cost, kFields, Options(), facts);
  EXPECT_EQ(gpu.gpu_bytes, 600'000'000 + (towers + declared) * 5 / 4);
  EXPECT_EQ(gpu.rss_bytes, 2'000'000'000);
}

// ---- In a plan --------------------------------------------------------------

Recipe Declaring(const std::vector<std::uint64_t>& seeds) {
  Recipe recipe = SampleRecipe();
  recipe.methods = {{.use = "declares", .name = "declares", .seeds = seeds},
                    {.use = "prior", .name = "prior", .seeds = {0}}};
  return recipe;
}

TEST(DeclaredCost, StandsInAPlanWhereNothingIsRecorded) {
  const Plan plan = MakeSamplePlan(Declaring({0}));
  ASSERT_EQ(plan.tasks.size(), 2u);
  EXPECT_NEAR(plan.tasks[0].estimate_s.value(), 9 * 3 + 9 + 0.3, 0.01);
  EXPECT_EQ(plan.tasks[0].estimate_from, "declared");
  EXPECT_EQ(plan.tasks[0].rss_bytes, 200'001'000);
  EXPECT_EQ(plan.tasks[0].memory_from, "declared");
  EXPECT_FALSE(plan.tasks[1].estimate_s);
  EXPECT_EQ(OriginWord(plan.tasks[1].estimate_from), "unknown");
  EXPECT_EQ(CostOf(plan.tasks),
            "2 to run, about 36 s of one worker (1 declared) and 1 of unknown "
            "time");
}

TEST(DeclaredCost, GivesWayToWhatIsRecorded) {
  PlannedCost known{.seconds = 5, .rss_bytes = 77};
  const auto with = [&](const RunSpec& spec) -> std::optional<PlannedCost> {
    return spec.seed == 1 ? std::optional(known) : std::nullopt;
  };
  Plan plan = MakeSamplePlan(Declaring({0, 1}), with);
  EXPECT_EQ(plan.tasks[0].estimate_from, "declared");
  EXPECT_EQ(plan.tasks[1].estimate_s, 5.0);
  EXPECT_EQ(plan.tasks[1].estimate_from, "recorded");
  EXPECT_EQ(plan.tasks[1].rss_bytes, 77);
  EXPECT_EQ(plan.tasks[1].memory_from, "recorded");
  EXPECT_EQ(CostOf(plan.tasks),
            "3 to run, about 41 s of one worker (1 recorded, 1 declared) and 1 "
            "of unknown time");
  known.rss_bytes = 0;  // Time alone was recorded.
  plan = MakeSamplePlan(Declaring({0, 1}), with);
  EXPECT_EQ(plan.tasks[1].estimate_from, "recorded");
  EXPECT_EQ(plan.tasks[1].memory_from, "declared");
}

TEST(DeclaredCost, OfFeaturesFallsToTheFirstOfThoseThatShareThem) {
  const Plan plan = MakeSamplePlan(Declaring({0, 1, 2}));
  EXPECT_NEAR(*plan.tasks[0].estimate_s - *plan.tasks[1].estimate_s, 9, 0.01);
  EXPECT_EQ(plan.tasks[1].estimate_s, plan.tasks[2].estimate_s);
}

TEST(DeclaredCost, MemoryIsNotBeyondTheLimitThatTheRecipeGives) {
  Recipe recipe = Declaring({0});
  recipe.methods[0].limits.rss_bytes = 1000;
  recipe.methods[1].limits.rss_bytes = 2000;
  Plan plan = MakeSamplePlan(recipe);
  EXPECT_EQ(plan.tasks[0].rss_bytes, 1000);
  EXPECT_EQ(plan.tasks[1].rss_bytes, 2000);
  EXPECT_EQ(plan.tasks[1].memory_from, "limit");
  recipe.methods[0].limits.rss_bytes = std::int64_t{1} << 40;
  EXPECT_EQ(MakeSamplePlan(recipe).tasks[0].rss_bytes, 200'001'000);
}

TEST(DeclaredCost, OnAGpuIsWhatTheRecipeAllowsOrElseDeclared) {
  Recipe recipe = Declaring({0});
  recipe.numerics.device = "cuda";
  EXPECT_EQ(MakeSamplePlan(recipe).tasks[0].gpu_bytes, 600'001'250);
  recipe.methods[0].limits.gpu_bytes = 5000;
  EXPECT_EQ(MakeSamplePlan(recipe).tasks[0].gpu_bytes, 5000);
}

TEST(DeclaredCost, OfAnEncoderOfUnknownShapeIsUnknown) {
  Recipe recipe = Declaring({0});
  recipe.weights = "shapeless";
  EXPECT_FALSE(MakeSamplePlan(recipe).tasks[0].estimate_s);
}

TEST(DeclaredCost, AndItsOriginComeBackFromThePlansFile) {
  const Plan plan = MakeSamplePlan(Declaring({0}));
  const Plan back = PlanFromJson(ToJson(plan));
  EXPECT_EQ(back.tasks[0].estimate_s, plan.tasks[0].estimate_s);
  EXPECT_EQ(back.tasks[0].estimate_from, "declared");
  EXPECT_EQ(back.tasks[0].memory_from, "declared");
  EXPECT_EQ(back.tasks[1].estimate_from, "");
}

}  // namespace
}  // namespace tailmark
