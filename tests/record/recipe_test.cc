#include "harness/record/recipe.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/record/units.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;

class RecipeFile : public ::testing::Test {
 protected:
  fs::path Write(const std::string& name, const std::string& text) {
    const fs::path path = scratch_.path() / name;
    MakeFolders(path.parent_path());
    WriteFileAtomic(path, text);
    return path;
  }
  /// A recipe with these members besides the ones every recipe needs.
  fs::path Campaign(const std::string& members) {
    return Write("c.json", R"({"schema": "tailmark-campaign/1",
      "campaign": "c", "datasets": ["embedded"], )" +
                               members + "}");
  }
  static std::string ErrorOf(const fs::path& path,
                             const RecipeOverrides& overrides = {}) {
    try {
      LoadRecipe(path, overrides);
      return "";
    } catch (const Error& error) {
      return error.what();
    }
  }

  ScratchFolder scratch_;
};

TEST_F(RecipeFile, SaysEverythingWithComments) {
  const fs::path path = Write("full.json", R"({
    // A comment.
    "schema": "tailmark-campaign/1", "campaign": "full",
    "datasets": ["embedded", {"use": "folder", "name": "mine", "root": "pics",
                              "options": {"labels": "l.csv"}}],
    "methods": ["label_prior",
                {"use": "probe", "name": "probe-db", "preset": "embedded",
                 "options": {"lr": [0.1, 0.2]}, "seeds": [1, 5],
                 "limits": {"wall": "1h30m"}}],
    "weights": "nano-clip", "pipeline": "as-is-48", "seeds": "0-2",
    "protocol": {"selection": "last", "definition": "ap.step",
                 "also": ["ap.rank"], "groups": "train>=100/20..99/<20"},
    "numerics": {"precision": "fp32", "tf32": false, "deterministic": "strict"},
    "limits": {"wall": "4h", "rss": "2GiB", "gpu_memory": "3GiB", "threads": 1,
               "retries": {"oom": 1}}})");
  const Recipe recipe = LoadRecipe(path, {});
  EXPECT_EQ(recipe.campaign, "full");
  ASSERT_EQ(recipe.datasets.size(), 2u);
  EXPECT_EQ(recipe.datasets[1].name, "mine");
  EXPECT_EQ(recipe.datasets[1].root, scratch_.path() / "pics");
  ASSERT_EQ(recipe.methods.size(), 2u);
  EXPECT_EQ(recipe.methods[0].seeds, (std::vector<std::uint64_t>{0, 1, 2}));
  EXPECT_EQ(recipe.methods[0].limits.wall_s, 4 * 3600);
  EXPECT_EQ(recipe.methods[1].seeds, (std::vector<std::uint64_t>{1, 5}));
  EXPECT_EQ(recipe.methods[1].limits.wall_s, 5400);
  EXPECT_EQ(recipe.methods[1].limits.rss_bytes, std::int64_t{2} << 30);
  EXPECT_EQ(recipe.methods[1].limits.gpu_bytes, std::int64_t{3} << 30);
  EXPECT_EQ(recipe.methods[1].limits.retries.at("oom"), 1);
  EXPECT_EQ(recipe.methods[1].preset, "embedded");
  EXPECT_EQ(recipe.methods[1].options.at("lr").origin.text, "full.json");
}

TEST_F(RecipeFile, AMethodMayHaveARuleOfItsOwnForItsEpochs) {
  const Recipe recipe = LoadRecipe(Campaign(R"("methods": ["a",
      {"use": "b", "selection": "best_on_test", "selection_every": 10}],
      "protocol": {"selection": "best_on_test", "selection_every": 5})"),
                                   {});
  EXPECT_EQ(recipe.protocol.selection_every, 5);
  EXPECT_EQ(recipe.methods[0].selection, "");
  EXPECT_EQ(recipe.methods[1].selection, "best_on_test");
  EXPECT_EQ(recipe.methods[1].selection_every, 10);
  EXPECT_EQ(
      ErrorOf(Campaign(R"("methods": [{"use": "b", "selection": "lsat"}])")),
      "c.json: methods[0].selection: unknown selection 'lsat'; did you mean "
      "'last'?");
  EXPECT_EQ(
      ErrorOf(Campaign(R"("methods": [{"use": "b", "selection_every": 2}])")),
      "c.json: methods[0].selection_every: stands beside \"selection\": "
      "\"best_on_test\" only");
}

TEST_F(RecipeFile, UnknownKeysNameTheFileThePlaceAndTheNearest) {
  EXPECT_EQ(ErrorOf(Campaign(R"("method": ["a"])")),
            "c.json: method: unknown key 'method'; did you mean 'methods'?");
  EXPECT_EQ(
      ErrorOf(Campaign(R"("methods": ["a", {"use": "b", "optoins": 1}])")),
      "c.json: methods[1].optoins: unknown key 'optoins'; did you mean "
      "'options'?");
  EXPECT_EQ(ErrorOf(Campaign(R"("methods": ["a"], "numerics": {"tf": true})")),
            "c.json: numerics.tf: unknown key 'tf'; did you mean 'tf32'?");
}

