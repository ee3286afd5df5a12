// The gate as a CI system meets it: verbs, files and exit codes, on a store of
// made runs.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "harness/base/files.h"
#include "tests/e2e/made_store.h"
#include "tests/e2e/program.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {

using ::testing::HasSubstr;

class GateVerbs : public ::testing::Test {
 protected:
  void Campaign(const std::string& name, const std::vector<MadeRun>& runs) {
    StoreCampaign(tailmark_.store(), name, runs);
  }
  Said Accept(const std::string& why = "it is right") {
    return tailmark_(
        {"baseline", "accept", "main", "--why", why, "--by", "me"});
  }
  Said Check(std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"check", "--baseline", "main", "--confirm", "0",
                               "--resamples", "500", "--json"});
    return tailmark_(more);
  }
  static std::string TotalOutcome(const Said& said) {
    return said.json()["rows"][0]["cells"][0]["outcome"];
  }

  ScratchFolder scratch_;
  Program tailmark_{scratch_.path()};
};

TEST_F(GateVerbs, TheSameRunsPassBitByBitWithExit0) {
  Campaign("night", {{}});
  ASSERT_EQ(Accept().code, 0);
  Campaign("again", {{.build = "build-2"}});
  const Said said = Check();
  EXPECT_EQ(said.code, 0) << said.err;
  const Json cell = said.json()["rows"][0]["cells"][0];
  EXPECT_EQ(cell["outcome"], "pass");
  EXPECT_EQ(cell["tier"], 1);
  EXPECT_EQ(cell["difference"], 0);
  EXPECT_EQ(cell["p"], 1);
}

TEST_F(GateVerbs, ALossOnTheSameImagesIsExit1) {
  Campaign("night", {{}});
  ASSERT_EQ(Accept().code, 0);
  Campaign("worse", {{.build = "build-2", .skill = 1.3}});
  const Said said = Check({"--junit", "junit.xml", "--markdown", "check.md"});
  EXPECT_EQ(said.code, 1) << said.err;
  const Json cell = said.json()["rows"][0]["cells"][0];
  EXPECT_EQ(cell["outcome"], "regression");
  EXPECT_EQ(cell["tier"], 3);
  EXPECT_LT(cell["difference"].get<double>(), -1);
  EXPECT_THAT(ReadFile(scratch_.path() / "junit.xml"),
              HasSubstr("<failure message=\"regression: "));
  EXPECT_THAT(ReadFile(scratch_.path() / "check.md"),
              HasSubstr("**regression**"));
  // Kept, with its tier.
  const Said kept = tailmark_(
      {"db", "query", "SELECT outcome, tier FROM verdict WHERE grp = 'total'",
       "--json"});
  EXPECT_THAT(kept.out, HasSubstr("regression"));
}

TEST_F(GateVerbs, AGainThatNothingExplainsFailsOnlyWhenStrict) {
  Campaign("night", {{}});
  ASSERT_EQ(Accept().code, 0);
  Campaign("better", {{.build = "build-2", .skill = 1.8}});
  Said said = Check();
  EXPECT_EQ(said.code, 0);
  EXPECT_EQ(TotalOutcome(said), "too_good");
  EXPECT_EQ(Check({"--strict"}).code, 1);
  // A raised version explains it.
  Campaign("explained",
           {{.build = "build-2", .method_version = 2, .skill = 1.8}});
  said = Check({"--strict"});
  EXPECT_EQ(said.code, 0);
  EXPECT_EQ(TotalOutcome(said), "improvement");
}

TEST_F(GateVerbs, NothingMeasuredIsExit4) {
  Campaign("night", {{}});
  ASSERT_EQ(Accept().code, 0);
  Campaign("other", {{.method = "another"}});
  const Said said = Check();
  EXPECT_EQ(said.code, 4);
  EXPECT_EQ(TotalOutcome(said), "missing");
  EXPECT_EQ(said.json()["rows"][1]["cells"][0]["outcome"], "new");
  Campaign("failed", {{.build = "build-3", .state = RunState::kFailed}});
  EXPECT_EQ(Check().code, 4);
  EXPECT_EQ(TotalOutcome(Check()), "error");
}

TEST_F(GateVerbs, AMissingRowBesideAGoodOneIsExit1) {
  Campaign("night", {{}, {.method = "another"}});
  ASSERT_EQ(Accept().code, 0);
  Campaign("less", {{.build = "build-2"}});
  EXPECT_EQ(Check().code, 1);
  EXPECT_EQ(Check({"--fail-on", "regression"}).code, 0);
}

