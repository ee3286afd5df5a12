#include <algorithm>
#include <bit>
#include <optional>
#include <string>
#include <vector>

#include "harness/api/registry.h"
#include "harness/base/error.h"
#include "harness/base/seeds.h"
#include "methods/cocoop/conditional_context.h"
#include "methods/losses/named.h"
#include "methods/nn/costs.h"
#include "methods/nn/fit_loop.h"
#include "methods/nn/prompt_fit.h"
#include "methods/nn/prompt_options.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

/// Defaults: those of CoCoOp's release, with LMPT's loss and score.
struct ConditionalOptions {
  std::int64_t length = 4;
  std::string init_text = "a photo of a";
  std::int64_t reduction = 16;
  std::string net_init = "random";
  std::string optimiser = "sgd";
  double lr = 2e-3;
  double weight_decay = 5e-4;
  std::string schedule = "cosine-epoch";
  double warm_up = 1;
  std::int64_t epochs = 10;
  std::int64_t batch_size = 1;
  std::string augment = "flip";
  std::string logit_offset = "none";
  std::string score = "softmax";

  static constexpr auto Fields() {
    using O = ConditionalOptions;
    return std::tuple_cat(
        std::tuple{
            Field{"length", &O::length, "Context tokens, without init_text",
                  Between(1, 64)},
            Field{"init_text", &O::init_text,
                  "Words the context starts as; empty: random"},
            Field{"reduction", &O::reduction,
                  "Joint width over hidden width of the meta network",
                  Between(1, 1024)},
            Field{"net_init", &O::net_init,
                  "Its last layer: random, as released; zero: every image "
                  "starts with the plain context (ours)",
                  OneOf{"random|zero"}},
        },
        FitFields<O>(
            "Coupled for sgd and adam",
            "Images a step; each has prompts of its own for every class"),
        std::tuple{
            Field{"logit_offset", &O::logit_offset,
                  "Subtracted from the logits in the loss: none, as released; "
                  "density, as of coop (ours)",
                  OneOf{"none|density"}},
            Field{"score", &O::score, "softmax over the classes, or the logit",
                  OneOf{"softmax|logit"}},
        });
  }
};

struct CocoopOptions : ConditionalOptions, LossOptions {
  static constexpr auto Fields() {
    return std::tuple_cat(ConditionalOptions::Fields(), LossOptions::Fields());
  }
};

/// Images scored at a time: each means C texts.
constexpr std::int64_t kImagesAtATime = 16;

/// A learnt context, shifted by what a small network reads from the image.
class Cocoop final : public MethodWith<CocoopOptions> {
 public:
  Cocoop(CocoopOptions options, Problem problem)
      : MethodWith(std::move(options), std::move(problem)),
        learner_({.length = this->options().length,
                  .class_specific = false,
                  .init_text = this->options().init_text},
                 this->problem().class_names, *this->problem().encoder) {}

  static MethodInfo Info();

  void Fit(FitContext& context) override;
  at::Tensor Predict(const Batch& batch) const override;
  ScoreScale scale() const override {
    return options().score == "softmax" ? ScoreScale::kProbability
                                        : ScoreScale::kLogit;
  }
  void Save(StateWriter& out) const override {
    loop_->Save(out);
    out.PutInt("offset", std::bit_cast<std::int64_t>(offset_));
  }
  void Load(const StateReader& in) override {
    Begin(0);
    loop_->Load(in);
    offset_ = std::bit_cast<double>(in.GetInt("offset"));
  }
  std::int64_t trained_parameters() const override {
    return loop_ ? loop_->numbers() : 0;
  }

 private:
  void Begin(std::uint64_t seed);
  at::Tensor Logits(std::span<const at::Tensor> parameters,
                    const at::Tensor& features) const;
  at::Tensor AllLogits(const at::Tensor& features) const;
  double InitialOffset(TrainSource& train) const;

  PromptLearner learner_;
  std::optional<FitLoop> loop_;
  double offset_ = 0;
};

void Cocoop::Begin(std::uint64_t seed) {
  const auto& o = options();
  loop_.emplace(FitPlanOf(o), problem());
  const auto context =
      learner_.InitialContext(DeriveSeed(seed, "cocoop/context", 0));
  const std::int64_t joint = problem().encoder->feature_width();
  const std::int64_t hidden = std::max<std::int64_t>(joint / o.reduction, 1);
  const auto first = NewLinear(joint, hidden, DeriveSeed(seed, "cocoop/net", 0),
                               problem().device);
  auto second = NewLinear(hidden, context.size(1),
                          DeriveSeed(seed, "cocoop/net", 1), problem().device);
  if (o.net_init == "zero") {
    second.weight.zero_();
    second.bias.zero_();
  }
  loop_->Add("context", context, o.weight_decay);
  loop_->Add("linear1.weight", first.weight, o.weight_decay);
  loop_->Add("linear1.bias", first.bias, o.weight_decay);
  loop_->Add("linear2.weight", second.weight, o.weight_decay);
  loop_->Add("linear2.bias", second.bias, o.weight_decay);
}

