// Exported models: made here, loaded as a user's would be.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iostream>
#include <map>

#include <torch/csrc/jit/api/module.h>
#include "harness/api/registry.h"
#include "harness/base/digest.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/plugin/exported.h"
#include "harness/plugin/plugins.h"
#include "methods/torch_pch.h"
#include "tests/plugins/plugin_program.h"
#include "tests/record/kept.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// Nothing of a test looks at these.
class NoState final : public StateWriter, public StateReader {
 public:
  void Put(std::string_view, const at::Tensor&) override {}
  void PutInt(std::string_view, std::int64_t) override {}
  bool Has(std::string_view) const override { return true; }
  at::Tensor Get(std::string_view) const override { return {}; }
  std::int64_t GetInt(std::string_view) const override { return 1; }
};

class ExportedPlugin : public ::testing::Test, protected PluginProgram {
 protected:
  /// A module of this forward(self, x), with a weight [width, 3].
  void WriteModel(const std::string& body, std::int64_t width = 4,
                  std::int64_t classes = 3) {
    torch::jit::Module module("toy");
    module.register_parameter("weight",
                              torch::arange(width * classes, torch::kFloat)
                                  .mul(0.7)
                                  .sin()
                                  .view({width, classes}),
                              /*is_buffer=*/true);
    module.define("def forward(self, x):\n    " + body + "\n");
    module.save((folder() / "m.pt").string());
  }
  fs::path WriteJson(const Json& more = Json::object()) const {
    Json json = {{"schema", "tailmark-model/1"},
                 {"file", "m.pt"},
                 {"sha256", Sha256File(folder() / "m.pt")},
                 {"name", "toy"},
                 {"version", 1},
                 {"summary", "A test's"},
                 {"input", "features"},
                 {"output", "logit"},
                 {"classes", {"cat", "dog", "cow"}},
                 {"licence", "none"}};
    json.update(more);
    WriteFileAtomic(folder() / "model.json", json.dump(1));
    return folder() / "model.json";
  }
  static std::unique_ptr<Method> Make(const fs::path& path,
                                      std::vector<std::string> classes,
                                      const PluginPlace& place = {}) {
    Problem problem;
    problem.class_names = std::move(classes);
    return OpenExported(path, place).create({}, problem);
  }
  static at::Tensor Scores(const Method& method, std::int64_t rows = 2,
                           std::int64_t width = 4) {
    Batch batch;
    batch.inputs =
        torch::arange(rows * width, torch::kFloat).view({rows, width});
    batch.rows = torch::arange(rows);
    return method.Predict(batch);
  }
  /// check -> outcome, of `plugin check`; `code` is how it ended.
  std::map<std::string, std::string> Checked(
      int code, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words = {"plugin",         "check", "model.json",
                                      "--allow-plugin", ".",     "--json"};
    words.insert(words.end(), more.begin(), more.end());
    const Said said = program(words);
    EXPECT_EQ(said.code, code) << said.out << said.err;
    std::map<std::string, std::string> outcomes;
    if (said.out.empty()) return outcomes;
    const Json answer = said.json();
    for (const Json& each : answer[0]["checks"]) {
      outcomes[each["check"]] = each["outcome"];
      if (each["outcome"] == "broken") std::cout << each["detail"] << "\n";
    }
    return outcomes;
  }
  /// Python's torch makes m.pt2 of what WriteModel(kLinear) writes, or why not.
  std::string MakePackage(std::int64_t width, std::int64_t classes);
  template <class Body>
  static std::string Message(Body body) {
    try {
      body();
    } catch (const std::exception& error) {
      return error.what();
    }
    return "nothing was thrown";
  }
};

constexpr const char* kLinear = "return torch.matmul(x, self.weight)";

TEST_F(ExportedPlugin, ClassesAreFoundByNameNotByPlace) {
  WriteModel(kLinear);
  const fs::path json = WriteJson();
  const auto all = Scores(*Make(json, {"cat", "dog", "cow"}));
  const auto some = Scores(*Make(json, {"cow", "cat"}));
  EXPECT_TRUE(some.select(1, 0).equal(all.select(1, 2)));
  EXPECT_TRUE(some.select(1, 1).equal(all.select(1, 0)));
}

TEST_F(ExportedPlugin, AClassItDoesNotHaveIsNamedWithTheNearest) {
  WriteModel(kLinear);
  EXPECT_THAT(Message([&] {
                Make(WriteJson(), {"cat", "cows"});
              }),
              HasSubstr("did you mean 'cow'"));
}

TEST_F(ExportedPlugin, AnotherFileThanDescribedIsRefused) {
  WriteModel(kLinear);
  const fs::path json = WriteJson();
  WriteModel("return torch.matmul(x, self.weight) * 2");
  EXPECT_THAT(Message([&] { Make(json, {"cat"}); }), HasSubstr("SHA-256 is"));
}

