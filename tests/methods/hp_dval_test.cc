// HP-DVAL beyond the contract: what each stage trains and leaves alone, how one
// starts from the other, and that its table of deviations is true.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "harness/base/error.h"
#include "harness/run/sources.h"
#include "harness/run/state_file.h"
#include "methods/clip/clip_encoder.h"
#include "methods/hp_dval/hp_dval.h"
#include "methods/torch_pch.h"
#include "tests/contract/toys.h"
#include "tests/methods/tiny_clip.h"

namespace tailmark {
namespace {

using ::testing::HasSubstr;
using toys::StopAfter;

constexpr std::int64_t kImages = 40;
constexpr std::uint64_t kSeed = 11;

ClipModel SmallClip() {
  ClipConfig config = TinyConfig();
  config.context_length = 12;
  ClipModel model(config, at::TensorOptions(at::kFloat));
  InitialiseLikeOpenAi(model, 3);
  return model;
}

class HpDvalTest : public ::testing::Test {
 protected:
  HpDvalTest()
      : clip_(SmallClip(), std::make_unique<WordTokenizer>(kTinyWords, "tiny"),
              "tiny") {
    at::Generator chance = at::detail::createCPUGenerator(2);
    pixels_ = at::empty({kImages, 3, 16, 16}, at::kFloat).normal_(0, 1, chance);
    rows_.labels = at::empty({kImages, 3}, at::kFloat)
                       .uniform_(0, 1, chance)
                       .lt(0.4)
                       .to(at::kByte);
    for (std::int64_t i = 0; i < kImages; ++i) {
      rows_.ids.push_back("image-" + std::to_string(i));
    }
    problem_.class_names = {"dog", "mug", "photo"};
    problem_.train_counts = {16, 16, 16};
    problem_.train_images = kImages;
    problem_.encoder = &clip_;
  }

  static OptionMap Fast(const char* stage, OptionMap more = {}) {
    more.insert({{"stage", std::string(stage)},
                 {"stage1_epochs", std::int64_t{3}},
                 {"stage2_epochs", std::int64_t{3}},
                 {"batch_size", std::int64_t{16}},
                 {"stage1_lr", 1e-3},
                 {"stage2_lr", 1e-3},
                 {"horizon", std::int64_t{0}},
                 {"ema_decay", 0.8},
                 {"augment", std::string("flip")}});
    return more;
  }
  std::unique_ptr<HpDval> Make(const OptionMap& options) {
    return std::make_unique<HpDval>(FromMap<HpDvalOptions>(options), problem_);
  }
  void Fit(HpDval& method, FitObserver& observer) {
    FeatureViews views{.plain = pixels_,
                       .flipped = [this] { return pixels_.flip(3); }};
    const auto source =
        MakeFeatureTrainSource(rows_, std::move(views), {.seed = kSeed});
    FitContext context{*source, nullptr, kSeed, observer};
    if (first_) context.inputs["stage1"] = first_.get();
    if (base_) context.inputs["base"] = base_.get();
    method.Fit(context);
  }
  std::unique_ptr<HpDval> Fitted(const OptionMap& options) {
    auto method = Make(options);
    StopAfter never;
    Fit(*method, never);
    return method;
  }
  at::Tensor Scores(const HpDval& method) {
    Batch batch;
    batch.inputs = pixels_;
    batch.rows = at::arange(kImages);
    return method.Predict(batch);
  }
  static std::shared_ptr<MemoryState> Saved(const HpDval& method) {
    auto state = std::make_shared<MemoryState>();
    method.Save(*state);
    return state;
  }
  void TrainStageOne() { first_ = Saved(*Fitted(Fast("1"))); }

  void ExpectResumeChangesNothing(const OptionMap& options) {
    const auto expected = Scores(*Fitted(options));
    for (const std::int64_t epochs : {1, 2}) {
      const auto begun = Make(options);
      StopAfter some(epochs);
      Fit(*begun, some);
      const auto state = Saved(*begun);
      const auto resumed = Make(options);
      resumed->Load(*state);
      StopAfter never;
      Fit(*resumed, never);
      EXPECT_TRUE(Scores(*resumed).equal(expected)) << "after " << epochs;
    }
  }

