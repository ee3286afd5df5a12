// Methods in other programs: the protocol, what is within their reach, and how
// they may fail.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <map>
#include <vector>

#include "harness/base/digest.h"
#include "harness/base/files.h"
#include "harness/plugin/sandbox.h"
#include "tests/plugins/plugin_program.h"
#include "tests/record/kept.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;
using ::testing::HasSubstr;

class ProcessPlugin : public ::testing::Test, protected PluginProgram {
 protected:
  void SetUp() override {
    if (!UsePythonWith("zipfile")) GTEST_SKIP() << "no python3";
  }
  static Json Example(const std::string& name) {
    return {{"use", "process:" TM_SOURCE_DIR "/tests/plugins/process/" + name +
                        ".json"}};
  }
  /// A method of this Python body, which has to define class M.
  Json Written(const std::string& body, const Json& more = Json::object()) {
    Json method = {{"schema", "tailmark-process/1"},
                   {"command", {"python3", "m.py"}},
                   {"files", {"m.py"}},
                   {"name", "written"},
                   {"version", 1},
                   {"summary", "A test's"},
                   {"input", "features"},
                   {"abilities", {{"stochastic", false}}}};
    method.update(more);
    WriteFileAtomic(folder() / "method.json", method.dump(1));
    WriteFileAtomic(folder() / "m.py",
                    "import os, sys, time\nimport tailmark_method as tm\n" +
                        body + "\ntm.main(M)\n");
    return {{"use", "process:method.json"}};
  }
  /// Both on all of the embedded data, seeds 0 to 2: their means are no further
  /// apart than the seeds of the one and of the other together. What this build
  /// and this example gave is kept (tests/README.md).
  void ExpectAlike(Json builtin, Json example) {
    builtin["name"] = "builtin";
    example["name"] = "example";
    const fs::path file = example["use"].get<std::string>().substr(8);
    const Json from = {
        {"build", WhatMovesScores(TM_BIN_DIR, {"tailmark", "tailmark-worker"})},
        {"methods", {builtin, example}},
        {"description", Sha256File(file)},
        {"code", Sha256File(fs::path(file).replace_extension("py"))},
        {"library", Sha256File(TM_SOURCE_DIR
                               "/harness/plugin/python/tailmark_method.py")}};
    const fs::path rows =
        Kept(TM_BIN_DIR "/../kept/alike", file.stem(), from,
             [&](const fs::path& out) { WriteTotals(builtin, example, out); });
    ASSERT_FALSE(rows.empty());
    std::map<std::string, std::vector<double>> totals;
    for (const Json& row : ReadJson(rows)) {
      std::cout << row["label"] << " " << row["value"] << "\n";
      totals[row["label"]].push_back(row["value"]);
    }
    ASSERT_EQ(totals["builtin"].size(), 3u);
    ASSERT_FALSE(totals["example"].empty());
    const auto mean = [&](const char* label) {
      double sum = 0;
      for (const double each : totals[label]) sum += each;
      return sum / static_cast<double>(totals[label].size());
    };
    const auto spread = [&](const char* label) {
      const auto& all = totals[label];
      return *std::max_element(all.begin(), all.end()) -
             *std::min_element(all.begin(), all.end());
    };
    EXPECT_LE(std::abs(mean("example") - mean("builtin")),
              spread("example") + spread("builtin"));
  }
  /// label and value of each seed's mAP, as JSON; nothing when a run failed.
  void WriteTotals(const Json& builtin, const Json& example,
                   const fs::path& out) {
    WriteRecipe({builtin, example});
    const Said said = program(
        {"run", "r.json", "--seeds", "0-2", "--json", "--allow-plugin", "/"});
    ASSERT_EQ(said.code, 0) << said.err;
    const Said rows = program(
        {"db", "query",
         "SELECT x.label, v.value FROM campaign_run x JOIN run r ON r.key = "
         "x.key JOIN result v ON v.run_id = r.id WHERE v.grp = 'total' AND "
         "v.scores = 'test' AND v.definition LIKE 'ap.step/%'",
         "--json"});
    ASSERT_EQ(rows.code, 0) << rows.err;
    WriteFileAtomic(out, rows.out);
  }
  void ExpectFailure(const Json& method, const std::string& reason) {
    const Json row = RowOf(method);
    EXPECT_EQ(row["state"], "failed") << row;
    EXPECT_THAT(row["reason"].get<std::string>(), HasSubstr(reason));
  }
};

constexpr const char* kZeros = R"(
class M(tm.Method):
    def fit(self, train, validation): pass
    def predict(self, batch):
        return [[float(r + c) for c in range(len(self.problem["class_names"]))] for r in batch.rows]
)";

TEST_F(ProcessPlugin, ItsRowStandsBesideTheBuiltinsAndAgreesWithTheOneInCxx) {
  const Json here = RowBesideThePrior(Example("nearest_mean"));
  ASSERT_EQ(here["state"], "done") << here;
  const Json there = RowOf({{"use", std::string("plugin:") + TM_PLUGIN_DIR +
                                        "/libnearest_mean.so"}});
  ASSERT_EQ(there["state"], "done") << there;
  EXPECT_NEAR(TotalOf(here), TotalOf(there), 1e-2);
}