TEST_F(ExportedPlugin, APipelineItWasNotMadeForIsRefused) {
  WriteModel(kLinear);
  const fs::path json =
      WriteJson({{"input", "images"}, {"preprocessing", "clip-224"}});
  EXPECT_THAT(Message([&] { Make(json, {"cat"}, {.pipeline = "squash-224"}); }),
              HasSubstr("write \"pipeline\": \"clip-224\""));
}

TEST_F(ExportedPlugin, AWrongShapeIsNoResult) {
  WriteModel("return x");
  const auto method = Make(WriteJson(), {"cat"});
  EXPECT_THAT(Message([&] { Scores(*method); }), HasSubstr("expected [2, 3]"));
}

TEST_F(ExportedPlugin, WhatIsNotFiniteIsNoResult) {
  WriteModel("return torch.log(torch.matmul(x, self.weight) - 1e9)");
  const auto method = Make(WriteJson(), {"cat"});
  EXPECT_THAT(Message([&] { Scores(*method); }), HasSubstr("not finite"));
}

TEST_F(ExportedPlugin, TheSameForEveryImageIsNoResult) {
  WriteModel("return torch.matmul(x, self.weight) * 0.0");
  const auto method = Make(WriteJson(), {"cat"});
  EXPECT_THAT(Message([&] { Scores(*method); }),
              HasSubstr("the same scores to each of 2 images"));
}

TEST_F(ExportedPlugin, ALimitOfTheBatchChangesNoScore) {
  WriteModel(kLinear);
  const auto whole = Scores(*Make(WriteJson(), {"cat"}), 7);
  const auto parts = Scores(*Make(WriteJson({{"batch_limit", 3}}), {"cat"}), 7);
  EXPECT_TRUE(parts.allclose(whole));
}

TEST_F(ExportedPlugin, FeaturesAreNoScores) {
  WriteModel(kLinear);
  EXPECT_THAT(Message([&] {
                Make(WriteJson({{"output", "feature"}}), {"cat"});
              }),
              HasSubstr("rank nothing"));
}

TEST_F(ExportedPlugin, AFileThatLibTorchCannotLoadIsExplained) {
  WriteModel(kLinear);
  WriteFileAtomic(folder() / "m.pt", "no model");
  EXPECT_THAT(Message([&] { Make(WriteJson(), {"cat"}); }),
              HasSubstr("cannot be loaded by LibTorch"));
  WriteFileAtomic(folder() / "m.pt2", "no package");
  const fs::path json =
      WriteJson({{"file", "m.pt2"}, {"sha256", Sha256Hex("no package")}});
  EXPECT_THAT(Message([&] { Make(json, {"cat"}); }),
              HasSubstr("export it again with this one"));
}

TEST_F(ExportedPlugin, ItIsHeldToTheContractOnItsOwnClasses) {
  WriteModel(kLinear);
  WriteJson({{"width", 4}});
  const auto outcomes = Checked(0);
  EXPECT_EQ(outcomes.at("ARowDoesNotDependOnItsNeighbours"), "kept");
  EXPECT_EQ(outcomes.at("WorksWithOneClass"), "kept");
  EXPECT_EQ(outcomes.at("SaveThenLoadKeepsEveryBit"), "kept");
  // It does not train.
  EXPECT_EQ(outcomes.at("LearnsWhatCanBeReadFromItsInput"), "skipped");
}

TEST_F(ExportedPlugin, ItsContractIsAskedOnPicturesOfItsSize) {
  WriteModel("return torch.matmul(x.mean([2, 3]), self.weight)", 3);
  WriteJson({{"input", "images"}, {"preprocessing", "clip-32"}});
  const std::string check = "ARowDoesNotDependOnItsNeighbours";
  EXPECT_EQ(Checked(0, {"--only", check}).at(check), "kept");
  WriteModel("assert x.size(3) == 48\n    return x.mean([2, 3])");
  WriteJson({{"input", "images"}, {"preprocessing", "clip-32"}});
  EXPECT_EQ(Checked(1, {"--only", check}).at(check), "broken");
}

TEST_F(ExportedPlugin, APromiseItBreaksIsFound) {
  WriteModel("return torch.matmul(x - x.mean(0), self.weight)");
  const std::string check = "ARowDoesNotDependOnItsNeighbours";
  WriteJson({{"width", 4}});
  EXPECT_EQ(Checked(1, {"--only", check}).at(check), "broken");
  WriteJson({{"width", 4}, {"abilities", {{"batch_invariant", false}}}});
  EXPECT_EQ(Checked(0, {"--only", check}).at(check), "skipped");
}

