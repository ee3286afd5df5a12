// What `tailmark` promises to the programs that call it: exit codes, JSON on
// stdout and nothing else there, help. Needs no engine.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/npy.h"
#include "tests/e2e/program.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {
using ::testing::HasSubstr;

class Cli : public ::testing::Test {
 protected:
  std::filesystem::path Path(const std::string& name) const {
    return scratch_.path() / name;
  }
  template <class T>
  std::string Npy(const std::string& name, DType dtype,
                  const std::vector<std::int64_t>& shape,
                  const std::vector<T>& values) const {
    WriteNpy(Path(name), dtype, shape, values);
    return Path(name).string();
  }

  ScratchFolder scratch_;
  Program tailmark_{scratch_.path()};
};

const std::vector<std::vector<std::string>> kVerbs = {
    {"list"},
    {"describe"},
    {"doctor"},
    {"data"},
    {"data", "show"},
    {"data", "preprocess"},
    {"validate"},
    {"plan"},
    {"run"},
    {"reproduce"},
    {"resume"},
    {"status"},
    {"watch"},
    {"worker"},
    {"slurm"},
    {"import"},
    {"export"},
    {"merge"},
    {"pack"},
    {"verify"},
    {"eval"},
    {"plugin", "check"},
    {"plugin", "new"},
    {"plugin", "stamp"},
    {"report"},
    {"db"},
    {"db", "check"},
    {"db", "migrate"},
    {"db", "query"},
    {"db", "vacuum"},
    {"encode", "images"},
    {"encode", "text"},
    {"tokenize"},
    {"weights", "list"},
    {"weights", "fetch"},
    {"weights", "import"},
    {"weights", "verify"},
    {"weights", "random"},
    {"cache", "list"},
    {"cache", "prune"},
    {"data", "fetch"},
    {"data", "verify"},
    {"data", "manifest"},
    {"data", "annotate-check"},
    {"data", "captions"},
    {"data", "make-lt"},
    {"compare"},
    {"audit"},
    {"check"},
    {"baseline", "accept"},
    {"baseline", "list"},
    {"baseline", "diff"},
    {"bisect"}};

TEST_F(Cli, EveryVerbHasHelpWithAnExampleOnStdout) {
  for (std::vector<std::string> words : kVerbs) {
    const std::string line =
        words.size() == 1 ? words[0] : words[0] + " " + words[1];
    words.push_back("-h");
    const Said said = tailmark_(words);
    EXPECT_EQ(said.code, 0) << line;
    EXPECT_EQ(said.err, "") << line;
    EXPECT_THAT(said.out, HasSubstr("Example:\n  tailmark " + words[0]));
  }
}

TEST_F(Cli, DescribePartitionSaysThePartsAndKeepsThemByTheirHash) {
  const std::vector<std::string> words = {"describe",
                                          "partition",
                                          "embedded",
                                          "--set",
                                          "parts=2",
                                          "--store",
                                          Path("store").string(),
                                          "--json"};
  const Json first = tailmark_(words).json();
  EXPECT_EQ(first.at("schema"), "tailmark-partition/1");
  EXPECT_EQ(first.at("parts").size(), 2u);
  const auto file = Path("store") / "partitions" /
                    (first.at("sha256").get<std::string>() + ".json");
  EXPECT_EQ(ReadJson(file), first);
  EXPECT_EQ(tailmark_(words).json(), first);
  const Said wrong =
      tailmark_({"describe", "partition", "embedded", "--set", "prats=2"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("did you mean 'parts'?"));
  EXPECT_EQ(tailmark_({"describe", "partition"}).code, 2);
}

TEST_F(Cli, TheHelpOfTheProgramNamesEveryVerb) {
  const Said said = tailmark_({"-h"});
  EXPECT_EQ(said.code, 0);
  for (const auto& words : kVerbs) EXPECT_THAT(said.out, HasSubstr(words[0]));
}

TEST_F(Cli, AWrongSpellingIsExit2WithTheNearestOnStderr) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"lst"}, "unknown verb 'lst'; did you mean 'list'?"},
      {{"db", "chek"}, "unknown verb of db 'chek'; did you mean 'check'?"},
      {{"list", "--jsn"}, "unknown option '--jsn'; did you mean '--json'?"},
      {{"list", "metods"}, "unknown listing 'metods'; did you mean 'methods'?"},
      {{"run", "quickstrt"},
       "unknown recipe 'quickstrt'; did you mean 'quickstart'?"},
      {{"run", "no/such.json"}, "no/such.json: no such recipe file"},
      {{"data", "show", "embeded"},
       "unknown data set 'embeded'; did you mean 'embedded'?"},
      {{"db"}, "db needs one of: check, migrate, query, vacuum"},
      {{"run"}, "RECIPE is required"},
      {{}, "A subcommand is required"},
      {{"status", "a", "b"}, "'b' is one word too many"}};
  for (const auto& [words, message] : cases) {
    const Said said = tailmark_(words);
    EXPECT_EQ(said.code, 2) << message;
    EXPECT_EQ(said.out, "");
    EXPECT_THAT(said.err, HasSubstr(message));
  }
}