/// The builtin's own code on the other side of the protocol, so that nothing
/// but the protocol is between the two.
class ServedBuiltin : public ProcessPlugin {
 protected:
  void SetUp() override {}  // No Python here.
};

TEST_F(ServedBuiltin, GivesTheSameBitsAsTheBuiltin) {
  WriteFileAtomic(
      folder() / "method.json",
      Json({{"schema", "tailmark-process/1"},
            {"command", {TM_BIN_DIR "/served_method", "linear_probe"}},
            {"name", "served"},
            {"version", 1},
            {"summary", "A test's"},
            {"input", "features"},
            {"scale", "logit"}})
          .dump());
  WriteRecipe(Json::array({"linear_probe", {{"use", "process:method.json"}}}));
  const Said said = RunAll();
  ASSERT_EQ(said.code, 0) << said.err;
  const Said rows = program(
      {"db", "query",
       "SELECT m.name, s.sha256 FROM run r JOIN method m ON m.id = r.method_id "
       "JOIN score s ON s.run_id = r.id WHERE s.name = 'test'",
       "--json"});
  ASSERT_EQ(rows.code, 0) << rows.err;
  std::map<std::string, Json> hashes;
  for (const Json& row : rows.json()) hashes[row["name"]] = row["sha256"];
  ASSERT_EQ(hashes.size(), 3u) << rows.out;
  EXPECT_EQ(hashes["served"], hashes["linear_probe"]);
  EXPECT_NE(hashes["served"], hashes["label_prior"]);
}

TEST_F(ProcessPlugin, LogisticRegressionReachesWhatTheLinearProbeReaches) {
  if (!UsePythonWith("sklearn")) GTEST_SKIP() << "no scikit-learn for python3";
  // The penalty of both keeps the training loss near 0.12.
  ExpectAlike({{"use", "linear_probe"},
               {"preset", "embedded"},
               {"options", {{"weight_decay", 1.0}}}},
              Example("logistic"));
}

TEST_F(ProcessPlugin, PromptsLearntInTorchReachWhatCoopReaches) {
  if (!UsePythonWith("torch")) GTEST_SKIP() << "no torch for python3";
  Json example = Example("prompts");
  example["options"] = {{"epochs", 6}};
  ExpectAlike({{"use", "coop"},
               {"preset", "embedded"},
               {"options",
                {{"loss", "bce"},
                 {"length", 4},
                 {"schedule", "constant"},
                 {"augment", "none"},
                 {"epochs", 6}}}},
              example);
}

TEST_F(ProcessPlugin, WhatDecodesImagesByItselfIsBrandedForeign) {
  const Json row = RowOf(Written(R"(
class M(tm.Method):
    def fit(self, train, validation):
        assert train.inputs is None and len(train.files) == len(train.labels)
        with open(train.files[0], "rb") as file:
            assert file.read(4) == b"\x89PNG"
    def predict(self, batch):
        size = [os.path.getsize(path) for path in batch.files]
        return [[float(s + c) for c in range(len(self.problem["class_names"]))] for s in size]
)",
                                 {{"inputs", "paths"}}));
  ASSERT_EQ(row["state"], "done") << row;
  const Said said = program({"report", "-f", "json", "-o", "report"});
  ASSERT_EQ(said.code, 0) << said.err;
  std::string report;
  for (const auto& entry : fs::directory_iterator(folder() / "report")) {
    report += ReadFile(entry.path());
  }
  EXPECT_THAT(report, HasSubstr("foreign"));
}

TEST_F(ProcessPlugin,
       ChosenByValidationAndStoppedAndResumedItGivesTheSameBits) {
  const Json method = Written(R"(
class M(tm.Method):
    w = 0.0
    def fit(self, train, validation):
        assert validation is None or len(validation.labels) > 0
        for epoch in range(self.epoch, 4):
            self.w += 1.0 + self.seed("step", epoch) % 5
            if not self.progress(epoch + 1, 4, loss=1.0 / (epoch + 1)): break
    def predict(self, batch):
        return [[self.w * sum(row) + c for c in range(len(self.problem["class_names"]))] for row in batch.inputs.rows()]
    def state(self): return {"w": self.w}
    def load(self, state): self.w = state["w"]
)");
  const Json whole =
      RowOf(method,
            {{"protocol", {{"selection", "validation"}, {"validation", 0.2}}}});
  ASSERT_EQ(whole["state"], "done") << whole;
  const Json hash = RecordOfPlugin()["scores"][0]["sha256"];
  fs::remove_all(program.store());
  EXPECT_EQ(RunAll({"--stop-after", "2epochs"}).code, 75);
  const Said said = RunAll();
  ASSERT_EQ(said.code, 0) << said.err;
  EXPECT_EQ(RecordOfPlugin()["scores"][0]["sha256"], hash);
}

TEST_F(ProcessPlugin, WhatItRaisesIsTheReason) {
  ExpectFailure(
      Written(std::string(kZeros) + "    def fit(self, train, validation): "
                                    "raise ValueError('no such luck')\n"),
      "ValueError: no such luck");
}

