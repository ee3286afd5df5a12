#include "harness/record/encoder_shape.h"

#include <gtest/gtest.h>

#include "harness/base/error.h"

namespace tailmark {
namespace {

// What docs/model_profile.csv of open_clip (github.com/mlfoundations/open_clip)
// says of the same models, in billions and millions.
constexpr double kVitB16Flops = 35.13;
constexpr double kVitB16Numbers = 86.19;
constexpr double kTextNumbers = 63.43;
constexpr double kTextFlops = 5.96;  // Of 77 tokens.
constexpr double kRn50Flops = 12.22;
constexpr double kRn50Numbers = 38.32;

void AddBlocks(const std::string& prefix, std::int64_t width,
               std::int64_t layers, TensorShapes& all) {
  for (std::int64_t i = 0; i < layers; ++i) {
    const std::string block = StrCat(prefix, i, ".");
    all[block + "attn.in_proj_weight"] = {3 * width, width};
    all[block + "attn.in_proj_bias"] = {3 * width};
    all[block + "attn.out_proj.weight"] = {width, width};
    all[block + "attn.out_proj.bias"] = {width};
    all[block + "mlp.c_fc.weight"] = {4 * width, width};
    all[block + "mlp.c_fc.bias"] = {4 * width};
    all[block + "mlp.c_proj.weight"] = {width, 4 * width};
    all[block + "mlp.c_proj.bias"] = {width};
    for (const char* norm :
         {"ln_1.weight", "ln_1.bias", "ln_2.weight", "ln_2.bias"}) {
      all[block + norm] = {width};
    }
  }
}

void AddText(std::int64_t joint, TensorShapes& all) {
  all["token_embedding.weight"] = {49408, 512};
  all["positional_embedding"] = {77, 512};
  all["text_projection"] = {512, joint};
  all["ln_final.weight"] = {512};
  all["ln_final.bias"] = {512};
  all["logit_scale"] = {};
  AddBlocks("transformer.resblocks.", 512, 12, all);
}

TensorShapes VitB16() {
  TensorShapes all;
  AddText(512, all);
  all["visual.conv1.weight"] = {768, 3, 16, 16};
  all["visual.class_embedding"] = {768};
  all["visual.positional_embedding"] = {197, 768};
  all["visual.proj"] = {768, 512};
  for (const char* norm :
       {"ln_pre.weight", "ln_pre.bias", "ln_post.weight", "ln_post.bias"}) {
    all[StrCat("visual.", norm)] = {768};
  }
  AddBlocks("visual.transformer.resblocks.", 768, 12, all);
  return all;
}

void AddConvolution(const std::string& name, const std::string& norm,
                    std::int64_t out, std::int64_t in, std::int64_t side,
                    TensorShapes& all) {
  all["visual." + name + ".weight"] = {out, in, side, side};
  all["visual." + norm + ".weight"] = {out};
  all["visual." + norm + ".bias"] = {out};
}

void AddStage(int stage, std::int64_t blocks, std::int64_t& in,
              TensorShapes& all) {
  const std::int64_t planes = std::int64_t{32} << stage;
  for (std::int64_t i = 0; i < blocks; ++i) {
    const std::string b = StrCat("layer", stage, ".", i, ".");
    AddConvolution(b + "conv1", b + "bn1", planes, in, 1, all);
    AddConvolution(b + "conv2", b + "bn2", planes, planes, 3, all);
    AddConvolution(b + "conv3", b + "bn3", 4 * planes, planes, 1, all);
    if (i == 0) {
      AddConvolution(b + "downsample.0", b + "downsample.1", 4 * planes, in, 1,
                     all);
    }
    in = 4 * planes;
  }
}

TensorShapes ResNet50() {
  TensorShapes all;
  AddText(1024, all);
  AddConvolution("conv1", "bn1", 32, 3, 3, all);
  AddConvolution("conv2", "bn2", 32, 32, 3, all);
  AddConvolution("conv3", "bn3", 64, 32, 3, all);
  std::int64_t in = 64;
  AddStage(1, 3, in, all);
  AddStage(2, 4, in, all);
  AddStage(3, 6, in, all);
  AddStage(4, 3, in, all);
  const std::string pool = "visual.attnpool.";
  all[pool + "positional_embedding"] = {50, in};
  for (const char* part : {"k_proj", "q_proj", "v_proj"}) {
    all[pool + part + ".weight"] = {in, in};
    all[pool + part + ".bias"] = {in};
  }
  all[pool + "c_proj.weight"] = {1024, in};
  all[pool + "c_proj.bias"] = {1024};
  return all;
}

TEST(EncoderShape, OfAVisionTransformerIsAsPublished) {
  const auto shape = EncoderShapeOf(VitB16());
  ASSERT_TRUE(shape);
  EXPECT_EQ(shape->pixels, 224);
  EXPECT_EQ(shape->image.tokens, 197);
  EXPECT_EQ(shape->image.width, 768);
  EXPECT_EQ(shape->text.width, 512);
  EXPECT_NEAR(shape->image.flops / 1e9, kVitB16Flops, 0.01);
  EXPECT_NEAR(shape->image.numbers / 1e6, kVitB16Numbers, 0.01);
  EXPECT_NEAR(shape->text.numbers / 1e6, kTextNumbers, 0.01);
  // Of one token: attention to the others, a fortieth of it, is left out.
  EXPECT_NEAR(77 * shape->text.flops / 1e9, kTextFlops, 0.03 * kTextFlops);
}

TEST(EncoderShape, OfAResNetIsAsPublished) {
  const auto shape = EncoderShapeOf(ResNet50());
  ASSERT_TRUE(shape);
  EXPECT_EQ(shape->pixels, 224);
  // There the attention pool asks from all 50 places, here from their mean.
  const double asked = 2.0 * 49 * 2048 * (2048 + 1024) / 1e9;
  EXPECT_NEAR(shape->image.flops / 1e9 + asked, kRn50Flops, 0.05);
  EXPECT_NEAR(shape->image.numbers / 1e6, kRn50Numbers, 0.1);
}

TEST(EncoderShape, OfNanoClipIsReadFromItsFile) {
  const auto shape =
      EncoderShapeOf(std::filesystem::path(TM_SOURCE_DIR "/methods/clip/nano"));
  ASSERT_TRUE(shape);
  EXPECT_EQ(shape->pixels, 48);
  EXPECT_EQ(shape->image.tokens, 37);
  // Four blocks of 12 x 96 x 96 numbers, attention, and the patches.
  EXPECT_EQ(shape->image.flops, 37 * 4 * (2 * 12 * 96 * 96 + 4 * 37 * 96) +
                                    2 * 36 * 96 * 3 * 8 * 8);
  EXPECT_EQ(shape->text.flops, 2 * (2 * 12 * 64 * 64 + 4 * 64));
}

TEST(EncoderShape, OfSomethingElseIsNotKnown) {
  EXPECT_FALSE(EncoderShapeOf(TensorShapes{{"fc.weight", {10, 10}}}));
  TensorShapes broken = VitB16();
  broken.erase("visual.positional_embedding");
  EXPECT_FALSE(EncoderShapeOf(broken));
}

TEST(EncoderShape, WithoutATextTowerHasNoText) {
  TensorShapes image = VitB16();
  std::erase_if(image, [](const auto& each) {
    return !each.first.starts_with("visual.");
  });
  const auto shape = EncoderShapeOf(image);
  ASSERT_TRUE(shape);
  EXPECT_EQ(shape->text.flops, 0);
  EXPECT_NEAR(shape->image.flops / 1e9, kVitB16Flops, 0.01);
}

}  // namespace
}  // namespace tailmark
