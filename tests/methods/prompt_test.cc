#include <gtest/gtest.h>

#include "harness/base/error.h"
#include "harness/run/state_file.h"
#include "methods/builtin.h"
#include "methods/clip/clip_encoder.h"
#include "methods/nn/prompt_fit.h"
#include "methods/torch_pch.h"
#include "tests/contract/toys.h"
#include "tests/methods/tiny_clip.h"

namespace tailmark {
namespace {

/// nano-CLIP, some random pictures with labels, and captions.
class Prompts : public ::testing::Test {
 protected:
  Prompts() {
    RegisterBuiltinMethods(registry_);
    const at::NoGradGuard no_grad;
    encoder_ = ClipEncoder::Load(TM_SOURCE_DIR "/methods/clip/nano", at::kCPU);
    pixels_ = torch::randn({24, 3, 48, 48}, at::detail::createCPUGenerator(1));
    rows_.labels =
        (torch::rand({24, 5}, at::detail::createCPUGenerator(2)) < 0.3)
            .to(torch::kUInt8);
    for (int i = 0; i < 24; ++i) {
      rows_.ids.push_back("picture-" + std::to_string(i));
      rows_.captions.push_back(i % 2 == 0 ? "a photo of a mug , a person"
                                          : "a photo of a car in the street");
    }
    problem_.class_names = {"mug", "street_lamp", "car", "person", "ball"};
    problem_.encoder = encoder_.get();
  }

  FeatureViews Views(bool images) const {
    if (images) {
      return {.plain = pixels_, .flipped = [this] { return pixels_.flip(3); }};
    }
    return {.plain = encoder_->EncodeImages(pixels_), .flipped = [this] {
              const at::NoGradGuard no_grad;
              return encoder_->EncodeImages(pixels_.flip(3));
            }};
  }

  /// Scores of the pictures after training.
  at::Tensor Trained(const std::string& name, OptionMap options,
                     std::vector<EpochReport>* reports = nullptr) {
    const auto& entry = registry_.Find(name);
    const OptionMap resolved = ResolveOptions(entry.options, options);
    const bool images =
        InputOf(entry.info, entry.options, resolved) == InputKind::kImages;
    const auto method = entry.create(resolved, problem_);
    const auto source =
        MakeFeatureTrainSource(rows_, Views(images), {.seed = 3});
    toys::StopAfter never;
    FitContext context{*source, nullptr, 3, never};
    method->Fit(context);
    if (reports != nullptr) *reports = never.reports;
    Batch batch;
    batch.rows = torch::arange(24);
    batch.inputs = images ? pixels_ : encoder_->EncodeImages(pixels_);
    return method->Predict(batch);
  }

  /// The same of images, stopped after two epochs and gone on from a file's
  /// worth of state.
  at::Tensor TrainedInTwoGoes(const std::string& name,
                              const OptionMap& options) {
    const auto& entry = registry_.Find(name);
    const OptionMap resolved = ResolveOptions(entry.options, options);
    const auto source = MakeFeatureTrainSource(rows_, Views(true), {.seed = 3});
    MemoryState state;
    {
      const auto begun = entry.create(resolved, problem_);
      toys::StopAfter stop(2);
      FitContext context{*source, nullptr, 3, stop};
      begun->Fit(context);
      begun->Save(state);
    }
    const auto method = entry.create(resolved, problem_);
    method->Load(state);
    toys::StopAfter never;
    FitContext context{*source, nullptr, 3, never};
    method->Fit(context);
    Batch batch;
    batch.rows = torch::arange(24);
    batch.inputs = pixels_;
    return method->Predict(batch);
  }

  static OptionMap Small(bool acceleration) {
    return {
        {"epochs", std::int64_t{4}},         {"batch_size", std::int64_t{8}},
        {"optimiser", std::string("sgd")},   {"lr", 1e-3},
        {"schedule", std::string("cosine")}, {"acceleration", acceleration},
        {"score", std::string("logit")}};
  }

