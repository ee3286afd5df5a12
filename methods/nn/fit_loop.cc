#include "methods/nn/fit_loop.h"

#include <torch/csrc/autograd/autograd.h>
#include <algorithm>
#include <utility>

#include "harness/base/error.h"
#include "methods/optim/autocast.h"
#include "methods/optim/cosine.h"
#include "methods/optim/one_cycle.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

bool IsPlateau(const FitPlan& plan) {
  return plan.schedule.starts_with("plateau");
}

/// Never the only batch.
bool DropsLast(const FitPlan& plan, std::int64_t samples) {
  return plan.drop_last && samples >= plan.batch_size;
}

/// Sums of the curves of an epoch, on the device, so that no step waits.
class CurveSums {
 public:
  explicit CurveSums(c10::Device device)
      : zero_(at::zeros(
            {}, at::TensorOptions().dtype(at::kDouble).device(device))) {}
  void Add(const std::string& name, const at::Tensor& value) {
    auto& sum = sums_.try_emplace(name, zero_).first->second;
    sum = sum + value.detach();
  }
  std::map<std::string, double> Means(std::int64_t steps) const {
    std::map<std::string, double> means;
    const auto count = static_cast<double>(std::max<std::int64_t>(steps, 1));
    for (const auto& [name, sum] : sums_) {
      means[name] = sum.item<double>() / count;
    }
    return means;
  }

 private:
  at::Tensor zero_;
  std::map<std::string, at::Tensor> sums_;
};

}  // namespace

std::vector<std::int64_t> PositivesOf(const TrainSource& train) {
  auto present = train.labels().ne(0);
  if (train.known().defined()) present = present.logical_and(train.known());
  const auto counts = present.sum(0);
  const auto* begin = counts.data_ptr<std::int64_t>();
  return {begin, begin + counts.numel()};
}

at::Tensor Widened(const at::Tensor& value) {
  const auto type = value.scalar_type();
  return type == at::kHalf || type == at::kBFloat16 ? value.to(at::kFloat)
                                                    : value;
}

FitLoop::FitLoop(FitPlan plan, const Problem& problem)
    : plan_(std::move(plan)),
      problem_(problem),
      optimiser_(MakeOptimiser(plan_.optimiser)),
      half_state_(problem.precision == "fp16-state"),
      plateau_({.lr = plan_.lr, .maximise = plan_.schedule == "plateau-test"}) {
}

void FitLoop::Add(std::string name, at::Tensor value, double weight_decay,
                  double lr_factor) {
  if (half_state_) value = value.to(at::kHalf);
  optimiser_->Add(value, weight_decay, lr_factor);
  parameters_.push_back({std::move(name), std::move(value)});
}

const at::Tensor& FitLoop::Get(std::string_view name) const {
  for (const Parameter& each : parameters_) {
    if (each.name == name) return each.value;
  }
  TM_CHECK(false, "no such parameter");
  return parameters_.front().value;
}

std::vector<at::Tensor> FitLoop::Values() const {
  std::vector<at::Tensor> values;
  for (const Parameter& each : parameters_) {
    values.push_back(Widened(each.value));
  }
  return values;
}

std::int64_t FitLoop::numbers() const {
  std::int64_t sum = 0;
  for (const Parameter& each : parameters_) sum += each.value.numel();
  return sum;
}

std::vector<at::Tensor> FitLoop::Averages() const {
  return ema_ ? ema_->average() : Values();
}

std::int64_t FitLoop::StepsOf(const FitPlan& plan, std::int64_t samples) {
  const std::int64_t short_by =
      DropsLast(plan, samples) ? 0 : plan.batch_size - 1;
  return std::max<std::int64_t>((samples + short_by) / plan.batch_size, 1);
}

