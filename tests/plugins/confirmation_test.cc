// A suspicion over seeds is looked at again, with seeds that nobody has seen,
// before the gate is red.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "tests/plugins/plugin_program.h"

namespace tailmark {
namespace {

using ::testing::HasSubstr;

class Confirmation : public ::testing::Test, protected PluginProgram {
 protected:
  /// Nearest class means, with noise of the deviation that noise.txt holds:
  /// what a run's key does not know of.
  void WriteMethod(const std::string& what) const {
    WriteFileAtomic(folder() / "m.py", StrCat("# ", what, R"(
import random
import tailmark_method as tm
class M(tm.Method):
    def fit(self, train, validation):
        rows, labels = train.inputs.rows(), train.labels.rows()
        def mean(of):
            return [sum(column) / len(of) for column in zip(*of)]
        overall = mean(rows)
        self.w = [[a - b for a, b in zip(mean([x for x, y in zip(rows, labels) if y[c]] or rows), overall)]
                  for c in range(len(labels[0]))]
    def predict(self, batch):
        noise = float(open("noise.txt").read())
        def score(row, x, c):
            chance = random.Random("%d/%d/%d" % (self.root_seed, row, c))
            return sum(a * b for a, b in zip(self.w[c], x)) + noise * chance.gauss(0, 1)
        return [[score(row, x, c) for c in range(len(self.w))] for row, x in zip(batch.rows, batch.inputs.rows())]
    def state(self):
        return {"w": self.w}
    def load(self, state):
        self.w = state["w"].rows()
tm.main(M)
)"));
  }
  void SetNoise(const std::string& noise) const {
    WriteFileAtomic(folder() / "noise.txt", noise);
  }
  Said Run() const { return RunAll({"--seeds", "0-4", "--only", "method=m"}); }
  Said Check() const {
    return program({"check", "--baseline", "main", "--json"});
  }
  static Json TotalOfRow(const Said& said) {
    return said.json()["rows"][0]["cells"][0];
  }
};

TEST_F(Confirmation, ASuspicionIsRedOnlyWhenFreshSeedsSaySo) {
  if (!UsePythonWith("random")) GTEST_SKIP() << "no python3";
  WriteFileAtomic(folder() / "method.json",
                  Json({{"schema", "tailmark-process/1"},
                        {"command", {"python3", "m.py"}},
                        {"files", {"m.py"}},
                        {"name", "written"},
                        {"version", 1},
                        {"summary", "A test's"},
                        {"input", "features"}})
                      .dump());
  WriteRecipe({{{"use", "process:method.json"}, {"name", "m"}}});
  const std::string little = "0.00001", much = "10";
  SetNoise(little);
  WriteMethod("as it was");
  ASSERT_EQ(Run().code, 0);
  ASSERT_EQ(
      program({"baseline", "accept", "main", "--why", "it is right"}).code, 0);

  // Five seeds with bad luck: others are as before.
  SetNoise(much);
  WriteMethod("unlucky");
  ASSERT_EQ(Run().code, 0);
  SetNoise(little);
  Said said = Check();
  EXPECT_EQ(said.code, 0) << said.out << said.err;
  EXPECT_EQ(TotalOfRow(said)["tier"], 4);
  EXPECT_EQ(TotalOfRow(said)["tries"], 3);
  EXPECT_THAT(TotalOfRow(said)["reason"].get<std::string>(),
              HasSubstr("a suspicion was not confirmed"));
  EXPECT_THAT(said.err, HasSubstr("run again with 5 fresh seeds"));

  SetNoise(much);
  WriteMethod("worse");
  ASSERT_EQ(Run().code, 0);
  said = Check();
  EXPECT_EQ(said.code, 1) << said.out << said.err;
  EXPECT_EQ(TotalOfRow(said)["outcome"], "regression");
  EXPECT_EQ(TotalOfRow(said)["tries"], 2);
  // How often it was looked at is kept.
  EXPECT_THAT(
      program({"db", "query", "SELECT max(tries) AS n FROM verdict", "--json"})
          .out,
      HasSubstr("3"));
}

}  // namespace
}  // namespace tailmark