TEST_F(GateVerbs, AnotherSelectionIsNotComparableAndExit5) {
  Campaign("night", {{}});
  ASSERT_EQ(Accept().code, 0);
  Campaign("best", {{.build = "build-2", .selection = "best_on_test"}});
  const Said said = Check();
  EXPECT_EQ(said.code, 5);
  EXPECT_EQ(TotalOutcome(said), "not_comparable");
  EXPECT_THAT(said.out, HasSubstr("selection was last, is best_on_test"));
}

TEST_F(GateVerbs, WrongWordsAreExit2AndOfferTheRightOnes) {
  Campaign("night", {{}});
  EXPECT_EQ(Check().code, 2);
  ASSERT_EQ(Accept().code, 0);
  const Said said = tailmark_({"check", "--baseline", "mian"});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("'main'"));
  EXPECT_EQ(Check({"--fail-on", "regresion"}).code, 2);
  EXPECT_EQ(Check({"--margin", "total"}).code, 2);
  EXPECT_EQ(tailmark_({"check", "--confirm", "3"}).code, 2);
}

TEST_F(GateVerbs, SeedsDecideWhereTheyDiffer) {
  std::vector<MadeRun> then;
  std::vector<MadeRun> same;
  std::vector<MadeRun> worse;
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    then.push_back({.seed = seed, .stochastic = true});
    same.push_back(
        {.seed = seed, .build = "build-2", .salt = 1, .stochastic = true});
    worse.push_back({.seed = seed,
                     .build = "build-3",
                     .skill = 1.2,
                     .salt = 2,
                     .stochastic = true});
  }
  Campaign("night", then);
  ASSERT_EQ(Accept().code, 0);
  Campaign("same", same);
  Said said = Check();
  EXPECT_EQ(said.code, 0) << said.out;
  EXPECT_EQ(said.json()["rows"][0]["cells"][0]["tier"], 4);
  Campaign("worse", worse);
  said = Check();
  EXPECT_EQ(said.code, 1) << said.out;
  EXPECT_EQ(TotalOutcome(said), "regression");
}

TEST_F(GateVerbs, ABaselineNeedsAReasonAndKeepsItsFirst) {
  Campaign("night", {{}});
  EXPECT_EQ(tailmark_({"baseline", "accept", "main"}).code, 2);
  EXPECT_EQ(Accept("  ").code, 2);
  ASSERT_EQ(Accept("first").code, 0);
  Campaign("later", {{.build = "build-2", .skill = 1.45}});
  ASSERT_EQ(Accept("a little worse, on purpose").code, 0);
  const Json all = tailmark_({"baseline", "list", "--json"}).json();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0]["why"], "first");
  EXPECT_EQ(all[1]["by"], "me");
  // Small losses add up: the oldest baseline remembers.
  const Said said = Check();
  EXPECT_EQ(said.code, 0);
  EXPECT_EQ(said.json()["drift"][0]["cells"][0]["outcome"], "regression");
  const Json diff = tailmark_({"baseline", "diff", "main", "--json"}).json();
  EXPECT_LT(diff.back()["difference"].get<double>(), 0);
}

TEST_F(GateVerbs, TheSelfTestIsGreenOnAAAndRedOnALoss) {
  const Said said = tailmark_({"check", "--self-test"});
  EXPECT_EQ(said.code, 0) << said.out;
  EXPECT_THAT(said.out, HasSubstr("A/A: green"));
  EXPECT_THAT(said.out, HasSubstr("points: red"));
}

