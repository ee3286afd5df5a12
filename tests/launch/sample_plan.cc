#include "tests/launch/sample_plan.h"

#include "harness/base/error.h"

namespace tailmark {
namespace {

FieldInfo Count(const std::string& name, std::int64_t value) {
  return {.name = name, .type = OptionType::kInt, .default_value = value};
}

/// Stage 2 starts from stage 1 and, when there are any, from teachers, which
/// start from stage 1 too.
MethodEntry Staged() {
  const std::int64_t one = 1;
  const std::int64_t two = 2;
  return {.name = "staged",
          .input = "none",
          .options = {Count("stage", two),
                      Count("teachers", 0),
                      Count("part", -1),
                      {.name = "weight",
                       .type = OptionType::kFloat,
                       .default_value = 1.0},
                      {.name = "act",
                       .type = OptionType::kString,
                       .default_value = std::string("good")}},
          .depends = {{.role = "stage1",
                       .when = {{"stage", two}},
                       .set = {{"stage", one}, {"teachers", std::int64_t{0}}},
                       .forget = {"weight", "part"},
                       .scores = true},
                      {.role = "teacher",
                       .when = {{"stage", two}},
                       .set = {{"teachers", std::int64_t{0}}},
                       .forget = {"weight"},
                       .repeat = "teachers",
                       .index = "part"}}};
}

/// A second for each image in each of three epochs, one for each image's
/// features, and a thousand bytes.
MethodEntry Declares() {
  return {.name = "declares",
          .input = "features",
          .options = {Count("epochs", 3)},
          .cost = Cost{.epochs = {{.option = "epochs"}},
                       .work = {{.times = {"train_images", "epochs"}}},
                       .shared = {{.name = "train",
                                   .terms = {{.times = {"train_images"}}}}},
                       .memory = {{.amount = 1000}}}};
}

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
      {.name = "captioner",
       .input = "features",
       .needs_captions = true,
       .captions_unless = OptionMap{{"act", std::string("mute")}},
       .options = options},
      Staged(),
      Declares(),
      {.name = "driven", .input = "none", .test_feedback = OptionMap{}},
      {.name = "circle", .input = "none", .depends = {{.role = "itself"}}}};
  return catalog;
}

PlannedData Data(const DatasetUse& use, const OptionMap& /*options*/,
                 std::int64_t limit) {
  if (use.use == "absent") throw DataError("no files in /absent");
  return {.manifest_sha256 = "m",
          .label_policy = "p",
          .train_list_sha256 = StrCat("train", limit),
          .test_list_sha256 = StrCat("test", limit),
          .episodes_sha256 = use.use == "episodes" ? "e" : "",
          .train_images = use.use == "set" || use.use == "absent" ? 9 : 0};
}

}  // namespace

Recipe SampleRecipe() {
  Recipe recipe;
  recipe.campaign = "c";
  recipe.datasets = {{.use = "set", .name = "set"}};
  recipe.weights = "nano";
  return recipe;
}

Plan MakeSamplePlan(const Recipe& recipe, const SampleEstimate& estimate) {
  const PlanSources sources{
      .dataset_options = [](const std::string&) { return FieldTable(); },
      .data = Data,
      .weights =
          [](const std::string& weights) {
            return PlannedWeights{
                .name = weights,
                .sha256 = weights + "-hash",
                .path = "/w",
                .pipeline = "clip-32",
                .shape = weights == "shapeless"
                             ? std::nullopt
                             : std::optional<EncoderShape>(EncoderShape())};
          },
      .pipeline = [](const std::string&) { return 1; },
      .estimate = estimate};
  return MakePlan(recipe, SampleCatalog(), sources, "cache");
}

}  // namespace tailmark
