// A method in a shared object, from the recipe to the table, with the real
// programs.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/base/files.h"
#include "tests/e2e/program.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;
using ::testing::HasSubstr;

class CxxPlugin : public ::testing::Test {
 protected:
  CxxPlugin() : tailmark_(scratch_.path()) {
    tailmark_.ShareFeatures();
    tailmark_.environment["XDG_CONFIG_HOME"] =
        (scratch_.path() / "xdg").string();
    fs::copy_file(fs::path(TM_PLUGIN_DIR) / "libnearest_mean.so", plugin());
  }
  fs::path plugin() const { return scratch_.path() / "libnearest_mean.so"; }
  /// A recipe of the prior and of `use`.
  void WriteRecipe(const std::string& use,
                   const Json& options = Json::object()) const {
    const Json recipe = {
        {"schema", "tailmark-campaign/1"},
        {"campaign", "plugin"},
        {"datasets", {"embedded"}},
        {"weights", "nano-clip"},
        {"pipeline", "as-is-48"},
        {"methods", {"label_prior", {{"use", use}, {"options", options}}}}};
    WriteFileAtomic(scratch_.path() / "r.json", recipe.dump(1));
  }
  Said Plan(const std::vector<std::string>& more) const {
    std::vector<std::string> words = {"plan", "r.json"};
    words.insert(words.end(), more.begin(), more.end());
    return tailmark_(words);
  }

  ScratchFolder scratch_;
  Program tailmark_;
};

TEST_F(CxxPlugin, ItsRowStandsBesideTheBuiltins) {
  WriteRecipe("plugin:libnearest_mean.so#nearest_mean");
  const Said said = tailmark_({"run", "r.json", "--limit", "200", "--json",
                               "--allow-plugin", plugin().string()});
  ASSERT_EQ(said.code, 0) << said.err;
  const Json runs = said.json()["runs"];
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[1]["method"], "nearest_mean");
  EXPECT_EQ(runs[1]["state"], "done");
  EXPECT_GT(runs[1]["metrics"].begin().value()["total"].get<double>(), 20.0);
}

TEST_F(CxxPlugin, RunsOnlyWhenAllowed) {
  WriteRecipe("plugin:libnearest_mean.so");
  const Said refused = Plan({});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("--allow-plugin " + plugin().string()));
  EXPECT_EQ(Plan({"--allow-plugin", "."}).code, 0);
  fs::create_directories(scratch_.path() / "xdg/tailmark");
  WriteFileAtomic(scratch_.path() / "xdg/tailmark/config.json",
                  "{\"allow_plugins\": [\"../..\"]}");
  EXPECT_EQ(Plan({}).code, 0);
}

TEST_F(CxxPlugin, AMethodItDoesNotHaveIsNamedWithTheNearest) {
  WriteRecipe("plugin:libnearest_mean.so#nearest_means");
  const Said said = Plan({"--allow-plugin", "."});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("did you mean 'nearest_mean'"));
}

TEST_F(CxxPlugin, AnOptionItDoesNotHaveIsRefusedLikeABuiltins) {
  WriteRecipe("plugin:libnearest_mean.so", {{"shrinkag", 2}});
  const Said said = Plan({"--allow-plugin", "."});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("shrinkage"));
}

TEST_F(CxxPlugin, AStampThatDoesNotFitIsRefusedBeforeItsCodeRuns) {
  std::string bytes = ReadFile(plugin());
  const auto at = bytes.find("\"build_type\":\"");
  ASSERT_NE(at, bytes.npos);
  bytes.replace(at + 14, 2, "xx");
  WriteFileAtomic(plugin(), bytes);
  WriteRecipe("plugin:libnearest_mean.so");
  const Said said = Plan({"--allow-plugin", "."});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("the build type differ"));
}

TEST_F(CxxPlugin, OneThatIsNotThereIsNamed) {
  WriteRecipe("plugin:nowhere.so");
  const Said said = Plan({"--allow-plugin", "."});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("nowhere.so: no such plugin"));
}

TEST_F(CxxPlugin, WhatItSaysOfItselfIsKeptUntilItChanges) {
  const fs::path cache = scratch_.path() / "cache";
  tailmark_.environment["TAILMARK_CACHE"] = cache.string();
  WriteRecipe("plugin:libnearest_mean.so");
  const std::vector<std::string> allow = {"--allow-plugin", "."};
  ASSERT_EQ(Plan(allow).code, 0);
  std::vector<fs::path> kept;
  for (const auto& entry : fs::directory_iterator(cache / "plugins")) {
    kept.push_back(entry.path());
  }
  ASSERT_EQ(kept.size(), 1u);
  // It is what the next one looks at, whatever asks.
  std::string answer = ReadFile(kept[0]);
  const std::string name = "\"nearest_mean\"";
  answer.replace(answer.find(name), name.size(), "\"another\"");
  WriteFileAtomic(kept[0], answer);
  EXPECT_THAT(Plan(allow).out, HasSubstr("another"));
  const std::vector<std::string> describe = {
      "describe", "plugin:libnearest_mean.so", "--allow-plugin", "."};
  EXPECT_THAT(tailmark_(describe).out, HasSubstr("another"));
  // Kept or not, it is nobody's consent.
  EXPECT_EQ(Plan({}).code, 2);
  EXPECT_EQ(tailmark_({"describe", "plugin:libnearest_mean.so"}).code, 2);
  // Of another file nothing is kept, however alike they are.
  WriteFileAtomic(plugin(), ReadFile(plugin()) + "x");
  EXPECT_THAT(Plan(allow).out, testing::Not(HasSubstr("another")));
  EXPECT_THAT(tailmark_(describe).out, HasSubstr("nearest_mean"));
  // Nor of this one beside another that it might link.
  const auto files = [&] {
    return std::distance(fs::directory_iterator(cache / "plugins"), {});
  };
  const auto number = files();
  WriteFileAtomic(scratch_.path() / "libother.so.1", "x");
  EXPECT_EQ(Plan(allow).code, 0);
  EXPECT_EQ(files(), number + 1);
}

TEST_F(CxxPlugin, AFileThatChangedSinceThePlanIsNotRun) {
  WriteRecipe("plugin:libnearest_mean.so");
  ASSERT_EQ(Plan({"--allow-plugin", ".", "-o", "plan.json"}).code, 0);
  WriteFileAtomic(plugin(), ReadFile(plugin()) + "x");
  const Said said =
      tailmark_({"worker", "--plan", "plan.json", "--task", "1", "--out", "b"});
  EXPECT_EQ(said.code, 3);
  EXPECT_THAT(said.err, HasSubstr("the plugin changed since the plan"));
}

}  // namespace
}  // namespace tailmark