TEST_F(ProcessPlugin, EndingInTheMiddleIsNamedWithItsExitCode) {
  ExpectFailure(Written(std::string(kZeros) +
                        "    def fit(self, train, validation): os._exit(7)\n"),
                "ended with exit code 7");
}

TEST_F(ProcessPlugin, SilenceEndsIt) {
  ExpectFailure(
      Written(std::string(kZeros) + "    def fit(self, train, validation):\n"
                                    "        tm._channel.lock.acquire()\n"
                                    "        time.sleep(1000)\n",
              {{"silence", 12}}),
      "said nothing for 12 s");
}

TEST_F(ProcessPlugin, WhatIsNoMessageIsShown) {
  ExpectFailure(
      Written(std::string(kZeros) + "    def fit(self, train, validation):\n"
                                    "        os.write(4, b'hello there\\n')\n"),
      "no message of the protocol: hello there");
}

TEST_F(ProcessPlugin, AProgramThatIsNotThereIsNamed) {
  ExpectFailure(Written(kZeros, {{"command", {"no-such-program"}}}),
                "no program 'no-such-program'");
}

TEST_F(ProcessPlugin, ItSeesNoTestLabelAndWritesOnlyToItsScratch) {
  if (SandboxName() == "none") GTEST_SKIP() << "this kernel has no Landlock";
  const Json row = RowOf(Written(
      std::string(kZeros) +
      R"(
    def fit(self, train, validation):
        for path in (")" TM_SOURCE_DIR
      R"(/datasets/voc_lt/test_labels.txt", os.path.expanduser("~/.profile")):
            try:
                open(path).read()
                raise SystemError("could read " + path)
            except PermissionError: pass
            except FileNotFoundError: pass
        try:
            open("beside.txt", "w")
            raise SystemError("could write beside itself")
        except PermissionError: pass
        open(os.path.join(self.scratch, "mine.txt"), "w").write("x")
)"));
  EXPECT_EQ(row["state"], "done") << row;
  EXPECT_THAT(RecordOfPlugin()["spec"]["tags"],
              testing::Contains("isolation=" + SandboxName()));
}

TEST_F(ProcessPlugin, WhatItSaysOfItselfIsKeptUntilItChanges) {
  const fs::path cache = folder() / "cache";
  program.environment["TAILMARK_CACHE"] = cache.string();
  WriteRecipe(Json::array({Written(kZeros)}));
  const std::vector<std::string> plan = {"plan", "r.json", "--allow-plugin",
                                         "/"};
  ASSERT_EQ(program(plan).code, 0);
  std::vector<fs::path> kept;
  for (const auto& entry : fs::directory_iterator(cache / "plugins")) {
    kept.push_back(entry.path());
  }
  ASSERT_EQ(kept.size(), 1u);
  // It is what the next one looks at.
  std::string answer = ReadFile(kept[0]);
  const auto at = answer.find("\"written\"");
  ASSERT_NE(at, answer.npos);
  WriteFileAtomic(kept[0], answer.replace(at, 9, "\"another\""));
  EXPECT_THAT(program(plan).out, HasSubstr("another"));
  // No answer of another program is.
  Written(std::string(kZeros) + "    x = 1\n");
  const Said said = program(plan);
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_THAT(said.out, testing::Not(HasSubstr("another")));
  // Nor one that cannot be read.
  WriteFileAtomic(kept[0], "{");
  Written(kZeros);
  EXPECT_EQ(program(plan).code, 0);
}

TEST_F(ProcessPlugin, APlanKnowsWhatItTakesWhereItSaysSo) {
  WriteRecipe(Json::array({Example("prompts"), Example("nearest_mean")}));
  const Said plan =
      program({"plan", "r.json", "--allow-plugin", "/", "--json"});
  ASSERT_EQ(plan.code, 0) << plan.err;
  std::map<std::string, Json> runs;
  const Json answer = plan.json();
  for (const Json& run : answer.at("runs")) runs[run.at("method")] = run;
  const Json& says = runs.at("prompts_torch");
  EXPECT_EQ(says.at("estimate_from"), "declared");
  EXPECT_GT(says.at("estimate_s"), 0.0);
  const Json& silent = runs.at("nearest_mean_py");
  EXPECT_EQ(silent.at("estimate_from"), "unknown");
  EXPECT_TRUE(silent.at("estimate_s").is_null());
}

TEST_F(ProcessPlugin, DescribeNeedsNoRun) {
  const Said said = program(
      {"describe", Example("nearest_mean")["use"], "--allow-plugin", "/"});
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr("shrinkage"));
}

TEST_F(ProcessPlugin, AnotherOptionThanDeclaredIsRefusedWithTheNearest) {
  Json method = Example("nearest_mean");
  method["options"] = {{"shrinkag", 1.0}};
  WriteRecipe(Json::array({method}));
  const Said said = program({"plan", "r.json", "--allow-plugin", "/"});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("shrinkage"));
}

}  // namespace
}  // namespace tailmark
