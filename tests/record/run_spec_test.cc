#include "harness/record/run_spec.h"

#include <gtest/gtest.h>

#include <set>

#include "harness/base/error.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {

std::string SpecErrorOf(const Json& json) {
  try {
    RunSpecFromJson(json);
    return "";
  } catch (const DataError& error) {
    return error.what();
  }
}

TEST(RunSpec, ComesBackFromJsonAsItWas) {
  const RunSpec spec = SampleSpec();
  const Json json = ToJson(spec);
  EXPECT_EQ(ToJson(RunSpecFromJson(json)), json);
  EXPECT_EQ(RunKey(RunSpecFromJson(ParseJson(json.dump(2), "again"))),
            RunKey(spec));
}

TEST(RunSpec, EveryMemberOfTheIdentityIsInTheRecipeId) {
  const RunSpec spec = SampleSpec();
  std::set<std::string> ids = {RecipeId(spec.identity)};
  const Json identity = ToJson(spec.identity);
  for (const auto& [name, value] : identity.items()) {
    Json json = ToJson(spec);
    Json& member = json["identity"][name];
    if (value.is_string()) member = "other";
    if (value.is_number()) member = 77;
    if (value.is_boolean()) member = !value.get<bool>();
    if (value.is_object()) member["another"] = 1;
    if (value.is_array()) member[0]["recipe"] = "other";
    EXPECT_TRUE(ids.insert(RecipeId(RunSpecFromJson(json).identity)).second)
        << name;
  }
  EXPECT_EQ(ids.size(), identity.size() + 1);
}

TEST(RunSpec, SeedAndBuildAreInTheKeyAndNotInTheRecipe) {
  const RunSpec spec = SampleSpec();
  RunSpec seed = spec;
  seed.seed = 1;
  RunSpec build = spec;
  build.build = "c";
  EXPECT_EQ(
      (std::set<std::string>{RunKey(spec), RunKey(seed), RunKey(build)}).size(),
      3u);
  EXPECT_EQ(RecipeId(spec.identity), RecipeId(seed.identity));
}

TEST(RunSpec, WhatItStartsFromIsInTheRecipeByRecipeAndInTheKeyByKey) {
  const RunSpec spec = SampleSpec();
  RunSpec key = spec;
  key.identity.needs[0].key = "k2";
  EXPECT_EQ(RecipeId(key.identity), RecipeId(spec.identity));
  EXPECT_NE(RunKey(key), RunKey(spec));
  RunSpec role = spec;
  role.identity.needs[0].role = "teacher";
  EXPECT_NE(RecipeId(role.identity), RecipeId(spec.identity));
}

TEST(RunSpec, ATaskWithoutScoresIsAnotherRecipe) {
  RunSpec spec = SampleSpec();
  spec.identity.scores = false;
  EXPECT_NE(RecipeId(spec.identity), RecipeId(SampleSpec().identity));
  EXPECT_EQ(ToJson(RunSpecFromJson(ToJson(spec))), ToJson(spec));
}

TEST(RunSpec, PlaceCampaignAndTagsAreInNoKey) {
  const RunSpec spec = SampleSpec();
  RunSpec other = spec;
  other.place = RunPlace();
  other.campaign = "another";
  other.tags.clear();
  EXPECT_EQ(RunKey(other), RunKey(spec));
}

TEST(RunSpec, AMissingMemberIsNamed) {
  Json json = ToJson(SampleSpec());
  json["identity"].erase("pipeline");
  EXPECT_EQ(SpecErrorOf(json),
            "run spec, identity: member 'pipeline' is missing");
}

TEST(RunSpec, AnUnknownMemberIsNamedWithTheNearest) {
  Json json = ToJson(SampleSpec());
  json["identity"]["tf_32"] = true;
  EXPECT_EQ(SpecErrorOf(json),
            "run spec, identity: unknown member 'tf_32'; did you mean 'tf32'?");
}

TEST(RunSpec, AWrongTypeIsNamed) {
  Json json = ToJson(SampleSpec());
  json["seed"] = "zero";
  EXPECT_EQ(SpecErrorOf(json),
            "run spec: member 'seed': expected a whole number in [0, "
            "18446744073709551615], found \"zero\"");
}

TEST(RunSpec, AnAbsurdThreadCountIsRefused) {
  Json json = ToJson(SampleSpec());
  json["place"]["threads"] = 0;
  EXPECT_NE(SpecErrorOf(json).find("outside [1, 4096]"), std::string::npos);
}

}  // namespace
}  // namespace tailmark
