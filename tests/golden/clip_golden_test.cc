// Both towers against float64 evaluations of the same weights: every array of
// the golden set, within the tolerance that its manifest gives.

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/json.h"
#include "harness/base/npy.h"
#include "harness/base/safetensors.h"
#include "methods/clip/clip_encoder.h"
#include "methods/clip/tensor_file.h"
#include "methods/torch_pch.h"
#include "tests/golden/golden.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;

at::Tensor ReadTensor(const fs::path& path) {
  const NpyArray array = ReadNpy(path);
  return ToTensor(
      {array.dtype, array.shape, std::as_bytes(std::span(array.bytes))});
}

/// One model of the golden set, "vit_tiny" or "vit_hf".
class Case {
 public:
  Case(const fs::path& root, std::string name)
      : name_(std::move(name)),
        folder_(root / name_),
        encoder_(ClipEncoder::Load(folder_ / "hf", at::kCPU)) {
    const Json manifest = ReadJson(root / "manifest.json");
    for (const auto& [path, file] : manifest["files"].items()) {
      const auto found = file.find("tolerance");
      if (found != file.end() && found->is_object()) {
        tolerances_[path] = (*found)["max_abs"];
      }
    }
  }

  ClipEncoder& encoder() { return *encoder_; }
  const ClipModel& model() { return encoder_->model(); }
  int compared() const { return compared_; }

  bool Has(const std::string& array) const {
    return fs::exists(folder_ / "expected" / (array + ".npy"));
  }
  at::Tensor Input(const std::string& array) const {
    return ReadTensor(folder_ / "expected" / (array + ".npy"));
  }

  void Expect(const std::string& array, const at::Tensor& mine) {
    const std::string file = array + ".f64";
    if (!Has(file)) return;
    const auto expected = Input(file).to(at::kDouble);
    ASSERT_EQ(expected.sizes(), mine.sizes()) << name_ << " " << array;
    const std::string path = name_ + "/expected/" + file + ".npy";
    ASSERT_TRUE(tolerances_.contains(path)) << path;
    const double most =
        (mine.to(at::kDouble) - expected).abs().max().item<double>();
    EXPECT_LE(most, tolerances_[path]) << name_ << " " << array;
    ++compared_;
  }

 private:
  std::string name_;
  fs::path folder_;
  std::unique_ptr<ClipEncoder> encoder_;
  std::map<std::string, double> tolerances_;
  int compared_ = 0;
};

at::Tensor Unit(const at::Tensor& rows) {
  return rows / rows.norm(2, -1, /*keepdim=*/true);
}

void CheckImages(Case& with) {
  const VisionTower& vision = with.model().vision;
  const auto pixels = with.Input("pixels");
  const auto features = with.encoder().EncodeImages(pixels);
  with.Expect("image_features", features);
  with.Expect("image_features_norm", Unit(features));
  with.Expect("tokens_proj", with.encoder().EncodeImageTokens(pixels));
  std::vector<at::Tensor> states;
  vision.Tokens(pixels, {}, &states);
  with.Expect("hidden", at::stack(states));
  if (with.Has("token_ids")) {
    const auto texts = with.encoder().EncodeText(with.Input("token_ids"));
    with.Expect("logits_per_image", Unit(features).matmul(Unit(texts).t()) *
                                        with.encoder().logit_scale());
  }
}

void CheckPositions(Case& with) {
  const VisionTower& vision = with.model().vision;
  for (const auto& [name, rows, columns] :
       {std::tuple{"pos_7x7", 7, 7}, std::tuple{"pos_7x5", 7, 5},
        std::tuple{"pos_3x2", 3, 2}}) {
    with.Expect(name, vision.Positions(rows, columns));
    const std::string pixels = std::string(name) + "_pixels";
    if (with.Has(pixels)) {
      with.Expect(std::string(name) + "_tokens_proj",
                  with.encoder().EncodeImageTokens(with.Input(pixels)));
    }
  }
}

/// Prompts (the tokens 1 ... count) attend to themselves and to all that is no
/// prompt.
at::Tensor PromptMask(std::int64_t count, std::int64_t tokens) {
  auto mask = at::ones({tokens, tokens}, at::kBool);
  mask.narrow(0, 1, count)
      .narrow(1, 1, count)
      .copy_(at::eye(count).to(at::kBool));
  return mask;
}