FitLoop::Rate FitLoop::RateAt(std::int64_t step,
                              std::int64_t steps_an_epoch) const {
  if (IsPlateau(plan_)) return {plateau_.lr(), std::nullopt};
  if (plan_.schedule == "one-cycle") {
    const auto point = OneCycle{.max_lr = plan_.lr,
                                .total_steps = steps_an_epoch * plan_.epochs,
                                .warm_up = plan_.warm_up}
                           .At(step);
    return {point.lr, point.momentum};
  }
  const auto epochs = static_cast<double>(plan_.epochs);
  if (plan_.schedule == "cosine-epoch") {
    const Cosine cosine{.lr = plan_.lr,
                        .epochs = epochs,
                        .warm_up = plan_.warm_up,
                        .form = Cosine::WarmUp::kConstant};
    return {cosine.At(static_cast<double>(step / steps_an_epoch)),
            std::nullopt};
  }
  if (plan_.schedule == "cosine") {
    const Cosine cosine{
        .lr = plan_.lr, .epochs = epochs, .warm_up = plan_.warm_up};
    return {cosine.At(static_cast<double>(step) /
                      static_cast<double>(steps_an_epoch)),
            std::nullopt};
  }
  return {plan_.lr, std::nullopt};
}

std::map<std::string, double> FitLoop::TrainEpoch(TrainSource& train,
                                                  const Loss& loss,
                                                  std::int64_t steps) {
  const at::AutoGradMode with_gradients(true);
  train.Start({.epoch = epoch_,
               .batch_size = plan_.batch_size,
               .augment = plan_.augment,
               .drop_last = DropsLast(plan_, train.num_samples())});
  CurveSums sums(problem_.device);
  std::int64_t batches = 0;
  for (TrainBatch batch; train.Next(batch); ++batches) {
    std::vector<at::Tensor> leaves, given;
    for (const Parameter& each : parameters_) {
      leaves.push_back(each.value.requires_grad()
                           ? each.value
                           : each.value.detach().requires_grad_());
      given.push_back(Widened(leaves.back()));
    }
    const StepLoss step = [&] {
      const Autocast autocast(problem_);
      return loss(batch, given);
    }();
    const auto gradients =
        torch::autograd::grad({step.loss}, leaves, /*grad_outputs=*/{},
                              /*retain_graph=*/std::nullopt,
                              /*create_graph=*/false, /*allow_unused=*/true);
    const Rate rate = RateAt(optimiser_->steps(), steps);
    optimiser_->Step(gradients, rate.lr, rate.momentum);
    if (ema_) ema_->Update(Values());
    sums.Add("loss", step.loss);
    for (const auto& [name, part] : step.parts) sums.Add(name, part);
  }
  return sums.Means(batches);
}

void FitLoop::Run(FitContext& context, const Method& method, const Loss& loss,
                  const std::function<void()>& changed) {
  const std::int64_t steps = StepsOf(plan_, context.train.num_samples());
  if (plan_.ema > 0 && !ema_) ema_.emplace(plan_.ema, Values());
  while (epoch_ < plan_.epochs) {
    EpochReport report{.epochs = plan_.epochs};
    report.curves = TrainEpoch(context.train, loss, steps);
    report.curves["lr"] = RateAt(optimiser_->steps() - 1, steps).lr;
    changed();
    report.epoch = ++epoch_;
    if (plan_.schedule == "plateau-test") {
      plateau_.Step(context.observer.TestFeedback(method));
    }
    if (plan_.schedule == "plateau") plateau_.Step(report.curves.at("loss"));
    if (context.observer.OnEpochEnd(method, report) == FitSignal::kStop) break;
  }
}

void FitLoop::Save(StateWriter& out) const {
  out.PutInt("epoch", epoch_);
  for (const Parameter& each : parameters_) {
    out.Put(StrCat("parameter/", each.name), each.value.detach());
  }
  optimiser_->Save(out, "optimiser");
  if (IsPlateau(plan_)) plateau_.Save(out, "plateau");
  if (ema_) ema_->Save(out, "ema");
}

void FitLoop::Load(const StateReader& in) {
  const at::NoGradGuard no_grad;
  epoch_ = in.GetInt("epoch");
  for (Parameter& each : parameters_) {
    each.value.copy_(
        internal::LoadLike(in, StrCat("parameter/", each.name), each.value));
  }
  optimiser_->Load(in, "optimiser");
  if (IsPlateau(plan_)) plateau_.Load(in, "plateau");
  if (plan_.ema > 0) {
    ema_.emplace(plan_.ema, Values());
    ema_->Load(in, "ema");
  }
}

}  // namespace tailmark