TEST_F(ExportedPlugin, HowWideItsFeaturesAreIsAskedFor) {
  WriteModel(kLinear);
  WriteJson();
  const Said said =
      program({"plugin", "check", "model.json", "--allow-plugin", "."});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("add \"width\": 512"));
  EXPECT_THAT(Message([&] {
                Scores(*Make(WriteJson({{"width", 5}}), {"cat"}));
              }),
              HasSubstr("features of width 5, the run's are 4 wide"));
  EXPECT_THAT(Message([&] {
                Make(WriteJson({{"width", -1}}), {"cat"});
              }),
              HasSubstr("'width' is -1"));
}

std::string ExportedPlugin::MakePackage(std::int64_t width,
                                        std::int64_t classes) {
  if (!UsePythonWith("torch") ||
      !Shell("python3 -c 'import importlib.metadata as of; "
             "print(of.version(\"torch\"))' >version")) {
    return "no torch for python3 to make a package with";
  }
  const std::string script = StrCat("width, classes = ", width, ", ", classes,
                                    R"(
import torch
class Toy(torch.nn.Module):
    def __init__(self):
        super().__init__()
        weight = (torch.arange(float(width * classes)) * 0.7).sin()
        self.register_buffer("weight", weight.view(width, classes))
    def forward(self, x):
        return x @ self.weight
rows = torch.export.Dim("rows", min=2, max=4096)
program = torch.export.export(Toy(), (torch.ones(5, width),), dynamic_shapes=({0: rows},))
torch._inductor.aoti_compile_and_package(program, package_path="m.pt2")
)");
  WriteFileAtomic(folder() / "make.py", script);
  // Its compiler takes half a minute.
  const Json from = {{"script", script},
                     {"torch", ReadFile(folder() / "version")}};
  const fs::path package = Kept(
      TM_BIN_DIR "/../kept/package", "m.pt2", from, [&](const fs::path& out) {
        if (Shell("TORCHINDUCTOR_CACHE_DIR=cache python3 make.py "
                  ">make.log 2>&1")) {
          fs::copy_file(folder() / "m.pt2", out);
        }
      });
  if (package.empty()) {
    return "python3's torch makes no package here: " +
           ReadFile(folder() / "make.log");
  }
  fs::copy_file(package, folder() / "m.pt2",
                fs::copy_options::overwrite_existing);
  return "";
}

// The embedded scenes', in another order than the data set's.
const std::vector<std::string> kScenes = {
    "scarecrow", "person",   "car",         "boat",           "mug",
    "flower",    "fish",     "bottle",      "ball",           "buoy",
    "spoon",     "shell",    "orange",      "mushroom",       "van",
    "bird",      "plate",    "yacht",       "starfish",       "tyre",
    "croissant", "umbrella", "street lamp", "shopping basket"};

TEST_F(ExportedPlugin, ItsRowStandsBesideTheBuiltins) {
  WriteModel(kLinear, 64, 24);
  WriteJson({{"classes", kScenes}});
  const Json row = RowBesideThePrior({{"use", "plugin:model.json"}});
  ASSERT_EQ(row["state"], "done") << row;
  EXPECT_GT(TotalOf(row), 1.0);
}

TEST_F(ExportedPlugin, APackageOfPythonsTorchIsARowAndGivesWhatTheModuleGives) {
  if (const auto why = MakePackage(64, 24); !why.empty()) GTEST_SKIP() << why;
  WriteModel(kLinear, 64, 24);
  const fs::path json = WriteJson({{"classes", kScenes}});
  const auto expected = Scores(*Make(json, kScenes), 2, 64);
  const Json module = RowOf({{"use", "plugin:model.json"}});
  ASSERT_EQ(module["state"], "done") << module;
  WriteJson({{"file", "m.pt2"},
             {"sha256", Sha256File(folder() / "m.pt2")},
             {"classes", kScenes},
             {"name", "packed"},
             {"width", 64}});
  EXPECT_TRUE(
      Scores(*Make(json, kScenes), 2, 64).allclose(expected, 1e-5, 1e-5));
  // Held back as in a run.
  const std::string check = "PredictingTwiceChangesNothing";
  EXPECT_EQ(Checked(0, {"--only", check}).at(check), "kept");
  const Json row = RowOf({{"use", "plugin:model.json"}});
  ASSERT_EQ(row["state"], "done") << row;
  EXPECT_NEAR(TotalOf(row), TotalOf(module), 1e-2);
  const Said said = program({"report", "-f", "md", "-o", "report"});
  ASSERT_EQ(said.code, 0) << said.err;
  EXPECT_THAT(ReadFile(folder() / "report/report.md"), HasSubstr("Packed"));
}

TEST_F(ExportedPlugin, AClassOfTheDataThatItLacksIsTheReasonOfItsRow) {
  WriteModel(kLinear);
  WriteJson();
  const Json row = RowOf({{"use", "plugin:model.json"}});
  EXPECT_EQ(row["state"], "failed") << row;
  EXPECT_THAT(row["reason"].get<std::string>(), HasSubstr("class 'person'"));
}

}  // namespace
}  // namespace tailmark