void CheckPrompts(Case& with) {
  if (!with.Has("deep_prompts")) return;
  const VisionTower& vision = with.model().vision;
  const auto pixels = with.Input("pixels");
  const auto prompts = with.Input("deep_prompts");
  const std::int64_t count = prompts.size(1);
  const auto plain = vision.Tokens(pixels.narrow(0, 0, 1));

  with.Expect("vpt_shallow_tokens_proj",
              vision.Project(
                  vision.Tokens(pixels, {.tokens = prompts.narrow(0, 0, 1)})));
  for (const bool masked : {false, true}) {
    const std::string name = masked ? "vpt_deep_masked" : "vpt_deep";
    VisualPrompts deep{.tokens = prompts};
    if (masked) deep.mask = PromptMask(count, plain.size(1) + count);
    std::vector<at::Tensor> states;
    const auto tokens = vision.Tokens(pixels, deep, &states);
    with.Expect(name + "_tokens_proj", vision.Project(tokens));
    with.Expect(name + "_prompt_ln_post",
                vision.norm_post(tokens.narrow(1, 1, count)));
    with.Expect(name + "_hidden", at::stack(states).narrow(1, 0, 2));
    // The short way to the class token must agree with the long one.
    EXPECT_TRUE(vision.Feature(pixels, deep)
                    .allclose(vision.Project(tokens.select(1, 0)), 1e-5, 1e-5));
  }
}

void CheckTexts(Case& with) {
  const TextTower& text = with.model().text;
  const auto ids = with.Input("token_ids");
  const auto features = with.encoder().EncodeText(ids);
  with.Expect("text_features", features);
  with.Expect("text_features_norm", Unit(features));
  std::vector<at::Tensor> states;
  text.Tokens(text.Embed(ids.narrow(0, 0, 2)), &states);
  with.Expect("text_hidden_first2", at::stack(states));
}

void CheckSoftPrompts(Case& with) {
  if (!with.Has("soft_token_ids")) return;
  const auto ids = with.Input("soft_token_ids");
  for (const char* kind : {"generic", "class"}) {
    const auto context = with.Input(std::string("soft_ctx_") + kind);
    auto embeddings = with.encoder().EmbedTokens(ids).clone();
    embeddings.narrow(1, 1, context.size(-2)).copy_(context);
    if (with.Has(std::string("soft_") + kind + "_embeddings")) {
      EXPECT_TRUE(embeddings.equal(
          with.Input(std::string("soft_") + kind + "_embeddings")));
    }
    with.Expect(std::string("soft_") + kind + "_features",
                with.encoder().EncodeEmbeddings(embeddings, ids));
  }
}

class ClipTowersGolden : public testing::TestWithParam<const char*> {};

TEST_P(ClipTowersGolden, AgreeWithTheFloat64Reference) {
  const fs::path root = GoldenFolder("clip");
  const fs::path model = root / GetParam();
  for (const auto& file : {model / "hf" / "config.json", model / "expected",
                           root / "manifest.json"}) {
    if (!fs::exists(file)) GTEST_SKIP() << file << " is not there";
  }
  const at::NoGradGuard no_grad;
  Case with(root, GetParam());
  CheckImages(with);
  CheckPositions(with);
  CheckPrompts(with);
  CheckTexts(with);
  CheckSoftPrompts(with);
  std::printf("clip/%s: compared %d arrays\n", GetParam(), with.compared());
  EXPECT_GE(with.compared(), 20);
}

INSTANTIATE_TEST_SUITE_P(Models, ClipTowersGolden,
                         testing::Values("vit_tiny", "vit_hf"));

/// Features of models that transformers computed; always the tree's own.
void CheckTransformers(const fs::path& model, const fs::path& expected) {
  const at::NoGradGuard no_grad;
  const auto encoder = ClipEncoder::Load(model, at::kCPU);
  const auto file = TensorFile::Read(expected);
  const auto texts = encoder->EncodeText(file.Get("ids"));
  const auto images = encoder->EncodeImages(file.Get("pixels"));
  const auto near = [&](const char* name, const at::Tensor& mine,
                        double tolerance) {
    const auto theirs = file.Get(name);
    ASSERT_EQ(theirs.sizes(), mine.sizes()) << name;
    EXPECT_LE((mine - theirs).abs().max().item<double>(), tolerance)
        << model << " " << name;
  };
  near("text_embeds", Unit(texts), 1e-5);
  near("image_embeds", Unit(images), 1e-5);
  near("tokens", encoder->EncodeImageTokens(file.Get("pixels")), 1e-4);
  near("logits", Unit(images).matmul(Unit(texts).t()) * encoder->logit_scale(),
       1e-4);
}

TEST(ClipGolden, NanoClipIsAClipModelOfTransformers) {
  const fs::path tree = TM_SOURCE_DIR;
  CheckTransformers(tree / "methods/clip/nano",
                    tree / "tests/golden/clip_transformers/nano.safetensors");
}

TEST(ClipGolden, ActivationEpsilonHeadsAndEndRuleComeFromTheConfiguration) {
  const fs::path folder =
      fs::path(TM_SOURCE_DIR) / "tests/golden/clip_transformers";
  CheckTransformers(folder / "gelu", folder / "gelu.safetensors");
}

}  // namespace
}  // namespace tailmark
