#include "harness/base/dependency.h"

#include <gtest/gtest.h>

namespace tailmark {
namespace {

FieldTable Fields() {
  return {
      {.name = "stage",
       .type = OptionType::kInt,
       .default_value = std::int64_t{2},
       .range = Between(1, 2)},
      {.name = "k",
       .type = OptionType::kInt,
       .default_value = std::int64_t{3},
       .range = AtLeast(0)},
      {.name = "part",
       .type = OptionType::kInt,
       .default_value = std::int64_t{-1}},
      {.name = "weight", .type = OptionType::kFloat, .default_value = 1.0},
  };
}

OptionMap Resolved(const OptionMap& given) {
  return ResolveOptions(Fields(), given);
}

TEST(Dependency, HoldsOnlyUnderItsOptions) {
  const std::vector<Dependency> depends = {
      {.role = "stage1",
       .when = {{"stage", std::int64_t{2}}},
       .set = {{"stage", std::int64_t{1}}},
       .scores = true}};
  const auto needed = NeededRuns(depends, Fields(), Resolved({}));
  ASSERT_EQ(needed.size(), 1u);
  EXPECT_EQ(needed[0].role, "stage1");
  EXPECT_TRUE(needed[0].scores);
  EXPECT_EQ(needed[0].options, Resolved({{"stage", std::int64_t{1}}}));
  EXPECT_TRUE(NeededRuns(depends, Fields(), needed[0].options).empty());
}

TEST(Dependency, ANumberWrittenAsAWholeOneHoldsForAFloat) {
  EXPECT_TRUE(AllHold({{"weight", std::int64_t{1}}}, Fields(), Resolved({})));
  EXPECT_FALSE(AllHold({{"weight", 1.5}}, Fields(), Resolved({})));
}

TEST(Dependency, ARepeatIsOneRunForEachNumber) {
  const std::vector<Dependency> depends = {{.role = "teacher",
                                            .set = {{"k", std::int64_t{0}}},
                                            .repeat = "k",
                                            .index = "part"}};
  const auto needed =
      NeededRuns(depends, Fields(), Resolved({{"weight", 0.5}}));
  ASSERT_EQ(needed.size(), 3u);
  EXPECT_EQ(needed[2].role, "teacher-2");
  EXPECT_EQ(needed[2].options, Resolved({{"k", std::int64_t{0}},
                                         {"part", std::int64_t{2}},
                                         {"weight", 0.5}}));
  EXPECT_TRUE(NeededRuns(depends, Fields(), Resolved({{"k", std::int64_t{0}}}))
                  .empty());
}

TEST(Dependency, WhatItForgetsIsAtItsDefaultSoThatRunsShareIt) {
  const std::vector<Dependency> depends = {
      {.role = "teacher", .forget = {"weight"}}};
  EXPECT_EQ(
      NeededRuns(depends, Fields(), Resolved({{"weight", 0.5}}))[0].options,
      NeededRuns(depends, Fields(), Resolved({{"weight", 2.5}}))[0].options);
}

TEST(Dependency, NamesThatAreNoOptionsAreRefused) {
  const auto refused = [](const Dependency& dependency) {
    EXPECT_THROW(CheckDependency(dependency, Fields()), ConfigError);
  };
  refused({.role = ""});
  refused({.role = "a", .when = {{"stag", std::int64_t{1}}}});
  refused({.role = "a", .set = {{"stage", std::int64_t{7}}}});
  refused({.role = "a", .forget = {"wait"}});
  refused({.role = "a", .repeat = "k"});
  refused({.role = "a", .repeat = "weight", .index = "part"});
  EXPECT_NO_THROW(
      CheckDependency({.role = "a", .repeat = "k", .index = "part"}, Fields()));
}

}  // namespace
}  // namespace tailmark
