#include "harness/base/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/base/options_json.h"

namespace tailmark {
namespace {

using testing::HasSubstr;

struct ProbeOptions {
  std::int64_t epochs = 30;
  double lr = 1e-2;
  std::string loss = "bce";
  bool bias = true;
  NumberList betas = {0.9, 0.999};
  WordList templates = {"a", "b"};

  static auto Fields() {
    using O = ProbeOptions;
    return std::tuple(
        Field{"epochs", &O::epochs, "Passes over the training split",
              AtLeast(1)},
        Field{"lr", &O::lr, "Peak learning rate", Positive()},
        Field{"loss", &O::loss, "What is minimised", OneOf{"bce|db|asl"}},
        Field{"bias", &O::bias, "Learn a bias"},
        Field{"betas", &O::betas, "Adam's two decays", Fraction()},
        Field{"templates", &O::templates, "Prompt templates"});
  }
};

std::string OptionMessageOf(const OptionMap& values) {
  try {
    FromMap<ProbeOptions>(values);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Options, NothingGivenMeansDefaults) {
  const auto options = FromMap<ProbeOptions>({});
  EXPECT_EQ(options.epochs, 30);
  EXPECT_EQ(options.betas, (NumberList{0.9, 0.999}));
}

TEST(Options, GivenValuesWin) {
  const auto options = FromMap<ProbeOptions>(
      {{"lr", 0.5}, {"loss", std::string("db")}, {"bias", false}});
  EXPECT_EQ(options.lr, 0.5);
  EXPECT_EQ(options.loss, "db");
  EXPECT_FALSE(options.bias);
}

TEST(Options, AnIntIsWidenedWhereAFloatIsWanted) {
  EXPECT_EQ(FromMap<ProbeOptions>({{"lr", std::int64_t{2}}}).lr, 2.0);
}

TEST(Options, AWholeFloatIsNarrowedWhereAnIntIsWanted) {
  EXPECT_EQ(FromMap<ProbeOptions>({{"epochs", 4.0}}).epochs, 4);
  EXPECT_THAT(OptionMessageOf({{"epochs", 4.5}}),
              HasSubstr("must be of type int"));
}

TEST(Options, AMisspeltNameTellsTheRightOne) {
  EXPECT_THAT(OptionMessageOf({{"ephocs", std::int64_t{3}}}),
              HasSubstr("unknown option 'ephocs'; did you mean 'epochs'?"));
}

TEST(Options, AMisspeltWordTellsTheRightOne) {
  EXPECT_THAT(OptionMessageOf({{"loss", std::string("bcee")}}),
              HasSubstr("did you mean 'bce'?"));
}

TEST(Options, ABrokenRangeNamesOptionValueAndRange) {
  EXPECT_THAT(OptionMessageOf({{"lr", 0.0}}),
              HasSubstr("option 'lr' = 0 is outside (0, inf)"));
  EXPECT_THAT(OptionMessageOf({{"lr", std::nan("")}}), HasSubstr("outside"));
  EXPECT_THAT(OptionMessageOf({{"betas", NumberList{0.9, 1.5}}}),
              HasSubstr("option 'betas' = 1.5 is outside [0, 1]"));
}

TEST(Options, AWrongTypeIsRefused) {
  EXPECT_THAT(OptionMessageOf({{"epochs", std::string("ten")}}),
              HasSubstr("option 'epochs' = ten must be of type int"));
  EXPECT_THAT(OptionMessageOf({{"bias", std::int64_t{1}}}),
              HasSubstr("must be of type bool"));
}

TEST(Options, TheTableSurvivesJson) {
  const FieldTable table = DescribeOptions<ProbeOptions>();
  const FieldTable back = FieldTableFromJson(ToJson(table));
  ASSERT_EQ(back.size(), table.size());
  for (std::size_t i = 0; i < table.size(); ++i) {
    EXPECT_EQ(back[i].name, table[i].name);
    EXPECT_EQ(back[i].type, table[i].type);
    EXPECT_EQ(back[i].default_value, table[i].default_value);
    EXPECT_EQ(RuleOf(back[i]), RuleOf(table[i]));
  }
}

TEST(Options, WhatIsGivenIsCheckedWithoutTheDefaults) {
  const FieldTable table = DescribeOptions<ProbeOptions>();
  EXPECT_NO_THROW(CheckGiven(table, {}));
  EXPECT_NO_THROW(CheckGiven(table, {{"epochs", std::int64_t{7}}}));
  EXPECT_THROW(CheckGiven(table, {{"epochs", std::int64_t{-1}}}), ConfigError);
  EXPECT_THROW(CheckGiven(table, {{"epochs", std::string("seven")}}),
               ConfigError);
  EXPECT_THROW(CheckGiven(table, {{"epoch", std::int64_t{7}}}), ConfigError);
}

TEST(Options, ValuesSurviveJson) {
  const OptionMap map = ToMap(ProbeOptions{.epochs = 7});
  EXPECT_EQ(ResolveOptions(DescribeOptions<ProbeOptions>(),
                           OptionsFromJson(ToJson(map))),
            map);
}

TEST(Options, AnObjectIsNoOptionValue) {
  EXPECT_THROW(OptionFromJson(Json::object(), "lr"), ConfigError);
  EXPECT_THROW(OptionFromJson(Json::array({1, "a"}), "lr"), ConfigError);
}

}  // namespace
}  // namespace tailmark
