// Scores that somebody else made, as rows of a recipe; and a night over them:
// green, then red.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <map>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/json.h"
#include "harness/base/npy.h"
#include "tests/e2e/made_store.h"
#include "tests/e2e/program.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class ScoreRows : public ::testing::Test {
 protected:
  ScoreRows() { WriteRecipe("scores:lab/*.npy"); }

  void WriteRecipe(const std::string& use) {
    WriteFileAtomic(scratch_.path() / "theirs.json",
                    Json({{"schema", "tailmark-campaign/1"},
                          {"campaign", "theirs"},
                          {"datasets", {"embedded"}},
                          {"methods", {{{"use", use}}}},
                          {"seeds", {0, 1}}})
                        .dump());
  }
  void WriteScores(const std::string& name, const MadeRun& run) {
    WriteScoreFile(scratch_.path() / "lab", name, run);
  }
  Said Run() { return tailmark_({"run", "theirs.json", "--json"}); }

  ScratchFolder scratch_;
  Program tailmark_{scratch_.path()};
};

TEST_F(ScoreRows, EnterTheSameTablesByNameOfImageAndClass) {
  WriteScores("strong", {.skill = 2});
  WriteScores("weak", {.skill = 0.5});
  const Said said = Run();
  ASSERT_EQ(said.code, 0) << said.err;
  // The very scores, stored as a run in the data set's own order.
  StoreCampaign(
      scratch_.path() / "other", "made",
      {{.method = "strong", .skill = 2}, {.method = "weak", .skill = 0.5}});
  const Program other(scratch_.path() / "program");
  const Json rows = said.json()["runs"];
  ASSERT_EQ(rows.size(), 2U) << "a file is one run, whatever the seeds";
  const std::string query =
      "SELECT m.name, s.sha256 FROM run r JOIN method m ON m.id = r.method_id "
      "JOIN score s ON s.run_id = r.id ORDER BY m.name";
  const Said mine = tailmark_({"db", "query", query, "--json"});
  const Said same = tailmark_({"--store", (scratch_.path() / "other").string(),
                               "db", "query", query, "--json"});
  EXPECT_EQ(mine.json(), same.json()) << mine.err << same.err;
  const Said compared = tailmark_({"compare", "theirs", "--json"});
  EXPECT_EQ(compared.code, 0) << compared.err;
  const Json total = compared.json()[0]["groups"]["total"];
  EXPECT_EQ(total[0]["row"], "strong");
  EXPECT_NE(total[0]["letters"], total[1]["letters"]);
  // The report says the same.
  ASSERT_EQ(tailmark_({"report", "-f", "json,md", "-o", "report"}).code, 0);
  const Json report = ReadJson(scratch_.path() / "report/report.json");
  for (const Json& row : report["datasets"][0]["rows"]) {
    const Json& summary = row["summary"];
    EXPECT_NE(summary.dump().find("\"letters\""), std::string::npos)
        << summary.dump(1);
  }
  EXPECT_THAT(ReadFile(scratch_.path() / "report/report.md"),
              HasSubstr("rows that share a letter are not distinguishable"));
}

TEST_F(ScoreRows, TheirOwnPipelineIsBrandedUnlessTheySayItIsOurs) {
  WriteScores("theirs", {});
  const fs::path meta = scratch_.path() / "lab/theirs.json";
  Json json = ReadJson(meta);
  json.erase("pipeline");
  WriteFileAtomic(meta, json.dump());
  ASSERT_EQ(Run().code, 0);
  const Said said =
      tailmark_({"db", "query", "SELECT kind, pipeline FROM method", "--json"});
  EXPECT_EQ(said.json()[0]["kind"], "scores");
  EXPECT_EQ(said.json()[0]["pipeline"], "foreign");
}

TEST_F(ScoreRows, AnImageOrAClassThatIsAbsentFailsThatRowAndNamesIt) {
  WriteScores("good", {});
  WriteScores("bad", {});
  const fs::path ids = scratch_.path() / "lab/bad.ids.txt";
  std::string text = ReadFile(ids);
  const std::string first = text.substr(0, text.find('\n'));
  WriteFileAtomic(ids, "nobody" + text.substr(first.size()));
  const Said said = Run();
  EXPECT_EQ(said.code, 3) << said.err;
  EXPECT_THAT(said.err, HasSubstr("image '" + first + "'"));
  const Json answer = said.json();
  for (const Json& run : answer.at("runs")) {
    EXPECT_EQ(run["state"], run["label"] == "good" ? "done" : "failed");
  }
  // A class under another name.
  WriteScores("bad", {});
  const fs::path meta = scratch_.path() / "lab/bad.json";
  Json json = ReadJson(meta);
  json["classes"][0] = "unicorn";
  WriteFileAtomic(meta, json.dump());
  EXPECT_THAT(Run().err, HasSubstr("of the test split is not there"));
}

