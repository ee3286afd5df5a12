#include "harness/record/catalog.h"

#include <gtest/gtest.h>

#include "harness/base/error.h"

namespace tailmark {
namespace {

Catalog Sample() {
  Catalog catalog;
  catalog.build = ThisBuild();
  catalog.methods = {
      {.name = "probe",
       .version = 2,
       .summary = "A probe",
       .family = "probe",
       .cite = "Somebody 2020",
       .input = "features",
       .needs_text = true,
       .needs_captions = true,
       .captions_unless = OptionMap{{"lr", 0.2}},
       .trains = true,
       .precisions = {"fp32", "bf16"},
       .test_feedback = OptionMap{{"lr", 0.1}},
       .options = {{.name = "lr",
                    .type = OptionType::kFloat,
                    .help = "step",
                    .default_value = 0.5,
                    .range = Positive()}},
       .presets = {{.name = "fast",
                    .kind = "preset",
                    .summary = "quick",
                    .options = {{"lr", 1.0}}}},
       .depends = {{.role = "stage1",
                    .when = {{"lr", 0.5}},
                    .set = {{"lr", 2.0}},
                    .scores = true}},
       .deviations = {{.topic = "step size",
                       .paper = {{"lr", 0.5}},
                       .released = {{"lr", 2.0}},
                       .source = "section 3; train.py",
                       .effect = "four times as far"}},
       .cost = Cost{.epochs = {{.option = "lr", .when = {{"lr", 0.5}}}},
                    .work = {{.unit = CostUnit::kTextToken,
                              .amount = 2,
                              .times = {"classes", "lr"},
                              .when = {{"lr", 0.5}},
                              .once = true}},
                    .shared = {{.name = "train", .terms = {{.amount = 3}}}},
                    .memory = {{.times = {"batch"}}}}}};
  return catalog;
}

TEST(Catalog, ComesBackFromJsonAsItWas) {
  const Json json = ToJson(Sample());
  EXPECT_EQ(ToJson(CatalogFromJson(json)), json);
}

TEST(Catalog, AnUnknownMethodIsNamedWithTheNearest) {
  try {
    Sample().Find("prob");
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_STREQ(error.what(), "unknown method 'prob'; did you mean 'probe'?");
  }
}

TEST(Catalog, AnotherSchemaIsRefused) {
  Json json = ToJson(Sample());
  json["schema"] = "tailmark-catalog/9";
  EXPECT_THROW(CatalogFromJson(json), DataError);
}

TEST(Catalog, ADeviationOfAnOptionThatThereIsNotIsRefused) {
  Json json = ToJson(Sample());
  json["methods"][0]["deviations"][0]["paper"] = {{"lrr", 1.0}};
  EXPECT_THROW(CatalogFromJson(json), DataError);
  json["methods"][0]["deviations"][0]["paper"] = {{"protocol.groups", "x"}};
  EXPECT_NO_THROW(CatalogFromJson(json));  // A key of the recipe.
}

TEST(Catalog, ACostThatDoesNotFitTheOptionsIsRefused) {
  Json json = ToJson(Sample());
  json["methods"][0]["cost"]["work"][0]["times"] = {"rate"};
  EXPECT_THROW(CatalogFromJson(json), DataError);
  json["methods"][0]["cost"] = nullptr;  // It does not say.
  EXPECT_FALSE(CatalogFromJson(json).Find("probe").cost);
}

TEST(Catalog, APresetThatDoesNotFitTheOptionsIsRefused) {
  Json json = ToJson(Sample());
  json["methods"][0]["presets"][0]["options"]["lr"] = -1;
  EXPECT_THROW(CatalogFromJson(json), DataError);
}

TEST(Catalog, ADependencyThatDoesNotFitTheOptionsIsRefused) {
  Json json = ToJson(Sample());
  json["methods"][0]["depends"][0]["set"] = {{"rate", 1.0}};
  EXPECT_THROW(CatalogFromJson(json), DataError);
}

TEST(BuildInfo, SaysWhatItWasBuiltFrom) {
  EXPECT_EQ(ThisBuild().digest.size(), 64u);
  EXPECT_FALSE(ThisBuild().compiler.empty());
  EXPECT_EQ(ToJson(BuildInfoFromJson(ToJson(ThisBuild()))),
            ToJson(ThisBuild()));
}

}  // namespace
}  // namespace tailmark