TEST_F(Cli, EveryListingIsAnArrayOfNamesVersionsAndSummaries) {
  for (const char* what : {"methods", "datasets", "protocols", "definitions",
                           "profiles", "published", "recipes"}) {
    const Said said = tailmark_({"list", what, "--json"});
    EXPECT_EQ(said.code, 0) << said.err;
    const Json rows = said.json();
    ASSERT_TRUE(rows.is_array()) << what;
    for (const Json& row : rows) {
      EXPECT_TRUE(row.contains("name") && row.contains("version") &&
                  row.contains("summary"))
          << row.dump();
    }
  }
}

TEST_F(Cli, DataSetsSayWhatTheyHoldOrWhatIsMissing) {
  const Json rows = tailmark_({"list", "datasets", "--json"}).json();
  for (const Json& row : rows) {
    if (row["name"] == "embedded") {
      EXPECT_EQ(row["status"], "ready");
      EXPECT_EQ(row["classes"], 24);
      EXPECT_EQ(row["images"]["test"], 1248);
    }
    if (row["name"] == "folder") {
      EXPECT_EQ(row["status"], "needs-data");
      EXPECT_THAT(row["missing"].get<std::string>(), HasSubstr("root"));
    }
  }
}

TEST_F(Cli, EvalAnswersPerDefinitionInPercent) {
  const std::string scores = Npy<float>("s.npy", DType::kFloat32, {4, 3},
                                        {9, 1, 1, 8, 2, 1, 7, 3, 1, 6, 4, 1});
  const std::string labels = Npy<std::uint8_t>(
      "l.npy", DType::kUint8, {4, 3}, {1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0});
  WriteFileAtomic(Path("g.json"), R"({"head": [0, 1], "tail": [2]})");
  const Said said =
      tailmark_({"eval", "--scores", scores, "--labels", labels, "--groups",
                 Path("g.json").string(), "--definition", "ap.step",
                 "--definition", "ap.voc07", "--json"});
  ASSERT_EQ(said.code, 0) << said.err;
  const Json answer = said.json();
  ASSERT_EQ(answer["definitions"].size(), 2u);
  const Json& step =
      answer["definitions"]
            ["ap.step/difficult=ignore/empty=keep/nopos=exclude/v1"];
  // Class 0: positives at ranks 1 and 3; class 1: at rank 2; class 2: none.
  EXPECT_NEAR(step["per_class"][0].get<double>(), 100 * (1 + 2.0 / 3) / 2,
              1e-10);
  EXPECT_NEAR(step["per_class"][1].get<double>(), 50, 1e-10);
  EXPECT_TRUE(step["per_class"][2].is_null());
  EXPECT_TRUE(step["groups"]["tail"].is_null());
  EXPECT_NEAR(step["total"].get<double>(), (100 * (1 + 2.0 / 3) / 2 + 50) / 2,
              1e-10);
  EXPECT_EQ(step["undefined_classes"]["total"], 1);
  EXPECT_NEAR(answer["tied_fraction"].get<double>(), 4.0 / 12, 1e-12);
  EXPECT_TRUE(answer.contains("saturated_fraction"));
  EXPECT_TRUE(answer["rank"]["best"].is_number());
  EXPECT_TRUE(answer["rank"]["worst"].is_number());
}