TEST_F(RecipeFile, BrokenJsonIsNamedWithLineAndColumn) {
  const fs::path path = Write("c.json", "{\n \"schema\": 1,\n}");
  EXPECT_NE(ErrorOf(path).find("c.json:3:1"), std::string::npos)
      << ErrorOf(path);
}

TEST_F(RecipeFile, AnotherSchemaIsRefused) {
  EXPECT_NE(ErrorOf(Write("c.json", R"({"schema": "x"})"))
                .find("\"schema\" must be \"tailmark-campaign/1\""),
            std::string::npos);
}

TEST_F(RecipeFile, WhatItIncludesLiesBelowAndKeepsItsOrigin) {
  Write("presets/base.json", R"({"schema": "tailmark-campaign/1",
    "weights": "here/w", "limits": {"wall": "1h", "rss": "1GiB"},
    "methods": [{"use": "probe", "options": {"lr": 1}}]})");
  const Recipe recipe = LoadRecipe(
      Campaign(R"("include": ["presets/base.json"], "limits": {"wall": "2h"})"),
      {});
  EXPECT_EQ(recipe.methods[0].options.at("lr").origin.text, "base.json");
  EXPECT_EQ(recipe.methods[0].limits.wall_s, 7200);
  EXPECT_EQ(recipe.methods[0].limits.rss_bytes, std::int64_t{1} << 30);
  // A path is relative to the file that says it.
  EXPECT_EQ(recipe.weights, (scratch_.path() / "presets/here/w").string());
}

TEST_F(RecipeFile, ACycleOfIncludesIsRefused) {
  Write("a.json",
        R"({"schema": "tailmark-campaign/1", "include": ["b.json"]})");
  Write("b.json",
        R"({"schema": "tailmark-campaign/1", "include": ["a.json"]})");
  EXPECT_NE(ErrorOf(scratch_.path() / "a.json").find("a cycle"),
            std::string::npos);
}

TEST_F(RecipeFile, SetReachesByNameByStarByIndexAndByShorthand) {
  const fs::path path = Campaign(
      R"("methods": ["probe", {"use": "probe", "name": "db",
         "options": {"loss": "db"}}])");
  const Recipe recipe = LoadRecipe(
      path, {.set = {"methods.*.options.lr=0.5", "methods.0.options.a=1",
                     "db.epochs=3", "probe.loss=bce", "numerics.tf32=true",
                     "datasets.embedded.options.seed=7"}});
  EXPECT_EQ(recipe.methods[0].options.at("lr").value, 0.5);
  EXPECT_EQ(recipe.methods[1].options.at("lr").value, 0.5);
  EXPECT_EQ(recipe.methods[0].options.at("a").value, 1);
  EXPECT_FALSE(recipe.methods[1].options.contains("a"));
  EXPECT_EQ(recipe.methods[1].options.at("epochs").value, 3);
  // Both use "probe".
  EXPECT_EQ(recipe.methods[1].options.at("loss").value, "bce");
  EXPECT_EQ(recipe.methods[1].options.at("loss").origin.text,
            "--set probe.loss=bce");
  EXPECT_TRUE(recipe.numerics.tf32);
  EXPECT_EQ(recipe.datasets[0].options.at("seed").value, 7);
}

TEST_F(RecipeFile, SetWithAWrongNameNamesTheNearest) {
  const fs::path path = Campaign(R"("methods": ["probe"])");
  EXPECT_EQ(
      ErrorOf(path, {.set = {"prob.lr=1"}}),
      "--set prob.lr=1: unknown recipe key 'prob'; did you mean 'probe'?");
  EXPECT_EQ(ErrorOf(path, {.set = {"methods.prob.options.lr=1"}}),
            "--set methods.prob.options.lr=1: unknown method 'prob'; did you "
            "mean 'probe'?");
  EXPECT_NE(ErrorOf(path, {.set = {"lr"}}).find("name.option=value"),
            std::string::npos);
}

TEST_F(RecipeFile, OnlyKeepsWhatIsNamed) {
  const fs::path path =
      Campaign(R"("methods": ["a", {"use": "b", "name": "b2"}, "c"])");
  EXPECT_EQ(LoadRecipe(path, {.only = {"method=b"}}).methods.size(), 1u);
  EXPECT_EQ(
      LoadRecipe(path, {.only = {"method=a", "method=b2"}}).methods.size(), 2u);
  EXPECT_NE(ErrorOf(path, {.only = {"method=bb"}}).find("unknown method"),
            std::string::npos);
  EXPECT_NE(ErrorOf(path, {.only = {"seed=1"}}).find("--only method=NAME"),
            std::string::npos);
}

