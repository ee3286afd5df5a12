#include <memory>
#include <optional>
#include <string>

#include "harness/api/registry.h"
#include "harness/base/error.h"
#include "harness/base/seeds.h"
#include "methods/losses/named.h"
#include "methods/nn/costs.h"
#include "methods/nn/fit_loop.h"
#include "methods/nn/linear_init.h"
#include "methods/nn/prompt_options.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

/// Defaults: LMPT's finetune_clip, frozen.
struct HeadOptions {
  std::string train = "head";
  std::string optimiser = "adamw";
  double lr = 1e-4;
  double weight_decay = 1e-4;
  std::string schedule = "plateau";
  double warm_up = 0;
  std::int64_t epochs = 30;
  std::int64_t batch_size = 16;
  std::string augment = "flip";
  std::string score = "softmax";

  static constexpr auto Fields() {
    using O = HeadOptions;
    return std::tuple_cat(
        std::tuple{
            Field{"train", &O::train,
                  "head: the linear layer on frozen features; all: the image "
                  "tower as well, a copy of it",
                  OneOf{"head|all"}},
        },
        FitFields<O>("Of all parameters; the release has 1e-5 for train=all"),
        std::tuple{
            Field{"score", &O::score, "softmax over the classes, or the logit",
                  OneOf{"softmax|logit"}},
        });
  }
};

struct FinetuneClipOptions : HeadOptions, LossOptions {
  static constexpr auto Fields() {
    return std::tuple_cat(HeadOptions::Fields(), LossOptions::Fields());
  }
};

/// A linear layer on the image feature as it is, the tower frozen or not.
class FinetuneClip final : public MethodWith<FinetuneClipOptions> {
 public:
  FinetuneClip(FinetuneClipOptions options, Problem problem)
      : MethodWith(std::move(options), std::move(problem)) {}

  static MethodInfo Info();

  void Fit(FitContext& context) override;
  at::Tensor Predict(const Batch& batch) const override;
  ScoreScale scale() const override {
    return options().score == "softmax" ? ScoreScale::kProbability
                                        : ScoreScale::kLogit;
  }
  void Save(StateWriter& out) const override { loop_->Save(out); }
  void Load(const StateReader& in) override {
    Begin(0);
    loop_->Load(in);
  }
  std::int64_t trained_parameters() const override {
    return loop_ ? loop_->numbers() : 0;
  }

 private:
  void Begin(std::uint64_t seed);
  at::Tensor Logits(std::span<const at::Tensor> parameters,
                    const at::Tensor& inputs) const;

  std::unique_ptr<Encoder> tower_;  // A copy, when it is trained.
  std::optional<FitLoop> loop_;
};

void FinetuneClip::Begin(std::uint64_t seed) {
  const auto& o = options();
  loop_.emplace(FitPlanOf(o), problem());
  const auto head =
      NewLinear(problem().encoder->feature_width(), problem().num_classes(),
                DeriveSeed(seed, "finetune_clip/head", 0), problem().device);
  loop_->Add("head.weight", head.weight, o.weight_decay);
  loop_->Add("head.bias", head.bias, o.weight_decay);
  if (o.train == "head") return;
  tower_ = problem().encoder->Copy(Towers::kImage);
  for (const EncoderParameter& each : tower_->Parameters(Towers::kImage)) {
    each.value.set_requires_grad(true);
    loop_->Add("tower/" + each.name, each.value, o.weight_decay);
  }
}

at::Tensor FinetuneClip::Logits(std::span<const at::Tensor> parameters,
                                const at::Tensor& inputs) const {
  const auto features = tower_ ? tower_->EncodeImages(inputs) : inputs;
  return at::linear(features, parameters[0], parameters[1]);
}

void FinetuneClip::Fit(FitContext& context) {
  if (!loop_) Begin(context.seed);
  const auto loss =
      MakeLoss(options().loss, options().Db(), PositivesOf(context.train),
               context.train.num_samples(), problem().device);
  loop_->Run(context, *this,
             [&](const TrainBatch& batch,
                 std::span<const at::Tensor> parameters) -> FitLoop::StepLoss {
               return {.loss = loss(Logits(parameters, batch.inputs),
                                    batch.labels, batch.known)};
             });
}

at::Tensor FinetuneClip::Predict(const Batch& batch) const {
  const at::NoGradGuard no_grad;
  const auto logits = Logits(loop_->Values(), batch.inputs);
  return options().score == "softmax" ? logits.softmax(1) : logits;
}

Cost FinetuneClipCost() {
  const OptionMap head = {{"train", std::string("head")}};
  const OptionMap all = {{"train", std::string("all")}};
  return {
      .epochs = {{.option = "epochs"}},
      .batch = "batch_size",
      .work = Together(
          {EveryEpoch(3, all),
           EveryTestImage(1, all),
           {{.unit = CostUnit::kImageTower, .times = {"steps"}, .when = all},
            {.amount = 3e-4, .times = {"steps"}}}}),
      .shared = FrozenFeatures(head),
      // Tower, gradient and the optimiser's two moments.
      .memory = {{.unit = CostUnit::kImageTower, .amount = 4, .when = all},
                 {.unit = CostUnit::kImage, .times = {"batch"}, .when = all}}};
}

MethodInfo FinetuneClip::Info() {
  return {
      .name = "finetune_clip",
      .version = 2,
      .summary =
          "Linear layer on CLIP's image feature, tower frozen or trained",
      .family = "probe",
      .cite = "Fine-tuned CLIP as compared with in Xia et al., LMPT, ALVR 2024",
      .input = InputKind::kFeatures,
      .images_when = {{{"train", std::string("all")}}},
      .needs = {.test_feedback =
                    OptionMap{{"schedule", std::string("plateau-test")}}},
      .abilities = {.partial_labels = true,
                    .precisions = {"fp32", "bf16", "fp16"}},
      .presets = {{.name = "repo",
                   .summary =
                       "As released: schedule by test scores, DB loss with "
                       "scalar focal",
                   .options = {{"schedule", "plateau-test"},
                               {"empty_class", "reject"}},
                   .kind = Preset::Kind::kProfile},
                  {.name = "embedded",
                   .summary =
                       "Nano settings: AdamW 0.1, one cycle, 30 epochs, logit "
                       "score",
                   .options = {{"lr", 0.1},
                               {"schedule", "one-cycle"},
                               {"warm_up", 0.3},
                               {"batch_size", std::int64_t{64}},
                               {"db_gamma", 0.25},
                               {"score", "logit"}}}},
      .cost = FinetuneClipCost()};
}

}  // namespace

void RegisterFinetuneClip(MethodRegistry& registry) {
  registry.Add<FinetuneClip>();
}

}  // namespace tailmark