  ClipEncoder clip_;
  at::Tensor pixels_;
  TrainRows rows_;
  Problem problem_;
  std::shared_ptr<MemoryState> first_;
  std::shared_ptr<MemoryState> base_;
};

TEST_F(HpDvalTest, EveryStageResumesBitForBit) {
  ExpectResumeChangesNothing(Fast("1"));
  ExpectResumeChangesNothing(
      Fast("1", {{"text_encoder", std::string("trained")}}));
  ExpectResumeChangesNothing(
      Fast("1", {{"embedding", std::string("two-linear")}}));
  ExpectResumeChangesNothing(Fast("joint"));
  TrainStageOne();
  ExpectResumeChangesNothing(Fast("2"));
}

TEST_F(HpDvalTest, StageTwoBeginsWithTheAveragedStudentAndLeavesItAlone) {
  TrainStageOne();
  const auto second = Saved(*Fitted(Fast("2")));
  for (const EncoderParameter& each : clip_.Parameters(Towers::kImage)) {
    const std::string key = "scored/" + each.name;
    EXPECT_TRUE(second->Get(key).equal(first_->Get(key))) << key;
    EXPECT_FALSE(first_->Get(key).equal(each.value)) << key;
  }
  EXPECT_FALSE(second->Get("texts/global").equal(second->Get("texts/local")));
}

TEST_F(HpDvalTest, StageTwoWithoutAFirstStageSaysWhatItNeeds) {
  try {
    Fitted(Fast("2"));
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("stage1"));
  }
  // The release never loads it.
  EXPECT_NO_THROW(Fitted(Fast("2", {{"stage2_from", std::string("clip")}})));
}

TEST_F(HpDvalTest, AnEpisodeGoesOnFromTheFitToTheBaseClasses) {
  const OptionMap options =
      Fast("1", {{"student_init", std::string("base-run")},
                 {"loss", std::string("asl-sum")},
                 {"kd_weight", 0.0},
                 {"base_epochs", std::int64_t{2}},
                 {"base_augment", std::string("flip")}});
  ExpectResumeChangesNothing(options);
  const auto base = Fitted(options);
  auto as_base = options;
  as_base["student_init"] = std::string("clip");
  as_base["stage1_epochs"] = std::int64_t{2};
  as_base["batch_size"] = std::int64_t{32};
  as_base["horizon"] = std::int64_t{80};
  as_base["augment"] = std::string("flip");
  EXPECT_TRUE(Scores(*base).equal(Scores(*Fitted(as_base))));

  base_ = Saved(*base);
  const auto from_base = Scores(*Fitted(options));
  auto from_clip = options;
  from_clip["student_init"] = std::string("clip");
  EXPECT_FALSE(from_base.equal(Scores(*Fitted(from_clip))));
  ExpectResumeChangesNothing(options);
}

// Half precision of scores would tie images that differ.
TEST_F(HpDvalTest, InBfloat16ItsScoresAreFloat32NearThoseOfFloat32) {
  const auto fitted = Fitted(Fast("1"));
  const auto exact = Scores(*fitted);
  problem_.precision = "bf16";
  const auto lower = Make(Fast("1"));
  lower->Load(*Saved(*fitted));
  const auto scores = Scores(*lower);
  EXPECT_EQ(scores.scalar_type(), at::kFloat);
  const double apart = (scores - exact).abs().max().item<double>();
  EXPECT_GT(apart, 0);
  EXPECT_LT(apart, 0.1);
}

TEST_F(HpDvalTest, NoStageChangesTheEncoder) {
  const std::string before = HashParameters(clip_.model());
  TrainStageOne();
  Fitted(Fast("1", {{"text_encoder", std::string("trained")}}));
  Fitted(Fast("2"));
  Fitted(Fast("joint"));
  EXPECT_EQ(HashParameters(clip_.model()), before);
}

TEST_F(HpDvalTest, TrainsTheParametersOfItsStageAndNoMore) {
  const auto sizes = [&](Towers towers) {
    std::int64_t count = 0;
    for (const auto& each : clip_.Parameters(towers)) {
      count += each.value.numel();
    }
    return count;
  };
  const std::int64_t prompts = 2 * 4 * 8;
  EXPECT_EQ(Fitted(Fast("1"))->trained_parameters(), sizes(Towers::kImage));
  EXPECT_EQ(Fitted(Fast("joint"))->trained_parameters(),
            sizes(Towers::kImage) + prompts);
  EXPECT_EQ(Fitted(Fast("1", {{"text_encoder", std::string("trained")}}))
                ->trained_parameters(),
            sizes(Towers::kBoth) - 11 * 8);  // The words stay.
  TrainStageOne();
  EXPECT_EQ(Fitted(Fast("2"))->trained_parameters(), prompts);
}

TEST_F(HpDvalTest, AFinishedStateHoldsNoOptimiser) {
  const auto state = Saved(*Fitted(Fast("1")));
  EXPECT_FALSE(state->Has("adam/steps"));
  EXPECT_TRUE(state->Has("texts/global"));
}

std::map<std::int64_t, double> Alignment(const StopAfter& observer) {
  std::map<std::int64_t, double> all;
  for (const EpochReport& each : observer.reports) {
    all[each.epoch] = each.curves.at("alignment");
  }
  return all;
}

TEST_F(HpDvalTest, ASharedTeacherHasNothingToTeach) {
  for (const bool shared : {true, false}) {
    const auto method = Make(
        Fast("1", {{"teacher", std::string(shared ? "shared" : "separate")}}));
    StopAfter never;
    Fit(*method, never);
    for (const auto& [epoch, value] : Alignment(never)) {
      EXPECT_EQ(value == 0, shared) << epoch;
    }
  }
}

TEST_F(HpDvalTest, RecomputedActivationsMoveNoBit) {
  const auto expected = Scores(*Fitted(Fast("1")));
  EXPECT_TRUE(
      Scores(*Fitted(Fast("1", {{"recompute", true}}))).equal(expected));
}

TEST_F(HpDvalTest, WithoutNormalisationItSeesPixelsFromZeroToOne) {
  // What CLIP's normalisation makes of plain grey and of black.
  const auto fitted = Fitted(Fast("1", {{"input_norm", std::string("none")}}));
  const auto other = Fitted(Fast("1"));
  EXPECT_FALSE(Scores(*fitted).equal(Scores(*other)));
}

TEST_F(HpDvalTest, AStudentFromImageNetIsAskedForByName) {
  HpDvalOptions options;
  options.stage = "1";
  options.student_init = "imagenet1k";
  options.embedding = "two-linear";
  HpDval method(options, problem_);
  StopAfter never;
  try {
    Fit(method, never);
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("ImageNet-1K"));
    EXPECT_THAT(error.what(), HasSubstr("imagenet_weights"));
  }
}

