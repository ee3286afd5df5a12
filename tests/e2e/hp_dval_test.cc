// HP-DVAL with the real programs: two stages are two runs, and the first is
// never trained twice.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "harness/base/files.h"
#include "tests/e2e/program.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;
using ::testing::HasSubstr;

class HpDvalStages : public ::testing::Test {
 protected:
  HpDvalStages() : tailmark_(scratch_.path()) {}

  /// A campaign of one row, quick and small.
  Said Run(const std::string& row, std::vector<std::string> sets = {}) {
    std::vector<std::string> words = {"run",    "quickstart",    "--json",
                                      "--only", "method=" + row, "--limit",
                                      "48"};
    sets.insert(sets.end(),
                {"hp_dval.stage1_epochs=1", "hp_dval.batch_size=24"});
    for (const std::string& set : sets) {
      words.push_back("--set");
      words.push_back(set);
    }
    return tailmark_(words);
  }
  /// row of the store -> when it was finished
  std::map<std::string, std::string> Finished() {
    const Said said = tailmark_(
        {"db", "query",
         "SELECT key, finished_utc FROM run WHERE state = 'done'", "--json"});
    EXPECT_EQ(said.code, 0) << said.err;
    std::map<std::string, std::string> found;
    for (const Json& row : said.json()) {
      found[row["key"]] = row["finished_utc"];
    }
    return found;
  }

  ScratchFolder scratch_;
  Program tailmark_;
};

TEST_F(HpDvalStages, StageTwoFindsStageOneByItsKeyAndNeverTrainsItAgain) {
  const Said first = Run("hp_dval-stage1");
  ASSERT_EQ(first.code, 0) << first.err;
  const auto one = Finished();
  ASSERT_EQ(one.size(), 1u);

  const Said second = Run("hp_dval-stage2");
  ASSERT_EQ(second.code, 0) << second.err;
  const auto both = Finished();
  EXPECT_EQ(both.size(), 2u);
  const auto& [key, when] = *one.begin();
  ASSERT_TRUE(both.contains(key));
  EXPECT_EQ(both.at(key), when);
}

TEST_F(HpDvalStages, StageTwoAloneBringsItsStageOneAlong) {
  const Said second = Run("hp_dval-stage2");
  ASSERT_EQ(second.code, 0) << second.err;
  const auto both = Finished();
  EXPECT_EQ(both.size(), 2u);
  // Asked for by name, it is there already.
  const Said first = Run("hp_dval-stage1");
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_EQ(Finished(), both);
}

TEST_F(HpDvalStages, AStageOneThatWasDamagedSinceIsMadeAgain) {
  ASSERT_EQ(Run("hp_dval-stage2").code, 0);
  const auto before = Finished();
  fs::path state;
  for (const auto& [key, when] : before) {
    const fs::path file =
        tailmark_.store() / "bundles" / key / "state.safetensors";
    if (fs::exists(file)) state = file;
  }
  ASSERT_FALSE(state.empty());
  std::string bytes = ReadFile(state);
  bytes.back() = static_cast<char>(~bytes.back());
  WriteFileAtomic(state, bytes);

  const Said second = Run("hp_dval-stage2", {"hp_dval.stage2_epochs=2"});
  EXPECT_EQ(second.code, 0) << second.err;
  EXPECT_THAT(second.err, HasSubstr("is damaged and will be made again"));
  EXPECT_THAT(second.err, HasSubstr(state.string()));
  // The numbers stay with the first run, whose row it is.
  const auto after = Finished();
  EXPECT_EQ(after.size(), 3u);
  for (const auto& [key, when] : before) EXPECT_EQ(after.at(key), when);
  const Said check = tailmark_({"db", "check"});
  EXPECT_EQ(check.code, 0) << check.out;
}

TEST_F(HpDvalStages, DescribeListsThe17ConflictsWithBothValues) {
  const Said said = tailmark_({"describe", "hp_dval", "--deviations"});
  ASSERT_EQ(said.code, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr("17 places"));
  EXPECT_THAT(said.out, HasSubstr("stage2_positive"));
  EXPECT_THAT(said.out, HasSubstr("imagenet1k"));
  const Json json = tailmark_({"describe", "hp_dval", "--json"}).json();
  EXPECT_EQ(json["deviations"].size(), 17u);
}

}  // namespace
}  // namespace tailmark
