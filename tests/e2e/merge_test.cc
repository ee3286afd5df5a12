// What workers on many machines left comes together in one store: all of it,
// once, and nothing that is damaged.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "tests/e2e/made_store.h"
#include "tests/e2e/program.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;
using ::testing::HasSubstr;

class Merging : public ::testing::Test {
 protected:
  /// Seeds `first` to `last` in bundles of a store of this name.
  fs::path Node(const std::string& name, std::uint64_t first,
                std::uint64_t last) const {
    const fs::path store = scratch_.path() / name;
    std::vector<MadeRun> runs;
    for (std::uint64_t seed = first; seed <= last; ++seed) {
      runs.push_back({.seed = seed});
    }
    WriteMadeBundles(store / "bundles", "night", runs);
    return store;
  }
  std::vector<fs::path> BundlesOf(const fs::path& store) const {
    std::vector<fs::path> bundles;
    for (const auto& entry : fs::directory_iterator(store / "bundles")) {
      bundles.push_back(entry.path());
    }
    std::sort(bundles.begin(), bundles.end());
    return bundles;
  }
  /// Runs of a state in the store.
  int Count(const std::string& state) const {
    const Said said = tailmark_(
        {"db", "query",
         "SELECT count(*) AS n FROM run WHERE state = '" + state + "'",
         "--json"});
    EXPECT_EQ(said.code, 0) << said.err;
    return said.json()[0]["n"];
  }

  ScratchFolder scratch_;
  Program tailmark_{scratch_.path() / "here"};
};

TEST_F(Merging, ABundleWithAWrongHashIsRefusedAndNamedAndTheOthersComeIn) {
  const fs::path node = Node("node", 0, 4);
  const fs::path torn = BundlesOf(node)[1];
  WriteFileAtomic(torn / "ids.txt", "other\n");
  const Said said = tailmark_({"merge", node.string(), "--json"});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("refused: " + torn.string()));
  EXPECT_THAT(said.err, HasSubstr("ids.txt"));
  const Json answer = said.json();
  EXPECT_EQ(answer["runs"].size(), 4u);
  ASSERT_EQ(answer["refused"].size(), 1u);
  EXPECT_EQ(answer["refused"][0]["bundle"], torn.string());
  EXPECT_EQ(Count("done"), 4);
  EXPECT_FALSE(fs::exists(tailmark_.store() / "bundles" / torn.filename()));
}

TEST_F(Merging, FailuresComeInWithTheirReasonsAndASecondTimeChangesNothing) {
  const fs::path node = scratch_.path() / "node";
  WriteMadeBundles(node / "bundles", "night",
                   {{.seed = 0}, {.seed = 1, .state = RunState::kTimeout}});
  for (int i = 0; i < 2; ++i) {
    const Said said = tailmark_({"merge", node.string()});
    EXPECT_EQ(said.code, 0) << said.err;
    EXPECT_THAT(said.out, HasSubstr("timeout"));
    EXPECT_THAT(said.out, HasSubstr("made to fail"));
    EXPECT_EQ(Count("done"), 1);
    EXPECT_EQ(Count("timeout"), 1);
  }
}

TEST_F(Merging, TwoAtOnceTakeEachRunOnce) {
  // Both nodes have seeds 4 to 7.
  const fs::path one = Node("one", 0, 7);
  const fs::path two = Node("two", 4, 11);
  const pid_t first = tailmark_.Start({"merge", one.string(), two.string()});
  const Said second = tailmark_({"merge", two.string(), one.string()});
  EXPECT_EQ(Program::Wait(first), 0);
  EXPECT_EQ(second.code, 0) << second.err;
  EXPECT_EQ(Count("done"), 12);
  EXPECT_EQ(Count("failed"), 0);
  EXPECT_EQ(BundlesOf(tailmark_.store()).size(), 12u);
  EXPECT_EQ(tailmark_({"db", "check"}).code, 0);
}

TEST_F(Merging, TwoFailuresOfAKeyInOneFolderAreTwoAttempts) {
  const fs::path both = scratch_.path() / "both";
  MakeFolders(both);
  for (const RunState state : {RunState::kFailed, RunState::kTimeout}) {
    const fs::path node = scratch_.path() / std::string(NameOf(state));
    WriteMadeBundles(node / "bundles", "night", {{.seed = 0, .state = state}});
    fs::rename(BundlesOf(node).at(0), both / std::string(NameOf(state)));
  }
  const Said said = tailmark_({"import", both.string()});
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_EQ(Count("failed"), 1);
  EXPECT_EQ(Count("timeout"), 1);
}

TEST_F(Merging, ManyBundlesComeInAndThoseBeforeAPathThatIsNoBundleStay) {
  const fs::path node = Node("node", 0, 79);
  EXPECT_EQ(tailmark_({"merge", node.string()}).code, 0);
  EXPECT_EQ(Count("done"), 80);
  EXPECT_EQ(BundlesOf(tailmark_.store()).size(), 80u);
  const fs::path later = Node("later", 80, 81);
  const Said said =
      tailmark_({"import", (later / "bundles").string(), "nowhere"});
  EXPECT_EQ(said.code, 2);
  EXPECT_EQ(Count("done"), 82);
}

TEST_F(Merging, WhatComesInLaterBelongsToTheSameCampaign) {
  ASSERT_EQ(tailmark_({"merge", Node("one", 0, 1).string()}).code, 0);
  ASSERT_EQ(tailmark_({"merge", Node("two", 1, 3).string()}).code, 0);
  const Said status = tailmark_({"status", "--json"});
  EXPECT_EQ(status.json()["counts"], Json({{"done", 4}})) << status.out;
}

TEST_F(Merging, ADamagedBundleOfTheStoreMakesRoomForAWholeOne) {
  const fs::path node = Node("node", 0, 0);
  ASSERT_EQ(tailmark_({"merge", node.string()}).code, 0);
  const fs::path kept = BundlesOf(tailmark_.store())[0];
  WriteFileAtomic(kept / "ids.txt", "other\n");
  ASSERT_EQ(tailmark_({"merge", node.string()}).code, 0);
  EXPECT_EQ(ReadFile(kept / "ids.txt"),
            ReadFile(BundlesOf(node)[0] / "ids.txt"));
  EXPECT_EQ(Count("done"), 1);
}

}  // namespace
}  // namespace tailmark