TEST_F(GateVerbs, CompareTellsRowsApartAndARunFromItselfNot) {
  Campaign("night", {{}, {.method = "another", .skill = 1.2}});
  const Said said = tailmark_(
      {"compare", "another", "probe", "--resamples", "300", "--json"});
  ASSERT_EQ(said.code, 0) << said.err;
  const Json total = said.json()[0]["groups"]["total"];
  EXPECT_LT(total["difference"].get<double>(), 0);
  EXPECT_EQ(total["outcome"], "different");
  const Json self =
      tailmark_({"compare", "probe", "probe", "--resamples", "300", "--json"})
          .json()[0]["groups"]["total"];
  EXPECT_EQ(self["difference"], 0);
  EXPECT_EQ(self["p"], 1);
  const Json letters =
      tailmark_({"compare", "night", "--resamples", "300", "--json"}).json();
  EXPECT_EQ(letters[0]["groups"]["total"][0]["letters"], "a");
  EXPECT_EQ(letters[0]["groups"]["total"][1]["letters"], "b");
  EXPECT_EQ(tailmark_({"compare", "probe", "nobody"}).code, 2);
  // A row's own name goes before its method's, which several rows may have.
  Campaign("named", {{},
                     {.method_version = 2, .label = "probe-two"},
                     {.method = "another", .skill = 1.2}});
  const Json named =
      tailmark_({"compare", "probe", "another", "--resamples", "50", "--json"})
          .json();
  ASSERT_EQ(named.size(), 1u) << named;
  EXPECT_EQ(named[0]["a"], "probe on embedded, 1 run");
  // One of an older campaign is named with it.
  Campaign("later", {{.build = "build-2", .skill = 1.4}});
  const Json across = tailmark_({"compare", "night/another", "probe",
                                 "--resamples", "50", "--json"})
                          .json();
  ASSERT_EQ(across.size(), 1u) << across;
  EXPECT_EQ(across[0]["a"], "another on embedded, 1 run");
  const Said wrong = tailmark_({"compare", "night/anothr", "probe"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("did you mean 'night/another'"));
}

TEST_F(GateVerbs, CompareAndReportSayOfHowManyShotsTheirRowsAre) {
  Campaign("few", {{.shots = 1},
                   {.shots = 5},
                   {.method = "another", .skill = 1.2, .shots = 1},
                   {.method = "another", .skill = 1.2, .shots = 5}});
  const Said said =
      tailmark_({"compare", "another", "probe", "--resamples", "50", "--json"});
  ASSERT_EQ(said.code, 0) << said.err;
  const Json pairs = said.json();
  ASSERT_EQ(pairs.size(), 2u) << said.out;
  EXPECT_EQ(pairs[0]["a"], "another on embedded-fewshot shots=1, 1 run");
  EXPECT_EQ(pairs[0]["b"], "probe on embedded-fewshot shots=1, 1 run");
  EXPECT_EQ(pairs[1]["a"], "another on embedded-fewshot shots=5, 1 run");
  EXPECT_EQ(pairs[1]["units"]["unit"], "episode");
  // Letters stand within one protocol, and both protocols have them.
  const Json letters =
      tailmark_({"compare", "few", "--resamples", "50", "--json"}).json();
  ASSERT_EQ(letters.size(), 2u);
  EXPECT_EQ(letters[0]["dataset"], "embedded-fewshot shots=1");
  EXPECT_EQ(letters[1]["dataset"], "embedded-fewshot shots=5");
  // A report has intervals of episodes, too.
  const auto out = scratch_.path() / "out";
  const Said report = tailmark_(
      {"report", "-f", "json", "-o", out.string(), "--resamples", "50"});
  ASSERT_EQ(report.code, 0) << report.err;
  const Json sets = ReadJson(out / "report.json")["datasets"];
  ASSERT_EQ(sets.size(), 2u);
  EXPECT_EQ(sets[0]["name"], "embedded-fewshot shots=1");
  EXPECT_EQ(sets[1]["name"], "embedded-fewshot shots=5");
  for (const Json& set : sets) {
    for (const Json& row : set["rows"]) {
      const Json total = row["summary"]["total"];
      EXPECT_EQ(total["episodes"].size(), 10u);
      ASSERT_TRUE(total.contains("interval")) << report.err;
      EXPECT_LT(total["interval"]["lo"], total["mean"]);
      EXPECT_GT(total["interval"]["hi"], total["mean"]);
      EXPECT_EQ(total["letters"], row["method"] == "probe" ? "a" : "b");
    }
  }
}

TEST_F(GateVerbs, BisectFindsThePlantedCommit) {
  const auto repo = scratch_.path() / "repo";
  MakeFolders(repo);
  const std::string quoted = "'" + repo.string() + "'";
  // Eight commits; the fifth spoils the score.
  const std::string script =
      "cd " + quoted +
      " && git init -q . && git config user.email a@b && git config user.name "
      "a && for i in 1 2 3 4 5 6 7 8; do if [ $i -lt 5 ]; then echo 60 > "
      "score; else echo 58 > score; fi; echo $i > turn; git add -A; git commit "
      "-qm \"turn $i\"; git tag t$i; done";
  if (std::system(script.c_str()) != 0) GTEST_SKIP() << "no git";
  Program here{repo};
  const std::string judge =
      "test \"$(cat score)\" -ge 60 && exit 0; "
      "test \"$(cat turn)\" -eq 6 && exit 3; exit 1";
  const Said said =
      here({"bisect", "--good", "t1", "--bad", "t8", "--run", judge, "--json"});
  ASSERT_EQ(said.code, 0) << said.err;
  const std::string found = said.json()["first_bad"];
  const std::string same =
      "cd " + quoted + " && test $(git rev-parse t5) = " + found;
  EXPECT_EQ(std::system(same.c_str()), 0) << found;
  // The tree is as it was, and changes in it are not risked.
  EXPECT_EQ(ReadFile(repo / "turn"), "8\n");
  WriteFileAtomic(repo / "score", "57\n");
  EXPECT_EQ(here({"bisect", "--good", "t1", "--run", "true"}).code, 2);
  EXPECT_EQ(here({"bisect"}).code, 2);
}

}  // namespace
}  // namespace tailmark
