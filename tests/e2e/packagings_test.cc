// One small CLIP of random numbers in every packaging that people have, from
// `tailmark weights import` through a whole `tailmark run`: the same scores.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/script.h>

#include <map>
#include <set>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/json.h"
#include "harness/base/safetensors.h"
#include "methods/clip/clip_model.h"
#include "methods/clip/openai_names.h"
#include "methods/clip/tensor_file.h"
#include "methods/clip/text_unicode.h"
#include "methods/clip/tokenizer.h"
#include "methods/clip/weights.h"
#include "methods/torch_pch.h"
#include "tests/e2e/program.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;
using ::testing::HasSubstr;

// As OpenAI's are: heads of 64, QuickGELU, the text's largest id ends it.
ClipModel SmallClip() {
  ClipConfig config;
  config.vision = {.width = 64, .mlp = 256, .layers = 2, .heads = 1};
  config.text = {.width = 64, .mlp = 256, .layers = 2, .heads = 1};
  config.joint_width = 32;
  config.image_size = 48;
  config.patch_size = 16;
  config.vocabulary = 517;
  config.end.id = -1;
  ClipModel model(config, at::TensorOptions(at::kFloat));
  InitialiseLikeOpenAi(model, 1);
  return model;
}

using Tensors = std::map<std::string, at::Tensor>;

// float16, which is what the real files hold.
Tensors OpenAiTensors(const ClipModel& model) {
  Tensors all;
  for (const auto& [name, tensor] : model.Parameters()) {
    const OpenAiName theirs = ToOpenAiName(name);
    const auto value = theirs.transposed ? tensor.t() : tensor;
    all[theirs.name] = value.detach().to(at::kHalf).contiguous();
  }
  return all;
}

// A module of TorchScript with a sub-module for each dot of a name.
torch::jit::Module ScriptOf(const Tensors& tensors, const std::string& type) {
  torch::jit::Module module(type);
  std::map<std::string, Tensors> below;
  for (const auto& [name, tensor] : tensors) {
    const auto dot = name.find('.');
    if (dot == name.npos) {
      module.register_parameter(name, tensor, /*is_buffer=*/false);
    } else {
      below[name.substr(0, dot)][name.substr(dot + 1)] = tensor;
    }
  }
  for (const auto& [name, inside] : below) {
    module.register_module(name, ScriptOf(inside, type + "_" + name));
  }
  return module;
}

// Bytes and nothing merged: what tests/methods/bpe_test.cc reads too.
void PutVocabulary(const fs::path& folder) {
  std::vector<std::string> letters;
  for (const bool shown : {true, false}) {
    char32_t spare = 0x100;
    for (char32_t b = 0; b < 256; ++b) {
      const bool is_shown = (b >= '!' && b <= '~') || (b >= 0xA1 && b != 0xAD);
      if (is_shown != shown) continue;
      const char32_t c = shown ? b : spare++;
      letters.push_back(ToUtf8({&c, 1}));
    }
  }
  std::vector<std::string> words = letters;
  for (const auto& each : letters) words.push_back(each + "</w>");
  for (const char* word :
       {"re", "ci", "gr", "<|startoftext|>", "<|endoftext|>"}) {
    words.emplace_back(word);
  }
  MakeFolders(folder);
  WriteVocabulary(folder / "vocab.json", words);
  WriteFileAtomic(folder / "merges.txt", "#version: 0.2\nr e\nc i\ng r\n");
}

class Packagings : public ::testing::Test {
 protected:
  Packagings() {
    tailmark_.environment["TAILMARK_WEIGHTS"] = Path("weights");
    tailmark_.environment["TAILMARK_CACHE"] = Path("cache");
  }
  fs::path Path(const std::string& name) const {
    return scratch_.path() / name;
  }
  /// Imports, runs zero-shot, gives the score matrix.
  std::string ScoresOf(const fs::path& from, const std::string& name) {
    const Said taken = tailmark_({"weights", "import", from, "--name", name});
    EXPECT_EQ(taken.code, 0) << taken.err;
    if (!fs::exists(Path("weights") / name / "vocab.json")) {
      PutVocabulary(Path("weights") / name);
    }
    const Said said =
        tailmark_({"run", "quickstart", "--only", "method=zero_shot_clip",
                   "--set", "weights=" + name, "--json"});
    EXPECT_EQ(said.code, 0) << said.err;
    if (said.code != 0) return name;
    const Json run = said.json().at("runs").at(0);
    EXPECT_EQ(run.at("state"), "done");
    keys_.push_back(run.at("key"));
    return ReadFile(fs::path(run.at("bundle").get<std::string>()) /
                    "scores/test.npy");
  }

