#include "harness/record/grid.h"

#include <gtest/gtest.h>

#include "harness/base/error.h"

namespace tailmark {
namespace {

const FieldTable kFields = {
    {.name = "lr",
     .type = OptionType::kFloat,
     .default_value = 0.5,
     .range = Positive()},
    {.name = "loss",
     .type = OptionType::kString,
     .default_value = std::string("bce"),
     .choices = {"bce", "db"}},
    {.name = "steps",
     .type = OptionType::kNumbers,
     .default_value = NumberList{1}},
};

WrittenOptions Written(const Json& json) {
  WrittenOptions options;
  for (const auto& [name, value] : json.items()) {
    options.emplace(name, WrittenValue{value, {.text = "c.json", .base = {}}});
  }
  return options;
}

std::string GridErrorOf(const Json& json) {
  try {
    ExpandGrid(kFields, Written(json));
    return "";
  } catch (const ConfigError& error) {
    return error.what();
  }
}

TEST(Grid, WithoutListsIsOnePointOfDefaultsAndWhatWasGiven) {
  const auto points = ExpandGrid(kFields, Written({{"lr", 2}}));
  ASSERT_EQ(points.size(), 1u);
  EXPECT_EQ(points[0].options.at("lr"), OptionValue(2.0));
  EXPECT_EQ(points[0].origins.at("lr"), "c.json");
  EXPECT_EQ(points[0].options.at("loss"), OptionValue(std::string("bce")));
  EXPECT_EQ(points[0].origins.at("loss"), "default");
}

TEST(Grid, ErrorsSayWhoseOptionsTheyAre) {
  const MethodEntry method{.name = "probe", .options = kFields};
  const MethodUse use{
      .use = "probe", .name = "second", .options = Written({{"lrr", 1}})};
  try {
    ExpandMethod(method, use);
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_STREQ(error.what(),
                 "c.json: second: unknown option 'lrr'; did you mean 'lr'?");
  }
}

TEST(Grid, IsTheProductOfItsAxes) {
  const auto points =
      ExpandGrid(kFields, Written({{"lr", {1, 2}}, {"loss", {"bce", "db"}}}));
  ASSERT_EQ(points.size(), 4u);
  EXPECT_EQ(points[1].options.at("loss"), OptionValue(std::string("bce")));
  EXPECT_EQ(points[1].options.at("lr"), OptionValue(2.0));
}

TEST(Grid, AListValuedOptionTakesAListOfLists) {
  const auto points =
      ExpandGrid(kFields, Written({{"steps", Json::parse("[[1, 2], [3]]")}}));
  ASSERT_EQ(points.size(), 2u);
  EXPECT_EQ(points[0].options.at("steps"), OptionValue(NumberList{1, 2}));
  EXPECT_NE(
      GridErrorOf({{"steps", {1, 2}}}).find("write [[1,2]] for one value"),
      std::string::npos);
}

TEST(Grid, AWrongOptionNamesFileOptionAndNearest) {
  EXPECT_EQ(GridErrorOf({{"lrr", 1}}),
            "c.json: unknown option 'lrr'; did you mean 'lr'?");
  EXPECT_EQ(GridErrorOf({{"lr", {1, -1}}}),
            "c.json: option 'lr' = -1 is outside (0, inf)");
  EXPECT_EQ(GridErrorOf({{"loss", "dbb"}}),
            "c.json: option 'loss' = 'dbb' is not one of bce|db; did you mean "
            "'db'?");
  EXPECT_EQ(GridErrorOf({{"lr", Json::array()}}),
            "c.json: option 'lr' has an empty list");
}

TEST(Grid, AnAbsurdGridIsRefused) {
  Json many = Json::array();
  for (int i = 1; i <= 10001; ++i) many.push_back(i);
  EXPECT_NE(GridErrorOf({{"lr", many}}).find("larger than 10000"),
            std::string::npos);
}

TEST(Grid, APresetLiesBetweenDefaultsAndTheRecipe) {
  const MethodEntry method{
      .name = "probe",
      .options = kFields,
      .presets = {{.name = "fast",
                   .kind = "preset",
                   .options = {{"lr", 3.0}, {"loss", std::string("db")}}}}};
  MethodUse use{.use = "probe", .preset = "fast"};
  use.options = Written({{"lr", 4}});
  const auto points = ExpandMethod(method, use);
  ASSERT_EQ(points.size(), 1u);
  EXPECT_EQ(points[0].options.at("lr"), OptionValue(4.0));
  EXPECT_EQ(points[0].options.at("loss"), OptionValue(std::string("db")));
  EXPECT_EQ(points[0].origins.at("loss"), "preset fast");
  EXPECT_EQ(points[0].origins.at("steps"), "default");
  use.preset = "fasst";
  use.preset_origin.text = "c.json";
  try {
    ExpandMethod(method, use);
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_STREQ(
        error.what(),
        "c.json: unknown preset of probe 'fasst'; did you mean 'fast'?");
  }
}

}  // namespace
}  // namespace tailmark
