#include <algorithm>
#include <functional>
#include <optional>
#include <vector>

#include "harness/api/registry.h"
#include "methods/losses/bce.h"
#include "methods/losses/distribution_balanced.h"
#include "methods/optim/adam.h"
#include "methods/optim/one_cycle.h"
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
            .presets = {
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
            }};
  }

  void Fit(FitContext& context) override;

  at::Tensor Predict(const Batch& batch) const override {
    const torch::NoGradGuard no_grad;
    return at::linear(Standardised(batch.inputs), weight_, bias_);
  }
  ScoreScale scale() const override { return ScoreScale::kLogit; }

  void Save(StateWriter& out) const override;
  void Load(const StateReader& in) override;
  std::int64_t trained_parameters() const override {
    return weight_.defined() ? weight_.numel() + bias_.numel() : 0;
  }

 private:
  void Begin(TrainSource& train);
  void MakeOptimiser();
  double TrainEpoch(TrainSource& train, const OneCycle& schedule);
  at::Tensor Loss(const at::Tensor& logits, const TrainBatch& batch) const;
  at::Tensor Standardised(const at::Tensor& features) const {
    return (features - mean_) * inverse_deviation_;
  }

  std::int64_t epoch_ = 0;
  at::Tensor mean_, inverse_deviation_;  // [D]
  at::Tensor weight_, bias_;             // [C, D], [C]
  std::optional<Adam> optimiser_;
  std::optional<DistributionBalancedLoss> db_loss_;
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

struct Prevalence {
  std::vector<std::int64_t> counts;  // [C] known positives
  at::Tensor log_odds;               // [C] float
};

/// Log-odds ln(p / (1 - p)) of each class among the images where it is known,
/// with p kept half an image away from 0 and 1.
Prevalence PrevalenceOf(const TrainSource& train) {
  const auto present = train.labels().ne(0);
  const auto& known = train.known();
  const auto mask = known.defined() ? known : at::ones_like(present);
  const auto positives = present.logical_and(mask).sum(0);
  const auto seen = mask.sum(0).to(torch::kDouble);
  const auto p = at::minimum(positives.to(torch::kDouble).clamp_min(0.5),
                             (seen - 0.5).clamp_min(0.5));
  const auto* begin = positives.data_ptr<std::int64_t>();
  return {{begin, begin + positives.numel()},
          at::log(p / (seen - p).clamp_min(0.5)).to(torch::kFloat)};
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
  weight_ = at::zeros({problem().num_classes(), width},
                      at::TensorOptions().device(device));
  bias_ = PrevalenceOf(train).log_odds.to(device);
}

void LinearProbe::MakeOptimiser() {
  optimiser_.emplace(Adam::Options{});
  optimiser_->Add(weight_, options().weight_decay);
  optimiser_->Add(bias_, 0.0);
}

void LinearProbe::Fit(FitContext& context) {
  const auto& o = options();
  if (!weight_.defined()) {
    Begin(context.train);
    MakeOptimiser();
  }
  const DbOptions db{.gamma = o.db_gamma,
                     .neg_scale = o.db_neg_scale,
                     .init_bias = o.db_init_bias};
  const std::int64_t samples = context.train.num_samples();
  db_loss_.emplace(db, PrevalenceOf(context.train).counts, samples,
                   problem().device);
  const std::int64_t steps = (samples + o.batch_size - 1) / o.batch_size;
  const OneCycle schedule{
      .max_lr = o.lr, .total_steps = steps * o.epochs, .warm_up = o.warm_up};
  while (epoch_ < o.epochs) {
    const double loss = TrainEpoch(context.train, schedule);
    ++epoch_;
    const EpochReport report{
        .epoch = epoch_,
        .epochs = o.epochs,
        .curves = {{"loss", loss},
                   {"lr", schedule.At(optimiser_->steps() - 1).lr}}};
    if (context.observer.OnEpochEnd(*this, report) == FitSignal::kStop) break;
  }
}

double LinearProbe::TrainEpoch(TrainSource& train, const OneCycle& schedule) {
  const torch::AutoGradMode with_gradients(true);
  train.Start({.epoch = epoch_,
               .batch_size = options().batch_size,
               .augment = options().augment});
  at::Tensor sum = at::zeros(
      {}, at::TensorOptions().dtype(torch::kDouble).device(problem().device));
  std::int64_t batches = 0;
  for (TrainBatch batch; train.Next(batch); ++batches) {
    auto weight = weight_.detach().requires_grad_();
    auto bias = bias_.detach().requires_grad_();
    const auto loss =
        Loss(at::linear(Standardised(batch.inputs), weight, bias), batch);
    const auto gradients = torch::autograd::grad({loss}, {weight, bias});
    const auto [lr, momentum] = schedule.At(optimiser_->steps());
    optimiser_->Step(gradients, lr, momentum);
    sum += loss.detach();
  }
  return sum.item<double>() /
         static_cast<double>(std::max<std::int64_t>(batches, 1));
}

at::Tensor LinearProbe::Loss(const at::Tensor& logits,
                             const TrainBatch& batch) const {
  return options().loss == "db" ? (*db_loss_)(logits, batch.labels, batch.known)
                                : BceLoss(logits, batch.labels, batch.known);
}

void LinearProbe::Save(StateWriter& out) const {
  out.PutInt("epoch", epoch_);
  out.Put("mean", mean_);
  out.Put("inverse_deviation", inverse_deviation_);
  out.Put("weight", weight_);
  out.Put("bias", bias_);
  optimiser_->Save(out, "adam");
}

void LinearProbe::Load(const StateReader& in) {
  const auto get = [&](std::string_view key) {
    return in.Get(key).to(problem().device, torch::kFloat,
                          /*non_blocking=*/false, /*copy=*/true);
  };
  epoch_ = in.GetInt("epoch");
  mean_ = get("mean");
  inverse_deviation_ = get("inverse_deviation");
  weight_ = get("weight");
  bias_ = get("bias");
  MakeOptimiser();
  optimiser_->Load(in, "adam");
}

}  // namespace

void RegisterLinearProbe(MethodRegistry& registry) {
  registry.Add<LinearProbe>();
}

}  // namespace tailmark
