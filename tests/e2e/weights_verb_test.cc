// `tailmark weights` and `cache`: from a server, a folder or a recipe to a name
// that runs and verbs understand.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <map>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/safetensors.h"
#include "tests/datasets/fault_server.h"
#include "tests/e2e/program.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;
using ::testing::HasSubstr;

class WeightsVerb : public ::testing::Test {
 protected:
  WeightsVerb() {
    tailmark_.environment["TAILMARK_WEIGHTS"] = Path("weights");
    tailmark_.environment["TAILMARK_CACHE"] = Path("cache");
  }
  fs::path Path(const std::string& name) const {
    return scratch_.path() / name;
  }
  /// A file that looks like a CLIP of OpenAI's from far.
  void WriteTensors(const std::string& name, float value) const {
    const std::vector<float> values(4, value);
    WriteSafetensors(
        Path(name),
        {{"visual.conv1.weight",
          {DType::kFloat32, {4}, std::as_bytes(std::span(values))}}});
  }

  ScratchFolder scratch_;
  Program tailmark_{scratch_.path()};
};

TEST_F(WeightsVerb, TheListNamesWhatIsHereAndWhatCanBeFetched) {
  const Said said = tailmark_({"weights", "list", "--json"});
  ASSERT_EQ(said.code, 0) << said.err;
  std::map<std::string, std::string> states;
  for (const Json& row : said.json()) {
    EXPECT_TRUE(row.contains("version") && row.contains("summary"));
    states[row["name"]] = row["status"];
  }
  EXPECT_EQ(states["nano-clip"], "ready");
  for (const char* name :
       {"vit-b-16", "vit-b-32", "vit-l-14", "rn50", "rn101", "vocabulary"}) {
    EXPECT_EQ(states[name], "needs-data") << name;
  }
}

TEST_F(WeightsVerb, AServerThatServesSomethingElseGivesNothing) {
  FaultServer server([](const HttpRequest& request, HttpReply& reply) {
    reply.Serve(request, "these are no weights");
  });
  const Said said = tailmark_({"weights", "fetch", "vit-b-16", "--base",
                               server.url(), "--attempts", "1"});
  EXPECT_EQ(said.code, 4);
  EXPECT_THAT(said.err, HasSubstr("SHA-256 is "));
  EXPECT_THAT(said.err, HasSubstr("5806e77cd80f8b59890b7e101eabd078"));
  EXPECT_EQ(server.RequestsOf("/ViT-B-16.pt"), 1);
  EXPECT_EQ(server.RequestsOf("/bpe_simple_vocab_16e6.txt.gz"), 1);
  EXPECT_FALSE(fs::exists(Path("weights/vit-b-16/ViT-B-16.pt")));
  const Said unknown = tailmark_({"weights", "fetch", "vit-b-61"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("did you mean 'vit-b-16'?"));
}

TEST_F(WeightsVerb, WhatIsImportedHasANameAndItsDamageIsSeen) {
  WriteTensors("mine.safetensors", 1);
  const Said said = tailmark_({"weights", "import", "mine.safetensors"});
  ASSERT_EQ(said.code, 0) << said.err;
  EXPECT_EQ(tailmark_({"weights", "verify"}).code, 0);
  EXPECT_EQ(tailmark_({"weights", "import", "mine.safetensors"}).code, 2);
  WriteTensors("weights/mine/mine.safetensors", 2);
  const Said changed = tailmark_({"weights", "verify", "mine", "--json"});
  EXPECT_EQ(changed.code, 2);
  EXPECT_THAT(changed.json()[0]["problems"][0]["what"].get<std::string>(),
              HasSubstr("expected "));
  WriteTensors("nan.safetensors", std::nanf(""));
  const Said nan = tailmark_({"weights", "import", "nan.safetensors"});
  EXPECT_EQ(nan.code, 2);
  EXPECT_THAT(nan.err, HasSubstr("not finite"));
  std::ofstream(Path("text.pt")) << "no archive";
  EXPECT_EQ(tailmark_({"weights", "import", "text.pt"}).code, 2);
  const Said other =
      tailmark_({"weights", "import", "mine.safetensors", "--name", "rn50"});
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.err, HasSubstr("but rn50 is the file with afeb0e10"));
}

TEST_F(WeightsVerb, AnImportedFolderIsAnEncoderByName) {
  if (!fs::exists(TM_BIN_DIR "/tailmark-worker")) {
    GTEST_SKIP() << "no tailmark-worker: built without the engine";
  }
  const Json rows = tailmark_({"weights", "list", "--json"}).json();
  const std::string nano = rows[0]["path"];
  ASSERT_EQ(tailmark_({"weights", "import", nano, "--name", "copy"}).code, 0);
  ASSERT_EQ(tailmark_({"data", "show", "embedded", "-o", "a.png"}).code, 0);
  const auto encode = [&](const std::string& weights) {
    const Said said = tailmark_(
        {"encode", "images", "a.png", "--weights", weights, "--out", "x.npy"});
    EXPECT_EQ(said.code, 0) << said.err;
    return ReadFile(Path("x.npy"));
  };
  EXPECT_EQ(encode("copy"), encode("nano-clip"));
}