TEST_F(HpDvalTest, OptionsThatContradictEachOtherAreRefused) {
  HpDvalOptions photo{.prompt_init = "photo", .context_tokens = 8};
  EXPECT_THROW(HpDval(photo, problem_), ConfigError);
  HpDvalOptions lost{.student_init = "imagenet1k"};
  EXPECT_THROW(HpDval(lost, problem_), ConfigError);
}

TEST(DualViewScores, AreThoseOfTheSpecificationsExample) {
  const auto global = at::tensor({.3, .1, -.2}, at::kDouble);
  const auto patches =
      at::tensor({.2, .5, -.1, .4, .1, 0., .9, .2, .3, .1, 0., .2}, at::kDouble)
          .view({4, 3});
  const auto tokens = at::cat({global.view({1, 3}), patches}).unsqueeze(0);
  const auto texts = at::eye(3, at::kDouble);
  DualView how{.alpha = 0.4, .top_k = 2};
  const auto expect = [&](std::vector<double> values) {
    const auto got = DualViewScores(how, tokens, texts, texts)[0];
    EXPECT_TRUE(got.allclose(at::tensor(values, at::kDouble), 0, 1e-6)) << got;
  };
  expect({.821084, .376335, -.021359});
  how.alpha_on_global = false;
  expect({.814650, .339977, -.192413});
}

TEST(DualViewScores, APictureWithoutAnyFeatureScoresZero) {
  const auto scores =
      DualViewScores({}, at::zeros({1, 5, 3}), at::eye(3), at::eye(3));
  EXPECT_EQ(scores.abs().max().item<float>(), 0.0F);
}

const OptionMap& OptionsOf(const std::vector<Preset>& presets,
                           const std::string& name) {
  for (const Preset& each : presets) {
    if (each.name == name) return each.options;
  }
  throw std::logic_error("no preset " + name);
}

TEST(HpDvalDeviations, EachOfThe17IsAnOptionThatTheProfilesSet) {
  const auto deviations = HpDvalDeviations();
  EXPECT_EQ(deviations.size(), 17U);
  const auto presets = HpDvalPresets();
  const OptionMap& paper = OptionsOf(presets, "paper");
  const OptionMap& repo = OptionsOf(presets, "repo");
  const auto expect = [](const OptionMap& profile, const OptionMap& side,
                         const std::string& topic) {
    for (const auto& [name, value] : side) {
      if (name.find('.') != std::string::npos || topic == "few-shot loss") {
        continue;
      }
      ASSERT_TRUE(profile.contains(name)) << topic << ": " << name;
      EXPECT_EQ(ToText(profile.at(name)), ToText(value)) << topic;
    }
  };
  for (const Deviation& each : deviations) {
    expect(paper, each.paper, each.topic);
    expect(repo, each.released, each.topic);
    EXPECT_FALSE(each.source.empty()) << each.topic;
    EXPECT_FALSE(each.effect.empty()) << each.topic;
  }
}

}  // namespace
}  // namespace tailmark
