#include "harness/api/registry.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

struct LabelPriorOptions {
  double smoothing = 0.0;

  static constexpr auto Fields() {
    using O = LabelPriorOptions;
    return std::tuple{
        Field{"smoothing", &O::smoothing,
              "Images added to each class's positives and negatives",
              NonNegative()},
    };
  }
};

/// How often each class is there in training, for every image alike: what a
/// method reaches that looks at nothing.
class LabelPrior final : public MethodWith<LabelPriorOptions> {
 public:
  using MethodWith::MethodWith;

  static MethodInfo Info() {
    return {.name = "label_prior",
            .version = 1,
            .summary = "Training frequency of each class, whatever the image",
            .family = "baseline",
            .input = InputKind::kNone,
            .abilities = {.stochastic = false, .partial_labels = true},
            .cost = Cost{.work = {{.amount = 1e-8,
                                   .times = {"train_images", "classes"}}}}};
  }

  void Fit(FitContext& context) override {
    const auto present = context.train.labels().ne(0);
    const auto& known = context.train.known();
    const auto mask = known.defined() ? known : at::ones_like(present);
    const auto positives = present.logical_and(mask).sum(0).to(torch::kDouble);
    const auto seen = mask.sum(0).to(torch::kDouble);
    const double s = options().smoothing;
    prior_ = ((positives + s) / (seen + 2 * s).clamp_min(1e-9))
                 .to(torch::kFloat)
                 .to(problem().device);
    context.observer.OnEpochEnd(*this, {.epoch = 1, .epochs = 1});
  }

  at::Tensor Predict(const Batch& batch) const override {
    return prior_.expand({batch.rows.size(0), -1}).contiguous();
  }
  ScoreScale scale() const override { return ScoreScale::kProbability; }

  void Save(StateWriter& out) const override { out.Put("prior", prior_); }
  void Load(const StateReader& in) override {
    prior_ = in.Get("prior").to(problem().device);
  }
  std::int64_t trained_parameters() const override {
    return problem().num_classes();
  }

 private:
  at::Tensor prior_;  // [C]
};

}  // namespace

void RegisterLabelPrior(MethodRegistry& registry) {
  registry.Add<LabelPrior>();
}

}  // namespace tailmark