TEST_F(Cli, EvalScoresByProfileByDecisionAndByImage) {
  const std::string scores = Npy<float>("s.npy", DType::kFloat32, {3, 2},
                                        {0.9F, 0.6F, 0.1F, 0.5F, 0.7F, 0.2F});
  const std::string labels =
      Npy<std::uint8_t>("l.npy", DType::kUint8, {3, 2}, {1, 0, 0, 1, 0, 1});
  const Said said =
      tailmark_({"eval", "--scores", scores, "--labels", labels, "--profile",
                 "hpdval", "--threshold", "0.5", "--threshold", "best", "--top",
                 "1", "--per-image", "--json"});
  ASSERT_EQ(said.code, 0) << said.err;
  const Json answer = said.json();
  EXPECT_TRUE(answer["definitions"].contains(
      "ap.rank/difficult=positive/empty=keep/nopos=exclude/v1"));
  const Json& decisions = answer["decisions"];
  ASSERT_EQ(decisions.size(), 3u);
  EXPECT_EQ(decisions[0]["OP"], 50);
  EXPECT_NEAR(decisions[0]["CF1"].get<double>(), 60, 1e-12);
  EXPECT_EQ(decisions[0]["origin"], "given");
  EXPECT_EQ(decisions[1]["origin"], "best_on_test");
  EXPECT_EQ(decisions[2]["top"], 1);
  EXPECT_THAT(decisions[2]["id"].get<std::string>(),
              HasSubstr("decide/top=1/origin=rule"));
  EXPECT_NEAR(answer["per_image"]["mean"].get<double>(), 250.0 / 3, 1e-10);
  EXPECT_THAT(answer["per_image"]["id"].get<std::string>(),
              HasSubstr("per-image/ap.step"));
  const auto eval = [&](const std::string& option, const std::string& value) {
    return tailmark_(
        {"eval", "--scores", scores, "--labels", labels, option, value});
  };
  EXPECT_THAT(eval("--profile", "hpdvla").err,
              HasSubstr("did you mean 'hpdval'"));
  EXPECT_EQ(eval("--top", "3").code, 2);
  EXPECT_EQ(eval("--threshold", "high").code, 2);
  EXPECT_THAT(eval("--threshold", "best").err,
              HasSubstr("chosen on the labels it is scored with"));
}

TEST_F(Cli, EvalRefusesWhatDoesNotFit) {
  const std::string scores =
      Npy<float>("s.npy", DType::kFloat32, {1, 2}, {1, 2});
  const std::string nan =
      Npy<float>("n.npy", DType::kFloat32, {1, 2}, {1, std::nanf("")});
  const std::string labels =
      Npy<std::uint8_t>("l.npy", DType::kUint8, {1, 2}, {1, 0});
  const std::string wide =
      Npy<std::uint8_t>("w.npy", DType::kUint8, {1, 3}, {1, 0, 0});
  const auto eval = [&](const std::string& s, const std::string& l,
                        const std::string& definition) {
    return tailmark_(
        {"eval", "--scores", s, "--labels", l, "--definition", definition});
  };
  EXPECT_EQ(eval(scores, labels, "ap.step").code, 0);
  EXPECT_EQ(eval(scores, wide, "ap.step").code, 2);
  EXPECT_EQ(eval(scores, Path("absent.npy"), "ap.step").code, 2);
  const Said said = eval(nan, labels, "ap.step");
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("NaN"));
  EXPECT_THAT(eval(scores, labels, "ap.stp").err,
              HasSubstr("did you mean 'ap.step'?"));
}

