// What the towers promise beyond the golden values.

#include "methods/clip/clip_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "harness/base/error.h"
#include "methods/clip/clip_encoder.h"
#include "methods/clip/fast_linear.h"
#include "methods/torch_pch.h"
#include "tests/methods/tiny_clip.h"

namespace tailmark {
namespace {

using ::testing::HasSubstr;

at::Tensor Noise(at::IntArrayRef shape, std::uint64_t seed = 5) {
  at::Generator chance = at::detail::createCPUGenerator(seed);
  return at::empty(shape, at::kFloat).normal_(0.0, 1.0, chance);
}

// The middle text ends before its neighbours; ids behind an end are arbitrary.
at::Tensor Ids() {
  return at::tensor({9, 4,  5, 10, 0, 0,  0,  //
                     9, 10, 3, 2,  1, 10, 4,  //
                     9, 6,  6, 6,  6, 6,  10},
                    at::kLong)
      .view({3, 7});
}

std::string ConfigErrorOf(const std::function<void()>& call) {
  try {
    call();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

TEST(ClipModel, TheShortWayToAFeatureEqualsTheLongOne) {
  const at::NoGradGuard no_grad;
  const ClipModel model = TinyClip();
  const auto pixels = Noise({4, 3, 16, 16});
  const auto tokens = model.vision.Tokens(pixels);
  EXPECT_TRUE(model.vision.Feature(pixels).allclose(
      model.vision.Project(tokens).select(1, 0), 1e-5, 1e-6));

  const auto ids = Ids();
  const auto all = model.text.Tokens(model.text.Embed(ids));
  const auto feature =
      model.text.Feature(model.text.Embed(ids), model.text.Ends(ids));
  const std::int64_t ends[] = {3, 1, 6};
  for (std::int64_t row = 0; row < 3; ++row) {
    const auto expected = at::linear(model.text.norm_final(all[row][ends[row]]),
                                     model.text.projection);
    EXPECT_TRUE(feature[row].allclose(expected, 1e-5, 1e-6)) << row;
  }
}

TEST(ClipModel, WhatFollowsTheEndOfATextDoesNotMatter) {
  const at::NoGradGuard no_grad;
  const ClipModel model = TinyClip();
  auto ids = Ids();
  const auto ends = model.text.Ends(ids);
  const auto before = model.text.Feature(model.text.Embed(ids), ends);
  ids[0].narrow(0, 4, 3).fill_(7);
  const auto after = model.text.Feature(model.text.Embed(ids), ends);
  EXPECT_TRUE(before.equal(after));
  ids[0][2] = 7;
  EXPECT_FALSE(
      before[0].equal(model.text.Feature(model.text.Embed(ids), ends)[0]));
}

TEST(ClipModel, AnEndIsTheFirstOfItsIdOrTheFirstLargestId) {
  ClipConfig config = TinyConfig();
  const auto like = at::TensorOptions(at::kFloat);
  const auto ids = at::tensor({9, 4, 8, 4, 8, 10, 10}, at::kLong).view({1, 7});
  config.end.id = 4;
  EXPECT_EQ(TextTower(config, like).Ends(ids).item<std::int64_t>(), 1);
  config.end.id = -1;
  EXPECT_EQ(TextTower(config, like).Ends(ids).item<std::int64_t>(), 5);
}

TEST(ClipModel, GradientsReachPromptsWhileParametersStayFrozen) {
  const ClipModel model = TinyClip();
  const std::string before = HashParameters(model);
  const auto context = Noise({2, 8}).requires_grad_();
  const auto ids = Ids();
  auto embeddings = at::cat({model.text.Embed(ids).narrow(1, 0, 1),
                             context.unsqueeze(0).expand({3, 2, 8}),
                             model.text.Embed(ids).narrow(1, 3, 4)},
                            1);
  const auto texts = model.text.Feature(embeddings, model.text.Ends(ids));
  const auto deep = Noise({2, 3, 12}).requires_grad_();
  const auto images =
      model.vision.Feature(Noise({3, 3, 16, 16}), {.tokens = deep});
  (texts * images).sum().backward();
  EXPECT_GT(context.grad().abs().min().item<float>(), 0.0F);
  EXPECT_GT(deep.grad().abs().sum({1, 2}).min().item<float>(), 0.0F);
  for (const NamedTensor& parameter : model.Parameters()) {
    EXPECT_FALSE(parameter.tensor.grad().defined()) << parameter.name;
  }
  EXPECT_EQ(HashParameters(model), before);
}

TEST(FastLinear, GivesProductsAndGradientsOfTheOrdinaryOne) {
  const auto products = [](bool fast, bool frozen, bool biased) {
    const auto x = Noise({4, 70, 96}, 1).requires_grad_();
    const auto weight = Noise({160, 96}, 2).requires_grad_(!frozen);
    const auto bias =
        biased ? Noise({160}, 3).requires_grad_(!frozen) : at::Tensor();
    const auto y = fast     ? FastLinear(x, weight, bias)
                   : biased ? at::linear(x, weight, bias)
                            : at::linear(x, weight);
    std::vector<at::Tensor> wanted = {x};
    if (!frozen) wanted.push_back(weight);
    if (!frozen && biased) wanted.push_back(bias);
    auto out =
        torch::autograd::grad({(y * Noise({4, 70, 160}, 4)).sum()}, wanted);
    out.push_back(y.detach());
    const at::NoGradGuard no_graph;
    EXPECT_TRUE(!fast || FastLinear(x, weight, bias).equal(y));
    return out;
  };
  for (const bool frozen : {false, true}) {
    for (const bool biased : {false, true}) {
      const auto expected = products(false, frozen, biased);
      const auto got = products(true, frozen, biased);
      ASSERT_EQ(got.size(), expected.size());
      for (std::size_t i = 0; i < got.size(); ++i) {
        EXPECT_TRUE(got[i].allclose(expected[i], 1e-4, 1e-3))
            << i << " " << (got[i] - expected[i]).abs().max();
      }
    }
  }
}

TEST(ClipModel, RecomputedActivationsGiveTheSameBits) {
  const auto gradients = [](bool recompute) {
    const ClipModel model = TinyClip();
    VisionTower tower = model.vision;
    tower.recompute = recompute;
    NamedTensors named;
    tower.Collect(named);
    std::vector<at::Tensor> parameters;
    for (const NamedTensor& each : named) {
      parameters.push_back(each.tensor.requires_grad_());
    }
    const auto tokens = tower.Project(tower.Tokens(Noise({2, 3, 16, 16})));
    auto out = torch::autograd::grad({tokens.square().sum()}, parameters);
    out.push_back(tokens.detach());
    return out;
  };
  const auto kept = gradients(false);
  const auto again = gradients(true);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    EXPECT_TRUE(kept[i].equal(again[i])) << i;
    EXPECT_GT(kept[i].abs().sum().item<float>(), 0.0F) << i;
  }
}

TEST(ClipModel, ACopyTrainsItsOwnTowerAndSharesTheOther) {
  ClipEncoder original(TinyClip(), nullptr, "tiny");
  const std::string before = HashParameters(original.model());
  const auto student = original.Copy(Towers::kImage);
  const auto pixels = Noise({2, 3, 16, 16});
  EXPECT_TRUE(
      student->EncodeImages(pixels).equal(original.EncodeImages(pixels)));
  for (const EncoderParameter& each : student->Parameters(Towers::kImage)) {
    each.value.add_(1.0);
  }
  EXPECT_EQ(HashParameters(original.model()), before);
  EXPECT_FALSE(
      student->EncodeImages(pixels).equal(original.EncodeImages(pixels)));
  EXPECT_TRUE(student->Parameters(Towers::kText)[0].value.is_same(
      original.Parameters(Towers::kText)[0].value));
  EXPECT_EQ(student->Parameters(Towers::kBoth).size() + 1,
            original.model().Parameters().size());
}

TEST(ClipModel, EveryParameterGetsAGradientThatFiniteDifferencesConfirm) {
  const ClipModel model = TinyClip().Clone(at::TensorOptions(at::kDouble));
  model.SetRequiresGrad(true);
  const auto pixels = Noise({2, 3, 16, 16}).to(at::kDouble);
  const auto ids = Ids().narrow(0, 0, 2);
  const auto loss = [&] {
    return (model.vision.Feature(pixels) *
            model.text.Feature(model.text.Embed(ids), model.text.Ends(ids)) *
            model.logit_scale.exp())
        .sum();
  };
  loss().backward();
  const at::NoGradGuard no_grad;
  for (const NamedTensor& parameter : model.Parameters()) {
    ASSERT_TRUE(parameter.tensor.grad().defined()) << parameter.name;
    const auto step = parameter.tensor.grad().sign() * 1e-6;
    parameter.tensor.add_(step);
    const double up = loss().item<double>();
    parameter.tensor.sub_(2 * step);
    const double down = loss().item<double>();
    parameter.tensor.add_(step);
    const double expected = parameter.tensor.grad().abs().sum().item<double>();
    EXPECT_NEAR((up - down) / 2e-6, expected, 1e-4 * (1 + expected))
        << parameter.name;
  }
}

TEST(ClipModel, ATokenNobodyMayAttendToChangesNoOther) {
  const at::NoGradGuard no_grad;
  const ClipModel model = TinyClip();
  const auto pixels = Noise({1, 3, 16, 16});
  auto prompts = Noise({2, 2, 12});
  auto mask = at::ones({7, 7}, at::kBool);
  mask.select(1, 2).fill_(false);
  mask[2][2] = true;
  const auto before =
      model.vision.Tokens(pixels, {.tokens = prompts, .mask = mask});
  prompts.select(1, 1).add_(1.0);
  const auto after =
      model.vision.Tokens(pixels, {.tokens = prompts, .mask = mask});
  for (std::int64_t token = 0; token < 7; ++token) {
    EXPECT_EQ(before.select(1, token).equal(after.select(1, token)), token != 2)
        << token;
  }
}

TEST(ClipModel, ACopySharesParametersAndACloneDoesNot) {
  const at::NoGradGuard no_grad;
  const ClipModel model = TinyClip();
  const ClipModel copy = model;
  const ClipModel clone = model.Clone();
  const std::string before = HashParameters(model);
  EXPECT_EQ(HashParameters(clone), before);
  model.vision.class_token.add_(1.0);
  EXPECT_EQ(HashParameters(copy), HashParameters(model));
  EXPECT_EQ(HashParameters(clone), before);
  EXPECT_NE(HashParameters(model), before);
}

TEST(ClipModel, InitialValuesDependOnTheSeedAlone) {
  const auto hash = [](std::uint64_t seed) {
    ClipModel model(TinyConfig(), at::TensorOptions(at::kFloat));
    InitialiseLikeOpenAi(model, seed);
    return HashParameters(model);
  };
  EXPECT_EQ(hash(1), hash(1));
  EXPECT_NE(hash(1), hash(2));
}

TEST(ClipModel, ShapesThatDoNotFitAreNamed) {
  const at::NoGradGuard no_grad;
  const ClipModel model = TinyClip();
  EXPECT_THAT(ConfigErrorOf([&] {
                model.vision.Embed(Noise({1, 3, 16, 15}));
              }),
              HasSubstr("[1, 3, 16, 15]"));
  EXPECT_THAT(ConfigErrorOf([&] {
                model.vision.Embed(Noise({3, 16, 16}));
              }),
              HasSubstr("expected [images, 3, height, width]"));
  EXPECT_THAT(ConfigErrorOf([&] {
                model.vision.Feature(Noise({1, 3, 16, 16}),
                                     {.tokens = Noise({3, 1, 12})});
              }),
              HasSubstr("expected [1 or 2, prompts, 12]"));
  EXPECT_THAT(ConfigErrorOf([&] {
                model.text.Tokens(Noise({1, 8, 8}));
              }),
              HasSubstr("expected [texts, 1..7, 8]"));
}

TEST(ClipEncoder, TextsWithoutATokenizerAreAConfigError) {
  const ClipEncoder encoder(TinyClip(), nullptr, "somewhere");
  const std::vector<std::string> texts = {"a dog"};
  EXPECT_THAT(ConfigErrorOf([&] { encoder.Tokenize(texts); }),
              HasSubstr("somewhere: texts need a vocabulary"));
}

TEST(ClipEncoder, TokenizeGivesStartWordsEndAndPadding) {
  const ClipEncoder encoder(
      TinyClip(), std::make_unique<WordTokenizer>(kTinyWords, "tiny"), "tiny");
  const std::vector<std::string> texts = {"A mug.", "a photo of a dog , a mug"};
  EXPECT_TRUE(encoder.Tokenize(texts, /*truncate=*/true)
                  .equal(at::tensor({9, 4, 6, 3, 10, 0, 0,  //
                                     9, 4, 8, 7, 4, 5, 10},
                                    at::kLong)
                             .view({2, 7})));
  EXPECT_THAT(ConfigErrorOf([&] { encoder.Tokenize(texts); }),
              HasSubstr("has 8 tokens, but only 5 fit"));
}

}  // namespace
}  // namespace tailmark
