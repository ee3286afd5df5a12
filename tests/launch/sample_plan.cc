#include "tests/launch/sample_plan.h"

#include "harness/base/error.h"

namespace tailmark {
namespace {

Catalog SampleCatalog() {
  Catalog catalog;
  catalog.build.digest = "build";
  const FieldTable options = {
      {.name = "lr", .type = OptionType::kFloat, .default_value = 1.0},
      {.name = "act",
       .type = OptionType::kString,
       .default_value = std::string("good")}};
  catalog.methods = {
      {.name = "prior", .input = "none"},
      {.name = "probe", .input = "features", .options = options},
      {.name = "captioner", .input = "features", .needs_captions = true}};
  return catalog;
}

PlannedData Data(const DatasetUse& use, const OptionMap& /*options*/,
                 std::int64_t limit) {
  if (use.use == "absent") throw DataError("no files in /absent");
  return {.manifest_sha256 = "m",
          .label_policy = "p",
          .train_list_sha256 = StrCat("train", limit),
          .test_list_sha256 = StrCat("test", limit),
          .train_images = use.use == "untrained" ? 0 : 9};
}

}  // namespace

Recipe SampleRecipe() {
  Recipe recipe;
  recipe.campaign = "c";
  recipe.datasets = {{.use = "set", .name = "set"}};
  recipe.weights = "nano";
  return recipe;
}

Plan MakeSamplePlan(const Recipe& recipe) {
  const PlanSources sources{
      .dataset_options = [](const std::string&) { return FieldTable(); },
      .data = Data,
      .weights =
          [](const std::string& weights) {
            return PlannedWeights{.name = weights,
                                  .sha256 = weights + "-hash",
                                  .path = "/w",
                                  .pipeline = "clip-32"};
          },
      .pipeline = [](const std::string&) { return 1; },
      .estimate = {}};
  return MakePlan(recipe, SampleCatalog(), sources, "cache");
}

}  // namespace tailmark