TEST_F(WeightsVerb, RandomWeightsFollowTheirRecipe) {
  ASSERT_EQ(tailmark_({"weights", "random", "rn50", "--seed", "1"}).code, 0);
  const auto file =
      Safetensors::Open(Path("weights/rn50-random-1/model.safetensors"));
  const auto first = [&](const char* tensor) {
    float value;
    std::memcpy(&value, file.At(tensor).bytes.data(), sizeof(value));
    return value;
  };
  // Computed from the recipe's four lines by another program.
  EXPECT_EQ(first("visual.conv1.weight"), 0.302118003F);
  EXPECT_EQ(first("visual.bn1.running_var"), 0.872274935F);
  EXPECT_EQ(first("visual.layer4.2.bn3.weight"), 0.113991901F);
  EXPECT_EQ(first("token_embedding.weight"), 0.00357812038F);
  EXPECT_EQ(first("visual.attnpool.c_proj.weight"), -0.00136503146F);
  EXPECT_EQ(first("logit_scale"), 4.6052F);
  EXPECT_EQ(file.At("visual.layer3.5.conv3.weight").shape,
            (std::vector<std::int64_t>{1024, 256, 1, 1}));
  EXPECT_EQ(tailmark_({"weights", "verify", "rn50-random-1"}).code, 0);
  EXPECT_EQ(tailmark_({"weights", "random", "rn5"}).code, 2);
}

TEST_F(WeightsVerb, TheCacheIsListedAndPruned) {
  const std::vector<float> values(6, 1);
  MakeFolders(Path("cache/features/ab"));
  WriteSafetensors(
      Path("cache/features/ab/abc.safetensors"),
      {{"features",
        {DType::kFloat32, {2, 3}, std::as_bytes(std::span(values))}}},
      {{"format", "tailmark-features/1"},
       {"key", R"({"pipeline":"clip-48","view":"plain"})"}});
  std::ofstream(Path("cache/features/ab/bad.safetensors")) << "torn";
  const Json rows = tailmark_({"cache", "list", "--json"}).json();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0]["rows"], 2);
  EXPECT_EQ(rows[0]["key"]["pipeline"], "clip-48");
  EXPECT_EQ(rows[1]["objection"], "damaged");
  const Said doctor = tailmark_({"doctor"});
  EXPECT_THAT(doctor.out, HasSubstr("of features in"));
  EXPECT_EQ(tailmark_({"cache", "prune"}).code, 2);
  // What no run can use goes at any age.
  EXPECT_EQ(tailmark_({"cache", "prune", "--older", "9"}).code, 0);
  EXPECT_TRUE(fs::exists(Path("cache/features/ab/abc.safetensors")));
  EXPECT_FALSE(fs::exists(Path("cache/features/ab/bad.safetensors")));
  EXPECT_EQ(tailmark_({"cache", "prune", "--all", "--dry-run"}).code, 0);
  EXPECT_TRUE(fs::exists(Path("cache/features/ab/abc.safetensors")));
  const Json gone = tailmark_({"cache", "prune", "--all", "--json"}).json();
  EXPECT_EQ(gone["removed"].size(), 1u);
  EXPECT_FALSE(fs::exists(Path("cache/features/ab/abc.safetensors")));
}

TEST_F(WeightsVerb, WhatIsKeptOfProgramsAndFilesIsCacheToo) {
  MakeFolders(Path("cache/plugins"));
  const auto write = [&](const std::string& name, const std::string& text) {
    std::ofstream(Path("cache/" + name)) << text;
  };
  write("plugins/0123456789abcdef.json", R"({"catalog":{}})");
  write("file-hashes-fedcba9876543210.json", R"({"files":{}})");
  write("plugins/torn.json", "{");
  write("plugins/note.txt", "not ours");
  write("mine.json", "{}");
  const Json rows = tailmark_({"cache", "list", "--json"}).json();
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0]["kind"], "plugin");
  EXPECT_EQ(rows[0]["bytes"], 14);
  EXPECT_FALSE(rows[0].contains("objection"));
  EXPECT_EQ(rows[1]["objection"], "damaged");
  EXPECT_EQ(rows[2]["kind"], "file-hashes");
  const std::string table = tailmark_({"cache", "list"}).out;
  EXPECT_THAT(table, HasSubstr("0123456789ab"));
  EXPECT_THAT(table, HasSubstr("fedcba987654"));
  EXPECT_THAT(table, HasSubstr("3 files"));
  const std::string doctor = tailmark_({"doctor"}).out;
  EXPECT_THAT(doctor, HasSubstr("15 B of what workers said of plugins"));
  EXPECT_THAT(doctor, HasSubstr("12 B of hashes of files"));

  EXPECT_EQ(tailmark_({"cache", "prune", "--older", "9"}).code, 0);
  EXPECT_FALSE(fs::exists(Path("cache/plugins/torn.json")));
  EXPECT_TRUE(fs::exists(Path("cache/plugins/0123456789abcdef.json")));
  const Json gone = tailmark_({"cache", "prune", "--all", "--json"}).json();
  EXPECT_EQ(gone["removed"].size(), 2u);
  EXPECT_EQ(gone["bytes"], 26);
  // Whatever else lies there is left alone.
  EXPECT_TRUE(fs::exists(Path("cache/plugins/note.txt")));
  EXPECT_TRUE(fs::exists(Path("cache/mine.json")));
}

}  // namespace
}  // namespace tailmark