TEST_F(ScoreRows, PluginCheckSaysWhatTheirFilesPromise) {
  WriteScores("theirs", {.skill = 1.5});
  const auto outcome = [&](const std::string& what, int code) {
    const Said said = tailmark_({"plugin", "check", what, "--json"});
    EXPECT_EQ(said.code, code) << said.out << said.err;
    std::map<std::string, std::string> outcomes;
    const Json answer = said.json();
    for (const Json& each : answer[0]["checks"]) {
      outcomes[each["check"]] = each["outcome"];
    }
    return outcomes;
  };
  const fs::path lab = scratch_.path() / "lab";
  const std::string file = (lab / "theirs.npy").string();
  for (const auto& [check, kept] : outcome("scores:" + file, 0)) {
    EXPECT_EQ(kept, "kept") << check;
  }
  EXPECT_EQ(outcome(file, 0).size(), 8u);
  const Said said = tailmark_({"describe", file});
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr("24 classes; scale logit"));

  WriteNpy(file, DType::kFloat32, std::vector<std::int64_t>{2, 3},
           std::vector<float>{2, NAN, 2, 2, 2, 2});
  Json meta = ReadJson(lab / "theirs.json");
  meta["scale"] = "probability";
  meta["classes"][1] = meta["classes"][0];
  WriteFileAtomic(lab / "theirs.json", meta.dump());
  auto broken = outcome(file, 1);
  EXPECT_EQ(broken.at("IsAMatrixOfScores"), "kept");
  for (const char* check : {"ARowAnImageAColumnAClass", "EveryScoreIsANumber",
                            "NoClassComesTwice", "TheScaleIsWhatItSays"}) {
    EXPECT_EQ(broken.at(check), "broken") << check;
  }
  WriteNpy(file, DType::kFloat32, std::vector<std::int64_t>{2, 1},
           std::vector<float>{2, 2});
  EXPECT_EQ(outcome(file, 1).at("ScoresTellImagesApart"), "broken");
  WriteFileAtomic(file, "no array");
  broken = outcome(file, 1);
  EXPECT_EQ(broken.at("IsAMatrixOfScores"), "broken");
  EXPECT_EQ(broken.at("EveryScoreIsANumber"), "skipped");
}

TEST_F(ScoreRows, AFileThatIsNotThereIsExit2) {
  EXPECT_EQ(Run().code, 2);
  WriteRecipe("scores:lab/none.npy");
  const Said said = Run();
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("none.npy"));
}

TEST_F(ScoreRows, ANightIsGreenThenRedOnAPlantedLoss) {
  WriteScores("theirs", {.skill = 1.5});
  const std::string night =
      StrCat("cd '", scratch_.path().string(), "' && TAILMARK_STORE='",
             tailmark_.store().string(), "' TAILMARK_BIN='", TM_BIN_DIR, "' '",
             TM_SOURCE_DIR, "/ci/nightly' theirs.json >night.txt 2>&1");
  const auto run = [&] { return WEXITSTATUS(std::system(night.c_str())); };
  ASSERT_EQ(run(), 0) << ReadFile(scratch_.path() / "night.txt");
  ASSERT_EQ(run(), 0) << ReadFile(scratch_.path() / "night.txt");
  const fs::path out = tailmark_.store() / "nightly";
  EXPECT_THAT(ReadFile(out / "summary.md"), HasSubstr("pass"));
  WriteScores("theirs", {.skill = 1.3});
  EXPECT_EQ(run(), 1) << ReadFile(scratch_.path() / "night.txt");
  EXPECT_THAT(ReadFile(out / "summary.md"), HasSubstr("regression"));
  EXPECT_THAT(ReadFile(out / "theirs.xml"), HasSubstr("<failure"));
  EXPECT_TRUE(fs::exists(out / "theirs-report/report.html"));
}

}  // namespace
}  // namespace tailmark