  MethodRegistry registry_;
  std::unique_ptr<ClipEncoder> encoder_;
  at::Tensor pixels_;
  TrainRows rows_;
  Problem problem_;
};

// Logits are some 20 in size; 1e-3 is 5e-5 of that, after 12 steps.
constexpr double kBound = 1e-3;

TEST_F(Prompts, WithoutAccelerationScoresAreTheSameUpToRounding) {
  for (const char* name : {"coop", "lmpt"}) {
    for (const char* position : {"end", "middle"}) {
      OptionMap plain = Small(false), fast = Small(true);
      plain["position"] = fast["position"] = std::string(position);
      const auto slow = Trained(name, plain);
      const auto quick = Trained(name, fast);
      EXPECT_LE((slow - quick).abs().max().item<double>(), kBound) << name;
      // Training did something, or the two would agree whatever they do.
      fast["epochs"] = std::int64_t{1};
      EXPECT_GT((Trained(name, fast) - quick).abs().max().item<double>(),
                10 * kBound)
          << name;
    }
  }
}

TEST_F(Prompts, EveryVariantTrainsAndScoresWithFiniteNumbers) {
  const std::vector<OptionMap> variants = {
      {{"context", std::string("shared")},
       {"init_text", std::string("a photo of a")}},
      {{"position", std::string("front")}, {"name_lens", std::string("repo")}},
      {{"cse", std::string("repo_repaired")}},
      {{"cse", std::string("intended_sum")}},
      {{"cse", std::string("off")}, {"score", std::string("softmax-fp16")}},
      {{"logit_offset", std::string("density")}}};
  for (const OptionMap& variant : variants) {
    OptionMap options = Small(true);
    for (const auto& [name, value] : variant) options[name] = value;
    EXPECT_TRUE(Trained("lmpt", options).isfinite().all().item<bool>());
  }
}

TEST_F(Prompts, LossFallsAndTheEncoderStaysAsItWas) {
  const std::string before = HashParameters(encoder_->model());
  for (const char* name : {"coop", "lmpt", "cocoop", "finetune_clip"}) {
    std::vector<EpochReport> reports;
    OptionMap options;
    for (const Preset& preset : registry_.Find(name).info.presets) {
      if (preset.name == "embedded") options = preset.options;
    }
    options["epochs"] = std::int64_t{30};
    options["batch_size"] = std::int64_t{8};
    Trained(name, options, &reports);
    EXPECT_LT(reports.back().curves.at("loss"),
              0.9 * reports.front().curves.at("loss"))
        << name;
  }
  OptionMap all = {{"train", std::string("all")},
                   {"epochs", std::int64_t{1}},
                   {"loss", std::string("bce")}};
  Trained("finetune_clip", all);
  EXPECT_EQ(HashParameters(encoder_->model()), before);
}

TEST_F(Prompts, EveryPrecisionTrainsNearFloat32) {
  const auto exact = Trained("coop", Small(true));
  for (const char* precision : {"bf16", "fp16", "fp16-state"}) {
    problem_.precision = precision;
    const auto scores = Trained("coop", Small(true));
    EXPECT_EQ(scores.scalar_type(), at::kFloat) << precision;
    const double apart = (scores - exact).abs().max().item<double>();
    EXPECT_GT(apart, 0) << precision;
    EXPECT_LT(apart, 1.0) << precision;
  }
}

TEST_F(Prompts, BatchStatisticsAreRefusedWithoutBatchNorm) {
  OptionMap options = Small(true);
  options["bn"] = std::string("train");
  EXPECT_THROW(Trained("lmpt", options), ConfigError);
}

/// A ResNet of a few thousand numbers whose running figures are of nothing.
std::unique_ptr<ClipEncoder> SmallResNet() {
  const at::NoGradGuard no_grad;
  ClipConfig config = TinyConfig();
  config.vision = {.width = 0, .mlp = 0, .layers = 0, .heads = 1};
  config.resnet = {.width = 2, .layers = {1, 1, 1, 1}, .heads = 2};
  config.image_size = 32;
  config.patch_size = 32;
  config.context_length = 20;
  ClipModel model(config, at::TensorOptions(at::kFloat));
  at::Generator chance = at::detail::createCPUGenerator(4);
  for (const NamedTensor& each : model.Parameters()) {
    if (each.tensor.dim() > 1) each.tensor.normal_(0.0, 0.3, chance);
  }
  model.logit_scale.fill_(2.0);
  return std::make_unique<ClipEncoder>(
      std::move(model), std::make_unique<WordTokenizer>(kTinyWords, "tiny"),
      "tiny");
}

TEST_F(Prompts, BatchStatisticsDriftInACopyAndGoThroughACheckpoint) {
  encoder_ = SmallResNet();
  problem_.encoder = encoder_.get();
  problem_.class_names = {"dog", "mug", "photo"};
  rows_.labels = rows_.labels.narrow(1, 0, 3).contiguous();
  pixels_ = torch::randn({24, 3, 32, 32}, at::detail::createCPUGenerator(5));
  const std::string before = HashParameters(encoder_->model());
  OptionMap options = Small(true);
  options["length"] = std::int64_t{4};
  const auto frozen = Trained("coop", options);
  options["bn"] = std::string("train");
  const auto drifted = Trained("coop", options);
  EXPECT_TRUE(drifted.isfinite().all().item<bool>());
  EXPECT_FALSE(drifted.equal(frozen));
  EXPECT_TRUE(Trained("coop", options).equal(drifted));
  EXPECT_EQ(HashParameters(encoder_->model()), before);
  EXPECT_TRUE(TrainedInTwoGoes("coop", options).equal(drifted));
}

TEST_F(Prompts, AContextTooLongForTheEncoderIsRefused) {
  OptionMap options = Small(true);
  options["length"] = std::int64_t{22};
  EXPECT_THROW(Trained("coop", options), ConfigError);
}

TEST_F(Prompts, ATestDrivenScheduleAsksTheHarnessAndIsRefusedWithoutIt) {
  OptionMap options = Small(true);
  options["schedule"] = std::string("plateau-test");
  EXPECT_THROW(Trained("lmpt", options), ConfigError);
}

TEST(DensityQuantile, LeavesAsManyLogitsAboveAsThereAreLabels) {
  const auto logits = torch::arange(10).to(torch::kFloat).view({5, 2});
  auto labels = torch::zeros({5, 2}, torch::kUInt8);
  labels.narrow(0, 0, 1).fill_(1);
  labels[1][0] = 1;
  const double offset = DensityQuantile(logits, labels, {});
  EXPECT_EQ((logits > offset).sum().item<std::int64_t>(), 3);
}

}  // namespace
}  // namespace tailmark
