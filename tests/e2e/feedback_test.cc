// The schedule that LMPT's release drives by test scores, and the epoch that
// HP-DVAL's few-shot release picks by its query, from process to process: the
// worker has no test label, `tailmark` has them and counts each look.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "tests/e2e/program.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {
using ::testing::HasSubstr;

constexpr const char* kRecipe = R"({
  "schema": "tailmark-campaign/1",
  "campaign": "driven",
  "datasets": ["embedded"],
  "methods": [
    {"use": "lmpt", "profile": "repo",
     "options": {"epochs": 3, "batch_size": 32, "lr": 0.01, "empty_class": "clamp"}}
  ],
  "weights": "nano-clip",
  "pipeline": "as-is-48",
  "limit": 120,
  "limits": {"threads": 1}
})";

class Feedback : public ::testing::Test {
 protected:
  Program In(const std::string& name) const {
    std::filesystem::create_directories(scratch_.path() / name);
    WriteFileAtomic(scratch_.path() / name / "recipe.json", kRecipe);
    return Program(scratch_.path() / name);
  }
  static Json Query(const Program& tailmark, const std::string& sql) {
    const Said said = tailmark({"db", "query", sql, "--json"});
    EXPECT_EQ(said.code, 0) << said.err;
    return said.json();
  }

  ScratchFolder scratch_;
};

TEST_F(Feedback, LmptAsReleasedIsDrivenByTestScoresThatAreCounted) {
  const Program tailmark = In("a");
  const Said said = tailmark({"run", "recipe.json", "--json"});
  ASSERT_EQ(said.code, 0) << said.err;
  // An answer an epoch, and the score at the end.
  const Json runs = Query(tailmark, "SELECT test_evaluations AS n FROM run");
  ASSERT_EQ(runs.size(), 1u);
  EXPECT_EQ(runs[0]["n"], 4);
  const Json curve = Query(
      tailmark, "SELECT value FROM curve WHERE name = 'lr' ORDER BY step");
  EXPECT_EQ(curve.size(), 3u);

  const Program again = In("b");
  ASSERT_EQ(again({"run", "recipe.json"}).code, 0);
  const char* hash = "SELECT sha256 FROM score WHERE name = 'test'";
  EXPECT_EQ(Query(tailmark, hash), Query(again, hash));
}

TEST_F(Feedback, AWorkerThatNobodyAnswersRefusesSuchARun) {
  const Program tailmark = In("a");
  ASSERT_EQ(tailmark({"plan", "recipe.json", "-o", "plan.json"}).code, 0);
  const auto folder = tailmark.folder();
  const Json plan = ReadJson(folder / "plan.json");
  WriteFileAtomic(folder / "spec.json",
                  plan.at("tasks").at(0).at("spec").dump());
  const std::string command =
      StrCat("cd '", folder.string(), "' && '" TM_BIN_DIR,
             "/tailmark-worker' run spec.json bundle 2> said");
  EXPECT_NE(std::system(command.c_str()), 0);
  EXPECT_THAT(ReadFile(folder / "said"),
              HasSubstr("there is nobody to answer"));
}

constexpr const char* kFewShotRecipe = R"({
  "schema": "tailmark-campaign/1",
  "campaign": "picked",
  "datasets": ["embedded-fewshot"],
  "methods": [
    {"use": "coop", "preset": "embedded", "options": {"epochs": 3}},
    {"use": "coop", "name": "picked", "preset": "embedded", "options": {"epochs": 3},
     "selection": "best_on_test", "selection_every": 2}
  ],
  "weights": "nano-clip",
  "pipeline": "squash-48",
  "limits": {"threads": 1}
})";

TEST_F(Feedback, AnEpisodesEpochPickedByItsQueryIsBrandedBesideTheLast) {
  const Program tailmark = In("a");
  WriteFileAtomic(tailmark.folder() / "recipe.json", kFewShotRecipe);
  const Said said = tailmark({"run", "recipe.json", "--json"});
  ASSERT_EQ(said.code, 0) << said.err;
  const Json runs = said.json()["runs"];
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_FALSE(runs[0].contains("best_on_test"));
  // The same fit: a look moves nothing.
  EXPECT_EQ(runs[0]["metrics"], runs[1]["metrics"]);
  const Json& picked = runs[1]["best_on_test"];
  ASSERT_EQ(picked["epochs"].size(), 10u);
  for (const Json& epoch : picked["epochs"]) {
    EXPECT_TRUE(epoch == 2 || epoch == 3) << epoch;
  }
  for (const auto& [definition, last] : runs[1]["metrics"].items()) {
    if (!definition.starts_with("ap.step/")) continue;
    const Json& best = picked["metrics"][definition];
    EXPECT_EQ(best["episodes"]["count"], 10);
    for (std::size_t k = 0; k < 10; ++k) {
      EXPECT_GE(best["episodes"]["values"][k], last["episodes"]["values"][k]);
    }
    EXPECT_GE(best["total"], last["total"]);
  }
  // Ten episodes, each scored at the end and after two epochs.
  const Json looks = Query(
      tailmark, "SELECT test_evaluations AS n FROM run ORDER BY selection");
  ASSERT_EQ(looks.size(), 2u);
  EXPECT_EQ(looks[0]["n"], 30);
  EXPECT_EQ(looks[1]["n"], 10);
  const Said report = tailmark(
      {"report", "picked", "-f", "md", "-o", "report", "--resamples", "0"});
  ASSERT_EQ(report.code, 0) << report.err;
  EXPECT_THAT(ReadFile(tailmark.folder() / "report/report.md"),
              HasSubstr("**best_on_test**: "));
}

}  // namespace
}  // namespace tailmark
