// The smallest real plugin in C++: scores an image by how much nearer its
// feature lies to the mean of a class's training images than to the mean of the
// others.

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/zeros.h>

#include "harness/plugin/cxx_plugin.h"

namespace {

struct NearestMeanOptions {
  double shrinkage = 1.0;
  std::int64_t batch_size = 64;

  static constexpr auto Fields() {
    using O = NearestMeanOptions;
    return std::tuple{
        tailmark::Field{"shrinkage", &O::shrinkage,
                        "Images' worth of the overall mean in each class mean",
                        tailmark::NonNegative()},
        tailmark::Field{"batch_size", &O::batch_size, "Images a step",
                        tailmark::Between(1, 1'048'576)}};
  }
};

class NearestMean final : public tailmark::MethodWith<NearestMeanOptions> {
 public:
  using MethodWith::MethodWith;

  static tailmark::MethodInfo Info() {
    return {.name = "nearest_mean",
            .version = 1,
            .summary = "Nearest class mean on frozen features (a plugin)",
            .family = "probe",
            .input = tailmark::InputKind::kFeatures,
            .abilities = {.stochastic = false, .partial_labels = true}};
  }

  void Fit(tailmark::FitContext& context) override {
    if (direction_.defined()) return;  // one pass, done before the checkpoint
    const at::NoGradGuard no_graph;
    const std::int64_t classes = problem().num_classes();
    const auto one = at::TensorOptions(at::kDouble);
    at::Tensor with, without;  // sums [C, D]
    at::Tensor there = at::zeros({classes}, one), absent = there.clone();
    context.train.Start({.batch_size = options().batch_size, .shuffle = false});
    for (tailmark::TrainBatch batch; context.train.Next(batch);) {
      const auto x = batch.inputs.to(at::kCPU, at::kDouble);
      auto known = at::ones_like(batch.labels, one.device(at::kCPU));
      if (batch.known.defined()) known = batch.known.to(at::kCPU, at::kDouble);
      const auto yes =
          batch.labels.to(at::kCPU, at::kDouble).ne(0).to(at::kDouble) * known;
      const auto no = known - yes;
      if (!with.defined()) {
        with = at::zeros({classes, x.size(1)}, one);
        without = with.clone();
      }
      with += yes.t().matmul(x);
      without += no.t().matmul(x);
      there += yes.sum(0);
      absent += no.sum(0);
    }
    const auto all = with + without;
    const auto mean = all / (there + absent).clamp_min(1).unsqueeze(1);
    const auto mean_of = [&](const at::Tensor& sum, const at::Tensor& count) {
      return (sum + options().shrinkage * mean) /
             (count + options().shrinkage).clamp_min(1e-12).unsqueeze(1);
    };
    const auto a = mean_of(with, there), b = mean_of(without, absent);
    direction_ = (2 * (a - b)).to(at::kFloat).to(problem().device);
    offset_ = (b.square().sum(1) - a.square().sum(1))
                  .to(at::kFloat)
                  .to(problem().device);
    context.observer.OnEpochEnd(*this, {.epoch = 1, .epochs = 1});
  }

  at::Tensor Predict(const tailmark::Batch& batch) const override {
    const at::NoGradGuard no_graph;
    return at::linear(batch.inputs, direction_, offset_);
  }
  tailmark::ScoreScale scale() const override {
    return tailmark::ScoreScale::kLogit;
  }
  void Save(tailmark::StateWriter& out) const override {
    out.Put("direction", direction_);
    out.Put("offset", offset_);
  }
  void Load(const tailmark::StateReader& in) override {
    direction_ =
        in.Get("direction").to(problem().device, at::kFloat, false, true);
    offset_ = in.Get("offset").to(problem().device, at::kFloat, false, true);
  }
  std::int64_t trained_parameters() const override {
    return direction_.defined() ? direction_.numel() + offset_.numel() : 0;
  }

 private:
  at::Tensor direction_;  // [C, D]
  at::Tensor offset_;     // [C]
};

}  // namespace

TM_PLUGIN(NearestMean)