  ScratchFolder scratch_;
  Program tailmark_{scratch_.path()};
  std::vector<std::string> keys_;
};

/// Cuts the folder's tensors into two files and an index, as large models come.
void Shard(const fs::path& folder) {
  const auto whole = Safetensors::Open(folder / "model.safetensors");
  Json map = Json::object();
  Safetensors::Tensors halves[2];
  for (const auto& [name, view] : whole.tensors()) {
    const std::size_t half = map.size() % 2;
    halves[half].emplace(name, view);
    map[name] = StrCat("model-0000", half + 1, "-of-00002.safetensors");
  }
  for (std::size_t half = 0; half < 2; ++half) {
    WriteSafetensors(
        folder / StrCat("model-0000", half + 1, "-of-00002.safetensors"),
        halves[half]);
  }
  WriteFileAtomic(folder / "model.safetensors.index.json",
                  Json{{"weight_map", map}}.dump());
  fs::remove(folder / "model.safetensors");
}

TEST_F(Packagings, EveryOneGivesTheSameScoresThroughAWholeRun) {
  const at::NoGradGuard no_grad;
  const ClipModel model = SmallClip();
  // HuggingFace, one file.
  PutVocabulary(Path("hf"));
  SaveClip(model, Path("hf"), at::kHalf);
  const std::string expected = ScoresOf(Path("hf"), "hf");
  EXPECT_GT(expected.size(), 1000u);

  // The same in two shards.
  fs::copy(Path("hf"), Path("sharded"));
  Shard(Path("sharded"));
  EXPECT_TRUE(ScoresOf(Path("sharded"), "sharded") == expected);

  // OpenAI's TorchScript: a file alone, as it is downloaded.
  const Tensors tensors = OpenAiTensors(model);
  ScriptOf(tensors, "CLIP").save(Path("ViT-small.pt"));
  EXPECT_TRUE(ScoresOf(Path("ViT-small.pt"), "torchscript") == expected);

  // OpenCLIP's folder; QuickGELU because it says so.
  TensorFile file;
  for (const auto& [name, tensor] : tensors) file.Put(name, tensor);
  MakeFolders(Path("open_clip"));
  file.Write(Path("open_clip/open_clip_model.safetensors"));
  WriteFileAtomic(Path("open_clip/open_clip_config.json"),
                  R"({"model_cfg": {"quick_gelu": true}})");
  EXPECT_TRUE(ScoresOf(Path("open_clip"), "open_clip") == expected);

  // Other bytes are other runs, even when they say the same.
  EXPECT_EQ(std::set<std::string>(keys_.begin(), keys_.end()).size(), 4u);
  const Said verified = tailmark_({"weights", "verify"});
  EXPECT_EQ(verified.code, 0) << verified.out;

  // Other weights are other scores.
  ClipModel other = SmallClip();
  InitialiseLikeOpenAi(other, 2);
  PutVocabulary(Path("other"));
  SaveClip(other, Path("other"), at::kHalf);
  EXPECT_FALSE(ScoresOf(Path("other"), "other") == expected);
}

TEST_F(Packagings, AScriptThatIsNoClipIsRefusedByName) {
  torch::jit::Module module("Other");
  module.register_parameter("weight", at::ones({2}), /*is_buffer=*/false);
  module.save(Path("other.pt"));
  const Said said = tailmark_({"weights", "import", "other.pt"});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("is no CLIP"));
  EXPECT_FALSE(fs::exists(Path("weights/other")));
}

}  // namespace
}  // namespace tailmark
