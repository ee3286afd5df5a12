// Methods in C, by whatever compiler, from the recipe to the table.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "harness/base/files.h"
#include "tests/plugins/plugin_program.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// A shared object of each C compiler that was found.
std::vector<fs::path> Built() {
  std::vector<fs::path> found;
  std::istringstream in(TM_C_PLUGINS);
  for (std::string path; std::getline(in, path, ':');) found.emplace_back(path);
  return found;
}

class CPlugin : public ::testing::Test, protected PluginProgram {
 protected:
  void SetUp() override {
    if (Built().empty()) GTEST_SKIP() << "neither gcc nor clang is here";
  }
};

TEST_F(CPlugin, ItsRowStandsBesideTheBuiltinsWhateverCompilerMadeIt) {
  std::vector<double> totals;
  for (const fs::path& plugin : Built()) {
    const Json row = RowBesideThePrior(
        {{"use", "plugin:" + plugin.string() + "#nearest_mean_c"}});
    ASSERT_EQ(row["state"], "done") << row;
    totals.push_back(TotalOf(row));
    EXPECT_GT(totals.back(), 20.0);
    EXPECT_NEAR(totals.back(), totals.front(), 1e-3);
  }
}

TEST_F(CPlugin, LinksNothingOfOurs) {
  for (const fs::path& plugin : Built()) {
    const std::string bytes = ReadFile(plugin);
    EXPECT_EQ(bytes.find("libtorch"), bytes.npos) << plugin;
    EXPECT_EQ(bytes.find("libstdc++"), bytes.npos) << plugin;
  }
}

TEST_F(CPlugin, AnotherVersionOfTheInterfaceIsRefusedBeforeItsCodeRuns) {
  std::string bytes = ReadFile(Built().front());
  const std::string stamp = "\"abi\":\"1\"";
  const auto at = bytes.find(stamp);
  ASSERT_NE(at, bytes.npos);
  bytes.replace(at, stamp.size(), "\"abi\":\"7\"");
  WriteFileAtomic(folder() / "other.so", bytes);
  WriteRecipe({{{"use", "plugin:other.so"}}});
  const Said said = program({"plan", "r.json", "--allow-plugin", "."});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("the plugin has version '7'"));
}

TEST_F(CPlugin, DescribePrintsItsOptionsLikeABuiltins) {
  const Said said = program({"describe", "plugin:" + Built().front().string(),
                             "--allow-plugin", "/"});
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr("nearest_mean_c, version 1"));
  EXPECT_THAT(said.out, HasSubstr("batch_size"));
}

}  // namespace
}  // namespace tailmark
