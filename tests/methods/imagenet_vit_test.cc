#include "methods/clip/imagenet_vit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/base/error.h"
#include "methods/clip/clip_encoder.h"
#include "methods/clip/tensor_file.h"
#include "methods/torch_pch.h"
#include "tests/contract/toys.h"
#include "tests/methods/tiny_clip.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr std::int64_t kWidth = 12, kMlp = 20, kHeads = 3, kTokens = 5;

/// Weights of TinyConfig()'s sizes under timm's names.
std::map<std::string, at::Tensor> Weights() {
  at::Generator chance = at::detail::createCPUGenerator(9);
  std::map<std::string, at::Tensor> all;
  const auto add = [&](const std::string& name, at::IntArrayRef shape) {
    all[name] = at::empty(shape, at::kFloat).normal_(0.1, 0.3, chance);
  };
  add("cls_token", {1, 1, kWidth});
  add("pos_embed", {1, kTokens, kWidth});
  add("patch_embed.proj.weight", {kWidth, 3, 8, 8});
  add("patch_embed.proj.bias", {kWidth});
  for (const std::string block : {"blocks.0.", "blocks.1."}) {
    for (const std::string norm : {"norm1", "norm2"}) {
      add(block + norm + ".weight", {kWidth});
      add(block + norm + ".bias", {kWidth});
    }
    const std::vector<std::tuple<std::string, std::int64_t, std::int64_t>>
        layers = {{"attn.qkv", 3 * kWidth, kWidth},
                  {"attn.proj", kWidth, kWidth},
                  {"mlp.fc1", kMlp, kWidth},
                  {"mlp.fc2", kWidth, kMlp}};
    for (const auto& [layer, out, in] : layers) {
      add(block + layer + ".weight", {out, in});
      add(block + layer + ".bias", {out});
    }
  }
  add("norm.weight", {kWidth});
  add("norm.bias", {kWidth});
  add("head.weight", {4, kWidth});
  return all;
}

fs::path Written(const std::map<std::string, at::Tensor>& weights) {
  const fs::path path = fs::path(::testing::TempDir()) / "vit.safetensors";
  TensorFile file;
  for (const auto& [name, value] : weights) file.Put(name, value);
  file.Write(path);
  return path;
}

/// The same ViT, written down a second time, layer by layer.
at::Tensor Reference(std::map<std::string, at::Tensor>& w,
                     const at::Tensor& pixels) {
  const auto norm = [&](const at::Tensor& x, const std::string& name) {
    return at::layer_norm(x, {kWidth}, w[name + ".weight"], w[name + ".bias"],
                          1e-6);
  };
  const auto layer = [&](const at::Tensor& x, const std::string& name) {
    return at::linear(x, w[name + ".weight"], w[name + ".bias"]);
  };
  const auto patches = at::conv2d(pixels, w["patch_embed.proj.weight"],
                                  w["patch_embed.proj.bias"], 8)
                           .flatten(2)
                           .transpose(1, 2);
  auto x =
      at::cat({w["cls_token"].expand({pixels.size(0), -1, -1}), patches}, 1) +
      w["pos_embed"];
  for (const std::string block : {"blocks.0.", "blocks.1."}) {
    const auto qkv = layer(norm(x, block + "norm1"), block + "attn.qkv")
                         .view({-1, kTokens, 3, kHeads, kWidth / kHeads})
                         .permute({2, 0, 3, 1, 4});
    const auto attention =
        at::matmul(qkv[0] * 0.5, qkv[1].transpose(2, 3)).softmax(3);
    x = x + layer(at::matmul(attention, qkv[2]).transpose(1, 2).flatten(2),
                  block + "attn.proj");
    x = x + layer(at::gelu(layer(norm(x, block + "norm2"), block + "mlp.fc1")),
                  block + "mlp.fc2");
  }
  return norm(x, "norm");
}

TEST(ImageNetVit, AFileWithTimmsNamesGivesTheTokensOfAPlainViT) {
  const at::NoGradGuard no_grad;
  auto weights = Weights();
  const ClipEncoder clip(TinyClip(), nullptr, "tiny");
  const auto student = WithImageNetTower(clip, Written(weights));
  const auto pixels =
      at::randn({3, 3, 16, 16}, at::detail::createCPUGenerator(4), at::kFloat);
  EXPECT_TRUE(student->EncodeImageStates(pixels).allclose(
      Reference(weights, pixels), 1e-4, 1e-5));
  // A copy is built from the configuration alone.
  const auto copy = student->Copy(Towers::kImage);
  EXPECT_TRUE(copy->EncodeImageStates(pixels).equal(
      student->EncodeImageStates(pixels)));
}

TEST(ImageNetVit, AFileThatLacksATensorIsNamedWithIt) {
  auto weights = Weights();
  weights.erase("blocks.1.mlp.fc2.bias");
  const ClipEncoder clip(TinyClip(), nullptr, "tiny");
  try {
    WithImageNetTower(clip, Written(weights));
    ADD_FAILURE() << "passed";
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("blocks.1.mlp.fc2.bias"));
  }
}

TEST(ImageNetVit, AnEncoderThatIsNoClipIsRefused) {
  const toys::ToyEncoder toy;
  EXPECT_THROW(WithImageNetTower(toy, "none.safetensors"), ConfigError);
}

}  // namespace
}  // namespace tailmark