TEST_F(Cli, IdsOfASplitArePrintedForWhoeverScoresIt) {
  const Said said =
      tailmark_({"data", "show", "embedded", "--ids", "--split", "test"});
  ASSERT_EQ(said.code, 0) << said.err;
  EXPECT_TRUE(said.out.starts_with("test/00000\ntest/00001\n")) << said.out;
  const Said wrong =
      tailmark_({"data", "show", "embedded", "--ids", "--split", "val"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("not one of train, test"));
}

TEST_F(Cli, PreprocessWritesPicturesAndNamesEachThatCannotBeDecoded) {
  ASSERT_EQ(tailmark_({"data", "show", "embedded", "-o", "sheet.png"}).code, 0);
  const std::string sheet = Path("sheet.png").string();
  const Said good = tailmark_({"data", "preprocess", sheet, sheet, "--pipeline",
                               "clip-32", "--out", "x.npy"});
  ASSERT_EQ(good.code, 0) << good.err;
  const NpyArray array = ReadNpy(Path("x.npy"));
  EXPECT_EQ(array.dtype, DType::kUint8);
  EXPECT_EQ(array.shape, (std::vector<std::int64_t>{2, 32, 32, 3}));

  std::ofstream(Path("a.jpg")) << "no picture";
  const Said bad = tailmark_({"data", "preprocess", "a.jpg", sheet, "b.png",
                              "--pipeline", "clip-32", "--out", "y.npy"});
  EXPECT_EQ(bad.code, 2);
  EXPECT_EQ(std::count(bad.err.begin(), bad.err.end(), '\n'), 2) << bad.err;
  EXPECT_THAT(bad.err, HasSubstr("a.jpg"));
  EXPECT_THAT(bad.err, HasSubstr("b.png"));
  EXPECT_FALSE(std::filesystem::exists(Path("y.npy")));
}

TEST_F(Cli, WithoutTheEngineNothingIsEncodedAndItSaysSo) {
  tailmark_.environment["TAILMARK_WORKER"] = "/no/worker";
  const std::vector<std::vector<std::string>> lines = {
      {"encode", "images", "a.png", "--weights", "nano-clip", "--out", "x.npy"},
      {"encode", "text", "a", "--weights", "nano-clip", "--out", "x.npy"},
      {"tokenize", "--vocab", "nano-clip", "a"}};
  for (const auto& words : lines) {
    const Said said = tailmark_(words);
    EXPECT_EQ(said.code, 2) << words[0];
    EXPECT_THAT(said.err, HasSubstr("no worker there"));
  }
}

TEST_F(Cli, WithoutAStoreReadersSaySoAndMakeNone) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"status"},
                                             {"report"},
                                             {"db", "check"},
                                             {"db", "migrate"},
                                             {"export"},
                                             {"resume"}}) {
    const Said said = tailmark_(words);
    EXPECT_EQ(said.code, 2) << words[0];
    EXPECT_THAT(said.err, HasSubstr("no store in"));
    EXPECT_FALSE(std::filesystem::exists(tailmark_.store()));
  }
}

TEST_F(Cli, AStoreThatIsNoneOrNewerOrCannotBeMadeIsExit6) {
  MakeFolders(tailmark_.store());
  WriteFileAtomic(tailmark_.store() / "tailmark.sqlite",
                  "this is no database at all, whatever its name says......");
  const Said said = tailmark_({"db", "check"});
  EXPECT_EQ(said.code, 6) << said.err;
  EXPECT_EQ(said.out, "");
  // A file where the folder should be.
  std::ofstream(Path("file")) << "x";
  EXPECT_EQ(tailmark_({"import", "--store", "file/store", "nothing"}).code, 6);
}

TEST_F(Cli, AnOlderStoreIsReadAfterItWasMigrated) {
  MakeFolders(tailmark_.store());
  WriteFileAtomic(tailmark_.store() / "tailmark.sqlite", "");  // version 0
  const Said before = tailmark_({"db", "check"});
  EXPECT_EQ(before.code, 6);
  EXPECT_THAT(before.err, HasSubstr("`tailmark db migrate`"));
  const Said said = tailmark_({"db", "migrate"});
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr(": version "));
  EXPECT_EQ(tailmark_({"db", "check"}).code, 0);
}

TEST_F(Cli, AnImportThatIsNoBundleIsRefusedAndNamed) {
  std::ofstream(Path("x.tar")) << std::string(2000, 'x');
  const Said said = tailmark_({"import", "x.tar"});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("x.tar"));
  MakeFolders(Path("empty"));
  EXPECT_THAT(tailmark_({"import", "empty"}).err,
              HasSubstr("holds no finished bundle"));
}

TEST_F(Cli, DoctorLooksAtEverythingAndIsJson) {
  const Said said = tailmark_({"doctor", "--json"});
  EXPECT_EQ(said.code, 0);
  std::vector<std::string> names;
  const Json answer = said.json();
  for (const Json& check : answer["checks"]) {
    names.push_back(check["name"]);
    EXPECT_TRUE(check.contains("value") && check.contains("good"));
  }
  EXPECT_THAT(names, ::testing::IsSupersetOf(
                         {"tailmark", "compiler", "store", "pipeline", "cpu"}));
}

}  // namespace
}  // namespace tailmark