TEST_F(RecipeFile, OnlyTakesAnEntryOfThatNameBeforeThoseThatUseIt) {
  const fs::path path = Write("c.json", R"({
    "schema": "tailmark-campaign/1", "campaign": "c", "methods": ["a"],
    "datasets": [{"use": "embedded", "name": "embedded-small"}, "embedded",
                 {"use": "folder", "name": "mine", "root": "x"},
                 {"use": "folder", "name": "yours", "root": "y"}]})");
  const auto kept = [&path](const std::string& name) {
    std::vector<std::string> names;
    for (const DatasetUse& use :
         LoadRecipe(path, {.only = {"dataset=" + name}}).datasets) {
      names.push_back(use.name);
    }
    return names;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(kept("embedded"), Names{"embedded"});
  EXPECT_EQ(kept("embedded-small"), Names{"embedded-small"});
  EXPECT_EQ(kept("folder"), (Names{"mine", "yours"}));
  EXPECT_EQ(kept("folder:mine"), Names{"mine"});
}

TEST_F(RecipeFile, AMethodMayRunOnSomeDataSetsOnly) {
  const Recipe recipe = LoadRecipe(
      Campaign(R"("methods": ["a", {"use": "b", "on": ["embedded"]}])"), {});
  EXPECT_TRUE(recipe.methods[0].on.empty());
  EXPECT_EQ(recipe.methods[1].on, std::vector<std::string>{"embedded"});
  const std::string error =
      ErrorOf(Campaign(R"("methods": [{"use": "b", "on": ["embeded"]}])"));
  EXPECT_NE(error.find("did you mean 'embedded'?"), std::string::npos) << error;
}

TEST_F(RecipeFile, SeedsLimitAndDeviceOfTheCommandLineWin) {
  const fs::path path =
      Campaign(R"("methods": [{"use": "a", "seeds": [9]}], "limit": 5)");
  const Recipe recipe =
      LoadRecipe(path, {.seeds = "0-1", .device = "cuda:1", .limit = 8});
  EXPECT_EQ(recipe.methods[0].seeds, (std::vector<std::uint64_t>{0, 1}));
  EXPECT_EQ(recipe.numerics.device, "cuda:1");
  EXPECT_EQ(recipe.limit, 8);
}

TEST_F(RecipeFile, ARootFromAnUnsetVariableIsMissingNotAnError) {
  const fs::path path = Write("c.json", R"({"schema": "tailmark-campaign/1",
    "campaign": "c", "methods": ["a"], "datasets": [{"use": "folder",
    "name": "mine", "root": "${TAILMARK_TEST_UNSET}/x"}]})");
  const Recipe unset = LoadRecipe(path, {});
  EXPECT_NE(unset.datasets[0].missing.find("TAILMARK_TEST_UNSET is not set"),
            std::string::npos);
  const Recipe set = LoadRecipe(path, {.set = {"datasets.mine.root=/there"}});
  EXPECT_EQ(set.datasets[0].missing, "");
  EXPECT_EQ(set.datasets[0].root, "/there");
}

TEST_F(RecipeFile, ACampaignNameThatLeadsElsewhereIsRefused) {
  for (const char* name : {"", "../x", "a b", ".hidden"}) {
    const fs::path path = Write(
        "c.json", StrCat(R"({"schema": "tailmark-campaign/1", "campaign": ")",
                         name, R"(", "datasets": ["a"], "methods": ["b"]})"));
    EXPECT_NE(ErrorOf(path).find("\"campaign\" must be"), std::string::npos);
  }
}

TEST(Units, TimesSizesAndSeedsAreRead) {
  EXPECT_EQ(ParseDuration("90", "x"), 90);
  EXPECT_EQ(ParseDuration("1h30m", "x"), 5400);
  EXPECT_EQ(ParseDuration("0.5s", "x"), 0.5);
  EXPECT_EQ(ParseBytes("512MiB", "x"), 512 << 20);
  EXPECT_EQ(ParseBytes("1GB", "x"), 1000000000);
  EXPECT_EQ(ParseSeeds("0-2,7,1", "x"),
            (std::vector<std::uint64_t>{0, 1, 2, 7}));
}

TEST(Units, NonsenseIsRefused) {
  for (const char* bad : {"", "h", "4x", "1h2", "-3s", "4h ", "nan"}) {
    EXPECT_THROW(ParseDuration(bad, "x"), ConfigError) << bad;
  }
  for (const char* bad : {"", "GiB", "4 GiB", "4Gib", "-1", "1e30GiB"}) {
    EXPECT_THROW(ParseBytes(bad, "x"), ConfigError) << bad;
  }
  for (const char* bad : {"", "a", "3-1", "1,", ",1", "0-99999999", "1-", "-1",
                          "0-18446744073709551615"}) {
    EXPECT_THROW(ParseSeeds(bad, "x"), ConfigError) << bad;
  }
}

}  // namespace
}  // namespace tailmark