at::Tensor Cocoop::Logits(std::span<const at::Tensor> p,
                          const at::Tensor& features) const {
  const ConditionalContext conditional{
      .context = p[0], .first = {p[1], p[2]}, .second = {p[3], p[4]}};
  return conditional.Logits(learner_, problem().encoder->logit_scale(),
                            features);
}

void Cocoop::Fit(FitContext& context) {
  if (!loop_) {
    Begin(context.seed);
    if (options().logit_offset == "density") {
      offset_ = InitialOffset(context.train);
    }
  }
  const auto loss =
      MakeLoss(options().loss, options().Db(), PositivesOf(context.train),
               context.train.num_samples(), problem().device);
  loop_->Run(context, *this,
             [&](const TrainBatch& batch,
                 std::span<const at::Tensor> parameters) -> FitLoop::StepLoss {
               auto logits = Logits(parameters, batch.inputs);
               if (offset_ != 0) logits = Widened(logits) - offset_;
               return {.loss = loss(logits, batch.labels, batch.known)};
             });
}

at::Tensor Cocoop::AllLogits(const at::Tensor& features) const {
  const at::NoGradGuard no_grad;
  const auto parameters = loop_->Values();
  std::vector<at::Tensor> logits;
  for (const auto& some : features.split(kImagesAtATime)) {
    logits.push_back(Logits(parameters, some));
  }
  return at::cat(logits, 0);
}

double Cocoop::InitialOffset(TrainSource& train) const {
  train.Start({.batch_size = kImagesAtATime, .shuffle = false});
  std::vector<at::Tensor> logits;
  for (TrainBatch batch; train.Next(batch);) {
    logits.push_back(Widened(AllLogits(batch.inputs)).cpu());
  }
  return DensityQuantile(at::cat(logits, 0), train.labels(), train.known());
}

at::Tensor Cocoop::Predict(const Batch& batch) const {
  const auto all = AllLogits(batch.inputs);
  return options().score == "softmax" ? all.softmax(1) : all;
}

/// A text of each class for each image, through a frozen tower: a pass forward
/// and one back.
Cost CocoopCost() {
  return {
      .epochs = {{.option = "epochs"}},
      .batch = "batch_size",
      .work = Together({ClassTexts(2, "length", {"train_images", "epochs"}),
                        ClassTexts(1, "length", {"train_images"},
                                   {{"logit_offset", std::string("density")}}),
                        ClassTexts(1, "length", {"test_images"}),
                        {{.amount = 3e-3, .times = {"steps"}}}}),
      .shared = FrozenFeatures(),
      .memory = ClassTexts(1, "length", {"batch"})};
}

MethodInfo Cocoop::Info() {
  return {.name = "cocoop",
          .version = 2,
          .summary = "Learnt context shifted by a small network of the image",
          .family = "prompt",
          .cite =
              "Zhou, Yang, Loy, Liu, Conditional Prompt Learning for "
              "Vision-Language Models, CVPR 2022; on COCO-LT and VOC-LT as in "
              "LMPT, ALVR 2024",
          .input = InputKind::kFeatures,
          .needs = {.text = true,
                    .test_feedback =
                        OptionMap{{"schedule", std::string("plateau-test")}}},
          .abilities = {.partial_labels = true,
                        .precisions = {"fp32", "bf16", "fp16", "fp16-state"}},
          .presets = {{.name = "embedded",
                       .summary =
                           "Nano settings: from the plain context, AdamW 3e-4, "
                           "batch 16, 3 epochs",
                       .options = {{"net_init", "zero"},
                                   {"optimiser", "adamw"},
                                   {"lr", 3e-4},
                                   {"weight_decay", 0.0},
                                   {"schedule", "cosine"},
                                   {"warm_up", 0.0},
                                   {"epochs", std::int64_t{3}},
                                   {"batch_size", std::int64_t{16}},
                                   {"loss", "bce"},
                                   {"db_gamma", 0.25},
                                   {"logit_offset", "density"}}}},
          .cost = CocoopCost()};
}

}  // namespace

void RegisterCocoop(MethodRegistry& registry) { registry.Add<Cocoop>(); }

}  // namespace tailmark
