#include <algorithm>
#include <functional>
#include <optional>
#include <vector>

#include "harness/api/registry.h"
#include "methods/losses/named.h"
#include "methods/nn/costs.h"
#include "methods/nn/fit_loop.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

struct LinearProbeOptions {
  std::string loss = "bce";
  double lr = 1e-2;
  double weight_decay = 1e-2;
  double warm_up = 0.3;
  std::int64_t epochs = 30;
  std::int64_t batch_size = 64;
  std::string augment = "none";
  bool standardise = true;
  double db_gamma = 0.2;
  double db_neg_scale = 2.0;
  double db_init_bias = 0.05;

  static constexpr auto Fields() {
    using O = LinearProbeOptions;
    return std::tuple{
        Field{"loss", &O::loss,
              "bce: binary cross-entropy; db: distribution-balanced, "
              "elementwise focal",
              OneOf{"bce|db"}},
        Field{"lr", &O::lr, "Highest AdamW step size of the one-cycle schedule",
              Positive()},
        Field{"weight_decay", &O::weight_decay,
              "Decoupled, on the weights only", NonNegative()},
        Field{"warm_up", &O::warm_up, "Part of the steps on the way up",
              Fraction()},
        Field{"epochs", &O::epochs, "Passes over the training images",
              Between(1, 100'000)},
        Field{"batch_size", &O::batch_size, "Images a step",
              Between(1, 1'048'576)},
        Field{"augment", &O::augment,
              "flip: each image mirrored with probability 1/2",
              OneOf{"none|flip"}},
        Field{"standardise", &O::standardise,
              "Features to mean 0, deviation 1 of the training images"},
        Field{"db_gamma", &O::db_gamma,
              "DB loss: centre of the weight (0.2 COCO-LT, 0.3 VOC-LT)",
              AnyNumber()},
        Field{"db_neg_scale", &O::db_neg_scale,
              "DB loss: slope of the negatives (2 COCO-LT, 5 VOC-LT)",
              Positive()},
        Field{"db_init_bias", &O::db_init_bias, "DB loss: kappa",
              NonNegative()},
    };
  }
};

/// One linear layer on frozen, projected features.
class LinearProbe final : public MethodWith<LinearProbeOptions> {
 public:
  using MethodWith::MethodWith;

  static MethodInfo Info() {
    return {.name = "linear_probe",
            .version = 1,
            .summary = "Linear layer on frozen image features, BCE or DB loss",
            .family = "probe",
            .cite =
                "Radford et al., Learning Transferable Visual Models From "
                "Natural Language Supervision, ICML 2021 (linear probes); Wu "
                "et al., Distribution-Balanced Loss, ECCV 2020 (db)",
            .input = InputKind::kFeatures,
            .abilities = {.partial_labels = true},
            .presets =
                {
                    {.name = "embedded",
                     .summary = "BCE, as the embedded benchmark is specified",
                     .options = {{"loss", "bce"},
                                 {"lr", 1e-2},
                                 {"epochs", std::int64_t{30}},
                                 {"batch_size", std::int64_t{64}}}},
                    {.name = "embedded-db",
                     .summary = "The same with the DB loss",
                     .options = {{"loss", "db"},
                                 {"lr", 1e-2},
                                 {"epochs", std::int64_t{30}},
                                 {"batch_size", std::int64_t{64}}}},
                },
            // A step, and each image's part of mean and deviation.
            .cost = Cost{.epochs = {{.option = "epochs"}},
                         .batch = "batch_size",
                         .work = {{.amount = 3e-4, .times = {"steps"}},
                                  {.amount = 1e-5, .times = {"train_images"}}},
                         .shared = FrozenFeatures()}};
  }

  void Fit(FitContext& context) override;

  at::Tensor Predict(const Batch& batch) const override {
    const at::NoGradGuard no_grad;
    return at::linear(Standardised(batch.inputs), loop_->Get("weight"),
                      loop_->Get("bias"));
  }
  ScoreScale scale() const override { return ScoreScale::kLogit; }

  void Save(StateWriter& out) const override;
  void Load(const StateReader& in) override;
  std::int64_t trained_parameters() const override {
    return loop_ ? loop_->numbers() : 0;
  }

 private:
  void Begin(TrainSource& train);
  void Keep(at::Tensor weight, at::Tensor bias);
  at::Tensor Standardised(const at::Tensor& features) const {
    return (features - mean_) * inverse_deviation_;
  }

  at::Tensor mean_, inverse_deviation_;  // [D]
  std::optional<FitLoop> loop_;          // Weight [C, D], bias [C].
};

struct Moments {
  at::Tensor mean, deviation;  // [D] double
};

/// In double, in the order of the split, so that no batch size shows.
Moments MomentsOf(TrainSource& train, std::int64_t batch_size) {
  const auto walk = [&](const std::function<void(const at::Tensor&)>& see) {
    train.Start({.batch_size = batch_size, .shuffle = false});
    for (TrainBatch batch; train.Next(batch);) {
      see(batch.inputs.to(torch::kCPU, torch::kDouble));
    }
  };
  const auto count = static_cast<double>(train.num_samples());
  at::Tensor mean, square;
  const auto add = [](at::Tensor& sum, const at::Tensor& rows) {
    if (!sum.defined()) sum = at::zeros({rows.size(1)}, torch::kDouble);
    for (std::int64_t i = 0; i < rows.size(0); ++i) sum += rows[i];
  };
  walk([&](const at::Tensor& rows) { add(mean, rows); });
  mean = mean / count;
  walk([&](const at::Tensor& rows) { add(square, (rows - mean).square()); });
  return {mean, (square / count).sqrt()};
}

/// Log-odds ln(p / (1 - p)) [C] of each class among the images where it is
/// known, with p kept half an image away from 0 and 1.
at::Tensor LogOddsOf(const TrainSource& train) {
  const auto present = train.labels().ne(0);
  const auto& known = train.known();
  const auto mask = known.defined() ? known : at::ones_like(present);
  const auto positives = present.logical_and(mask).sum(0);
  const auto seen = mask.sum(0).to(torch::kDouble);
  const auto p = at::minimum(positives.to(torch::kDouble).clamp_min(0.5),
                             (seen - 0.5).clamp_min(0.5));
  return at::log(p / (seen - p).clamp_min(0.5)).to(torch::kFloat);
}

void LinearProbe::Begin(TrainSource& train) {
  const Moments moments = MomentsOf(train, options().batch_size);
  const auto device = problem().device;
  const auto width = moments.mean.size(0);
  if (options().standardise) {
    // A feature that never changes says nothing: leave it at 0, not at 0 / 0.
    const auto inverse = at::where(moments.deviation > 1e-8,
                                   moments.deviation.reciprocal(), 0.0);
    mean_ = moments.mean.to(torch::kFloat).to(device);
    inverse_deviation_ = inverse.to(torch::kFloat).to(device);
  } else {
    mean_ = at::zeros({width}, at::TensorOptions().device(device));
    inverse_deviation_ = at::ones({width}, at::TensorOptions().device(device));
  }
  Keep(at::zeros({problem().num_classes(), width},
                 at::TensorOptions().device(device)),
       LogOddsOf(train).to(device));
}

void LinearProbe::Keep(at::Tensor weight, at::Tensor bias) {
  const auto& o = options();
  loop_.emplace(FitPlan{.epochs = o.epochs,
                        .batch_size = o.batch_size,
                        .augment = o.augment,
                        .optimiser = "adamw",
                        .lr = o.lr,
                        .schedule = "one-cycle",
                        .warm_up = o.warm_up},
                problem());
  loop_->Add("weight", std::move(weight), o.weight_decay);
  loop_->Add("bias", std::move(bias), 0.0);
}

void LinearProbe::Fit(FitContext& context) {
  const auto& o = options();
  if (!loop_) Begin(context.train);
  const DbOptions db{.gamma = o.db_gamma,
                     .neg_scale = o.db_neg_scale,
                     .init_bias = o.db_init_bias};
  const auto loss = MakeLoss(o.loss, db, PositivesOf(context.train),
                             context.train.num_samples(), problem().device);
  loop_->Run(context, *this,
             [&](const TrainBatch& batch,
                 std::span<const at::Tensor> p) -> FitLoop::StepLoss {
               const auto logits =
                   at::linear(Standardised(batch.inputs), p[0], p[1]);
               return {.loss = loss(logits, batch.labels, batch.known)};
             });
}

void LinearProbe::Save(StateWriter& out) const {
  out.Put("mean", mean_);
  out.Put("inverse_deviation", inverse_deviation_);
  loop_->Save(out);
}

void LinearProbe::Load(const StateReader& in) {
  const auto get = [&](std::string_view key) {
    return in.Get(key).to(problem().device, torch::kFloat,
                          /*non_blocking=*/false, /*copy=*/true);
  };
  mean_ = get("mean");
  inverse_deviation_ = get("inverse_deviation");
  Keep(get("parameter/weight"), get("parameter/bias"));
  loop_->Load(in);
}

}  // namespace

void RegisterLinearProbe(MethodRegistry& registry) {
  registry.Add<LinearProbe>();
}

}  // namespace tailmark
