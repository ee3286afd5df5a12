// From the id of a published row to a verdict: the list, the cost, and, where
// there is a worker, a stand-in of one row of each paper.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/base/files.h"
#include "tests/e2e/program.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {

using ::testing::HasSubstr;

class ReproduceVerb : public ::testing::Test {
 protected:
  ScratchFolder scratch_;
  Program tailmark_{scratch_.path()};
};

TEST_F(ReproduceVerb, TheListNamesEveryRowWithWhatIsHereOfIt) {
  const Said said = tailmark_({"reproduce", "--list", "--json"});
  ASSERT_EQ(said.code, 0) << said.err;
  std::map<std::string, std::string> here;
  const Json rows = said.json();
  for (const Json& row : rows) here[row["name"]] = row["here"];
  EXPECT_EQ(here.at("hp-dval:table1:HP-DVAL:coco-lt"), "has a recipe");
  EXPECT_EQ(here.at("hp-dval:table1:ERM:coco-lt"), "no such method");
  EXPECT_EQ(here.at("psd:table1:PSD+ResNet101 @448:coco"), "stand-in only");
  EXPECT_GT(here.size(), 150U);
}

TEST_F(ReproduceVerb, ARowWithoutAMethodIsNotRunExit4AndItsLintIsShown) {
  const Said said =
      tailmark_({"reproduce", "hp-dval:table1:LDAM:voc-lt", "--json"});
  EXPECT_EQ(said.code, 4) << said.err;
  const Json row = said.json()["rows"][0];
  EXPECT_EQ(row["verdict"], "not run");
  EXPECT_EQ(row["reason"], "no such method");
  EXPECT_EQ(row["lint"][0]["rule"], "group-mean");
  EXPECT_THAT(row["arithmetic"].get<std::string>(), HasSubstr("8 x 69.09"));
  EXPECT_FALSE(std::filesystem::exists(tailmark_.store()))
      << "nothing to run makes no store";
}

TEST_F(ReproduceVerb, AWrongIdIsExit2WithTheNearest) {
  const Said said = tailmark_({"reproduce", "hp-dval:table1:LMTP"});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("did you mean 'LMPT'"));
  EXPECT_EQ(tailmark_({"reproduce"}).code, 2);
}

#ifdef TM_HAS_ENGINE
TEST_F(ReproduceVerb, WhatIsMissingIsSaidAndNothingIsRun) {
  tailmark_.environment["TAILMARK_WEIGHTS"] = scratch_.path().string();
  const Said said =
      tailmark_({"reproduce", "hp-dval:table1:HP-DVAL:coco-lt", "--json"});
  EXPECT_EQ(said.code, 4) << said.err;
  const Json row = said.json()["rows"][0];
  EXPECT_EQ(row["verdict"], "not run");
  EXPECT_THAT(row["reason"].get<std::string>(), HasSubstr("vit-b-16"));
  // The printed medium and tail are exchanged, run or not.
  EXPECT_THAT(row["lint"].dump(), HasSubstr("swap"));
}

// One row of each paper, with the smallest settings that run.
struct StandIn {
  const char* name;
  const char* id;
  std::vector<std::string> set;
  const char* profile;
};
void PrintTo(const StandIn& each, std::ostream* out) { *out << each.name; }

class AStandIn : public ::testing::TestWithParam<StandIn> {};

TEST_P(AStandIn, RunsFromIdToVerdict) {
  const ScratchFolder scratch;
  const Program tailmark(scratch.path());
  std::vector<std::string> words = {"reproduce", GetParam().id, "--stand-in",
                                    "--limit",   "120",         "--seeds",
                                    "0-1"};
  for (const std::string& each : GetParam().set) {
    words.push_back("--set");
    words.push_back(each);
  }
  std::vector<std::string> plan = words;
  plan.push_back("--plan");
  plan.push_back("--json");
  const Said cost = tailmark(plan);
  ASSERT_EQ(cost.code, 0) << cost.err;
  EXPECT_GE(cost.json()["tasks"].size(), 2U);
  words.push_back("--json");
  const Said said = tailmark(words);
  EXPECT_EQ(said.code, 5) << said.err;
  const Json answer = said.json();
  ASSERT_EQ(answer["rows"].size(), 1U);
  const Json& row = answer["rows"][0];
  EXPECT_EQ(row["verdict"], "not comparable");
  EXPECT_EQ(row["stand_in"], true);
  EXPECT_EQ(row["profile"], GetParam().profile);
  EXPECT_TRUE(row["cells"][0]["mean"].is_number()) << row.dump(1);
  EXPECT_TRUE(row["cells"][0]["ours"].is_number());
  // Nothing is run twice, and the report shows the row.
  const Said again = tailmark(words);
  EXPECT_EQ(again.json()["rows"], answer["rows"]);
  ASSERT_EQ(tailmark({"report", "-f", "html,md,json", "-o", "report",
                      "--resamples", "50"})
                .code,
            0);
  const std::string html = ReadFile(scratch.path() / "report" / "report.html");
  EXPECT_THAT(html, HasSubstr("Do we find what the papers print?"));
  EXPECT_THAT(html, HasSubstr("v-not-comparable"));
}

INSTANTIATE_TEST_SUITE_P(
    , AStandIn,
    ::testing::Values(StandIn{"HpDval",
                              "hp-dval:table5:two-stage DVAL:coco-lt",
                              {"hp_dval-stage1-embedded.stage1_epochs=1"},
                              "hpdval"},
                      StandIn{"Lmpt",
                              "lmpt:table1:LMPT:voc-lt",
                              {"lmpt-embedded.epochs=1"},
                              "lmpt"},
                      StandIn{"Cprfl",
                              "cprfl:table1:DB Focal:coco-lt",
                              {"linear_probe-db-embedded.epochs=1"},
                              "lmpt"},
                      StandIn{"FewShot",
                              "hp-dval:table2:CoOp:voc07-fewshot",
                              {"coop-1-shot-embedded-fewshot-shots-1.epochs=1",
                               "coop-5-shot-embedded-fewshot-shots-5.epochs=1"},
                              "hpdval"},
                      StandIn{"Psd",
                              "psd:table1:ResNet101* (baseline) @448",
                              {"psd-control-embedded.epochs=1"},
                              "mlgcn"}),
    [](const auto& each) { return each.param.name; });
#endif

}  // namespace
}  // namespace tailmark
