#include <gtest/gtest.h>

#include "harness/api/registry.h"
#include "harness/base/error.h"
#include "methods/builtin.h"
#include "methods/torch_pch.h"
#include "tests/contract/toys.h"

namespace tailmark {
namespace {

/// Remembers what it was asked to tokenise.
class Eavesdropper final : public Encoder {
 public:
  explicit Eavesdropper(Encoder& real) : real_(real) {}
  std::int64_t feature_width() const override { return real_.feature_width(); }
  std::int64_t context_length() const override {
    return real_.context_length();
  }
  double logit_scale() const override { return real_.logit_scale(); }
  c10::Device device() const override { return real_.device(); }
  at::Tensor EncodeImages(const at::Tensor& p) override {
    return real_.EncodeImages(p);
  }
  at::Tensor EncodeImageTokens(const at::Tensor& p) override {
    return real_.EncodeImageTokens(p);
  }
  at::Tensor EncodeImageStates(const at::Tensor& p) override {
    return real_.EncodeImageStates(p);
  }
  at::Tensor Tokenize(std::span<const std::string> texts,
                      bool truncate) const override {
    heard.insert(heard.end(), texts.begin(), texts.end());
    return real_.Tokenize(texts, truncate);
  }
  at::Tensor EncodeText(const at::Tensor& t) override {
    return real_.EncodeText(t);
  }
  at::Tensor EmbedTokens(const at::Tensor& t) override {
    return real_.EmbedTokens(t);
  }
  at::Tensor EncodeEmbeddings(const at::Tensor& e,
                              const at::Tensor& t) override {
    return real_.EncodeEmbeddings(e, t);
  }
  std::unique_ptr<Encoder> Copy(Towers own) const override {
    return real_.Copy(own);
  }
  std::vector<EncoderParameter> Parameters(Towers of) const override {
    return real_.Parameters(of);
  }
  mutable std::vector<std::string> heard;

 private:
  Encoder& real_;
};

class ZeroShot : public ::testing::Test {
 protected:
  ZeroShot() { RegisterBuiltinMethods(registry_); }
  at::Tensor Scores(const OptionMap& options) {
    const auto method =
        registry_.Find("zero_shot_clip")
            .create(options, toys::MakeToyProblem(data_, &listener_));
    const auto source = MakeFeatureTrainSource(data_.rows, {}, {});
    toys::StopAfter never;
    FitContext context{*source, nullptr, 0, never};
    method->Fit(context);
    scale_ = method->scale();
    Batch batch;
    batch.inputs = data_.features;
    batch.rows = torch::arange(data_.features.size(0));
    return method->Predict(batch);
  }
  MethodRegistry registry_;
  toys::ToyData data_ = toys::MakeToyData(12);
  toys::ToyEncoder encoder_;
  Eavesdropper listener_{encoder_};
  ScoreScale scale_ = ScoreScale::kLogit;
};

TEST_F(ZeroShot, ScoresAreTheCosineItsMultipleAndItsSoftmax) {
  const auto cosine = Scores({{"score", std::string("cosine")}});
  EXPECT_EQ(scale_, ScoreScale::kCosine);
  EXPECT_LE(cosine.abs().max().item<double>(), 1 + 1e-6);
  const auto logit = Scores({{"score", std::string("logit")}});
  EXPECT_EQ(scale_, ScoreScale::kLogit);
  EXPECT_TRUE(logit.allclose(cosine * encoder_.logit_scale()));
  const auto softmax = Scores({});
  EXPECT_EQ(scale_, ScoreScale::kProbability);
  EXPECT_TRUE(softmax.allclose(logit.softmax(1)));
  EXPECT_TRUE(softmax.sum(1).allclose(torch::ones({12})));
}

TEST_F(ZeroShot, FillsClassNamesWithSpacesIntoEveryTemplate) {
  Scores({{"templates", std::string("one {} | {} and {} two")}});
  const std::vector<std::string> expected = {"one street lamp",
                                             "one thing1",
                                             "one thing2",
                                             "street lamp and street lamp two",
                                             "thing1 and thing1 two",
                                             "thing2 and thing2 two"};
  EXPECT_EQ(listener_.heard, expected);
}

TEST_F(ZeroShot, TheEnsembleHasEightTemplatesThatBeginWithTheSingleOne) {
  Scores({{"templates", std::string("ensemble-8")}});
  ASSERT_EQ(listener_.heard.size(), 24U);
  EXPECT_EQ(listener_.heard.front(), "a photo of a street lamp.");
  listener_.heard.clear();
  Scores({});
  EXPECT_EQ(listener_.heard.size(), 3U);
  EXPECT_EQ(listener_.heard.front(), "a photo of a street lamp.");
}

TEST_F(ZeroShot, ClassNamesAreSpelledAsAsked) {
  const auto first = [&](const char* style) {
    listener_.heard.clear();
    Scores({{"templates", std::string("plain")},
            {"class_names", std::string(style)}});
    return listener_.heard.front();
  };
  EXPECT_EQ(first("space"), "a photo of a street lamp");
  EXPECT_EQ(first("underscore"), "a photo of a street_lamp");
  EXPECT_EQ(first("first-word"), "a photo of a street");
}

TEST_F(ZeroShot, TheEightyAreOneCutTextOrATextEach) {
  Scores({{"templates", std::string("lmpt-concat")}});
  ASSERT_EQ(listener_.heard.size(), 3U);
  EXPECT_EQ(listener_.heard.front(),
            "a bad photo of a street lamp. a photo of many street lamp. a "
            "sculpture of a ");
  EXPECT_EQ(listener_.heard.front().size(), 76U);
  listener_.heard.clear();
  Scores({{"templates", std::string("imagenet-80")}});
  EXPECT_EQ(listener_.heard.size(), 240U);
}

TEST_F(ZeroShot, TheScaleIsTheEncodersUnlessGiven) {
  const auto cosine = Scores({{"score", std::string("cosine")}});
  const auto logit =
      Scores({{"score", std::string("logit")}, {"scale", 100.0}});
  EXPECT_TRUE(logit.allclose(cosine * 100));
  const auto softmax = Scores({{"scale", 100.0}});
  EXPECT_TRUE(softmax.allclose(logit.softmax(1)));
}

TEST_F(ZeroShot, HalfPrecisionRoundsEveryStep) {
  const auto whole = Scores({{"scale", 100.0}});
  const auto half =
      Scores({{"scale", 100.0}, {"score", std::string("softmax-fp16")}});
  EXPECT_EQ(scale_, ScoreScale::kProbability);
  EXPECT_EQ(half.scalar_type(), torch::kHalf);
  const double far =
      (half.to(torch::kFloat) - whole).abs().max().item<double>();
  EXPECT_GT(far, 0);
  EXPECT_LT(far, 0.1);  // 100 x cosine is quantised to 1/16 or finer.
}

TEST_F(ZeroShot, EveryPresetScores) {
  for (const Preset& preset : registry_.Find("zero_shot_clip").info.presets) {
    const auto scores = Scores(preset.options);
    EXPECT_TRUE(scores.isfinite().all().item<bool>()) << preset.name;
    EXPECT_EQ(scores.size(1), 3) << preset.name;
  }
}

TEST_F(ZeroShot, ATemplateWithoutAPlaceForTheNameIsRefused) {
  for (const std::string bad : {"a photo", "ensemble8", "{} | none", ""}) {
    EXPECT_THROW(Scores({{"templates", bad}}), ConfigError) << bad;
  }
  try {
    Scores({{"templates", std::string("ensemble8")}});
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("did you mean 'ensemble-8'?"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace tailmark
