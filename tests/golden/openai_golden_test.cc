// OpenAI's packagings, safetensors and archives of torch, of a vision
// transformer and of a ResNet, against float64 evaluations of the same weights.

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/json.h"
#include "harness/base/npy.h"
#include "methods/clip/clip_encoder.h"
#include "methods/clip/tensor_file.h"
#include "methods/torch_pch.h"
#include "tests/golden/golden.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;

class Case {
 public:
  Case(const std::string& model, const std::string& file)
      : model_(model),
        folder_(GoldenFolder("clip") / model / "expected"),
        manifest_(ReadJson(GoldenFolder("clip") / "manifest.json")),
        encoder_(
            ClipEncoder::Load(GoldenFolder("clip") / model / file, at::kCPU)) {}

  ClipEncoder& encoder() { return *encoder_; }
  int compared() const { return compared_; }

  at::Tensor Input(const std::string& array) const {
    const NpyArray npy = ReadNpy(folder_ / (array + ".npy"));
    return ToTensor(
        {npy.dtype, npy.shape, std::as_bytes(std::span(npy.bytes))});
  }

  void Expect(const std::string& array, const at::Tensor& mine) {
    const auto expected = Input(array + ".f64").to(at::kDouble);
    ASSERT_EQ(expected.sizes(), mine.sizes()) << model_ << " " << array;
    const double allowed = manifest_["files"][StrCat(
        model_, "/expected/", array, ".f64.npy")]["tolerance"]["max_abs"];
    EXPECT_LE((mine.to(at::kDouble) - expected).abs().max().item<double>(),
              allowed)
        << model_ << " " << array;
    ++compared_;
  }

 private:
  std::string model_;
  fs::path folder_;
  Json manifest_;
  std::unique_ptr<ClipEncoder> encoder_;
  int compared_ = 0;
};

at::Tensor Unit(const at::Tensor& rows) {
  return rows / rows.norm(2, -1, /*keepdim=*/true);
}

/// What of a model's cases is absent first; empty: nothing.
std::string Absent(const std::string& model, const std::string& file) {
  const fs::path root = GoldenFolder("clip");
  for (const auto& path : {root / model / file, root / model / "expected",
                           root / "manifest.json"}) {
    if (!fs::exists(path)) return path.string() + " is not there";
  }
  return {};
}

void CheckBothTowers(Case& with) {
  const auto images = with.encoder().EncodeImages(with.Input("pixels"));
  const auto texts = with.encoder().EncodeText(with.Input("token_ids"));
  with.Expect("image_features", images);
  with.Expect("image_features_norm", Unit(images));
  with.Expect("text_features", texts);
  with.Expect("text_features_norm", Unit(texts));
  with.Expect("logits_per_image", Unit(images).matmul(Unit(texts).t()) *
                                      with.encoder().logit_scale());
}

void CheckResNet(Case& with) {
  const ResNetTower& tower = *with.encoder().model().resnet;
  std::vector<at::Tensor> states;
  const auto map = tower.Map(with.Input("pixels"), &states);
  const char* names[] = {"stem", "layer1", "layer2", "layer3", "layer4"};
  for (std::size_t i = 0; i < states.size(); ++i) {
    with.Expect(names[i], states[i]);
  }
  with.Expect("dense_nopos", tower.Dense(map, false));
  with.Expect("dense_pos", tower.Dense(map, true));
  with.Expect("pos_5x4", tower.Positions(5, 4));
  const auto other = tower.Map(with.Input("pos_5x4_pixels"));
  with.Expect("pos_5x4_image_features", tower.Pool(other));
  with.Expect("pos_5x4_dense_nopos", tower.Dense(other, false));
}

class OpenAiGoldenTest : public testing::TestWithParam<const char*> {};

TEST_P(OpenAiGoldenTest, VisionTransformerAgreesInEveryPackaging) {
  const auto absent = Absent("vit_tiny", GetParam());
  if (!absent.empty()) GTEST_SKIP() << absent;
  const at::NoGradGuard no_grad;
  Case with("vit_tiny", GetParam());
  CheckBothTowers(with);
  with.Expect("tokens_proj",
              with.encoder().EncodeImageTokens(with.Input("pixels")));
  std::printf("compared %d arrays\n", with.compared());
}

TEST_P(OpenAiGoldenTest, ResNetAgreesInEveryPackaging) {
  const auto absent = Absent("rn_tiny", GetParam());
  if (!absent.empty()) GTEST_SKIP() << absent;
  const at::NoGradGuard no_grad;
  Case with("rn_tiny", GetParam());
  CheckBothTowers(with);
  CheckResNet(with);
  EXPECT_FALSE(with.encoder().batch_dependent());
  std::printf("compared %d arrays\n", with.compared());
}

TEST_P(OpenAiGoldenTest, TrainModeMakesFeaturesDependOnTheBatch) {
  const auto absent = Absent("rn_tiny", GetParam());
  if (!absent.empty()) GTEST_SKIP() << absent;
  const at::NoGradGuard no_grad;
  Case with("rn_tiny", GetParam());
  const auto pixels = with.Input("pixels");
  const auto frozen = with.encoder().EncodeImages(pixels);
  const std::string before = HashParameters(with.encoder().model());
  with.encoder().model().resnet->train_mode = true;
  EXPECT_TRUE(with.encoder().batch_dependent());
  const auto both = with.encoder().EncodeImages(pixels).select(0, 0);
  const auto alone = with.encoder().EncodeImages(pixels.narrow(0, 0, 1));
  EXPECT_FALSE(both.allclose(alone.select(0, 0), 1e-3, 1e-3));
  EXPECT_NE(HashParameters(with.encoder().model()), before);
  with.encoder().model().resnet->train_mode = false;
  EXPECT_FALSE(with.encoder().EncodeImages(pixels).equal(frozen));
}

TEST(OpenClipGoldenTest, ItsFolderIsReadAndItsConfigurationSaysWhichGelu) {
  const auto absent = Absent("vit_tiny", "openai.safetensors");
  if (!absent.empty()) GTEST_SKIP() << absent;
  const at::NoGradGuard no_grad;
  Case with("vit_tiny", "openai.safetensors");
  const auto pixels = with.Input("pixels");
  const auto quick = with.encoder().EncodeImages(pixels);
  const fs::path folder = fs::path(testing::TempDir()) / "open-clip-golden";
  fs::remove_all(folder);
  fs::create_directories(folder);
  fs::copy_file(GoldenFolder("clip") / "vit_tiny/openai.safetensors",
                folder / "open_clip_model.safetensors");
  const auto encode = [&](const char* config) {
    WriteFileAtomic(folder / "open_clip_config.json", config);
    return ClipEncoder::Load(folder, at::kCPU)->EncodeImages(pixels);
  };
  EXPECT_TRUE(encode(R"({"model_cfg": {"quick_gelu": true}})").equal(quick));
  const auto exact = encode(R"({"model_cfg": {"embed_dim": 512}})");
  EXPECT_FALSE(exact.allclose(quick, 1e-4, 1e-5));
  EXPECT_THROW(encode(R"({"model_cfg": {"quick_gelu": "yes"}})"), DataError);
  fs::remove_all(folder);
}

INSTANTIATE_TEST_SUITE_P(Packagings, OpenAiGoldenTest,
                         testing::Values("openai.safetensors",
                                         "openai_jit.pt"));

}  // namespace
}  // namespace tailmark
