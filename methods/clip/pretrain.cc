#include "methods/clip/pretrain.h"

#include <torch/csrc/autograd/autograd.h>
#include <algorithm>
#include <cmath>
#include <fstream>
#include <future>
#include <numbers>
#include <numeric>

#include "harness/base/clock.h"
#include "harness/base/digest.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/interrupt.h"
#include "harness/base/json.h"
#include "harness/base/options_json.h"
#include "harness/base/progress.h"
#include "methods/clip/tensor_file.h"
#include "methods/optim/adam.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

constexpr std::size_t kRecent = 100;  // steps behind the numbers of the result

double Mean(const std::vector<double>& values) {
  return values.empty() ? 0.0
                        : std::accumulate(values.begin(), values.end(), 0.0) /
                              static_cast<double>(values.size());
}

/// One training: everything a checkpoint holds, and the step.
class Training {
 public:
  Training(const ClipConfig& config, const PretrainOptions& options)
      : options_(options),
        model_(config, at::TensorOptions(at::kFloat)),
        adam_({.beta1 = options.beta1,
               .beta2 = options.beta2,
               .eps = options.eps}),
        identity_(Sha256Hex(Canonical(ToJson(config)) +
                            Canonical(ToJson(ToMap(options))))) {
    InitialiseLikeOpenAi(model_, static_cast<std::uint64_t>(options.seed));
    model_.SetRequiresGrad(true);
    for (const NamedTensor& parameter : model_.Parameters()) {
      parameters_.push_back(parameter.tensor);
      adam_.Add(parameter.tensor,
                parameter.tensor.dim() >= 2 ? options.weight_decay : 0.0);
    }
  }

  /// The log's line.
  Json Step(const PairBatch& batch) {
    const Stopwatch watch;
    const double lr = PretrainRate(options_, step_);
    const auto found = InfoNce(model_.vision.Feature(batch.pixels),
                               model_.text.Feature(model_.text.Embed(batch.ids),
                                                   model_.text.Ends(batch.ids)),
                               model_.logit_scale.exp(), batch.ids);
    const double loss = found.loss.item<double>();
    if (!std::isfinite(loss)) {
      throw DataError(StrCat("pre-training: the loss of step ", step_ + 1,
                             " is not finite; a smaller lr than ", options_.lr,
                             " may help"));
    }
    auto gradients = torch::autograd::grad({found.loss}, parameters_);
    Clip(gradients);
    adam_.Step(gradients, lr);
    {
      const at::NoGradGuard no_grad;
      model_.logit_scale.clamp_max_(std::log(options_.most_scale));
    }
    ++step_;
    const double accuracy = found.accuracy.item<double>();
    Remember(losses_, loss);
    Remember(accuracies_, accuracy);
    seconds_ += watch.Seconds();
    return {{"step", step_},           {"loss", loss},
            {"accuracy", accuracy},    {"lr", lr},
            {"scale", model_.Scale()}, {"seconds", seconds_}};
  }

  void Save(const std::filesystem::path& path) const {
    TensorFile file;
    for (const NamedTensor& parameter : model_.Parameters()) {
      file.Put(StrCat("model/", parameter.name), parameter.tensor);
    }
    adam_.Save(file, "adam");
    file.PutInt("step", step_);
    file.Put("losses", at::tensor(losses_, at::kDouble));
    file.Put("accuracies", at::tensor(accuracies_, at::kDouble));
    file.Put("seconds", at::scalar_tensor(seconds_, at::kDouble));
    file.SetNote("training", identity_);
    file.Write(path);
  }

  void Load(const std::filesystem::path& path) {
    const at::NoGradGuard no_grad;
    const TensorFile file = TensorFile::Read(path);
    if (file.Note("training") != identity_) {
      throw DataError(StrCat(path.string(),
                             ": is of a training with other options; give "
                             "another folder, or remove it"));
    }
    for (const NamedTensor& parameter : model_.Parameters()) {
      parameter.tensor.copy_(file.Get(StrCat("model/", parameter.name)));
    }
    adam_.Load(file, "adam");
    step_ = file.GetInt("step");
    losses_ = Doubles(file.Get("losses"));
    accuracies_ = Doubles(file.Get("accuracies"));
    seconds_ = file.Get("seconds").item<double>();
  }

  std::int64_t step() const { return step_; }
  PretrainResult Result() const {
    model_.SetRequiresGrad(false);
    return {.model = model_,
            .steps = step_,
            .seconds = seconds_,
            .loss = Mean(losses_),
            .accuracy = Mean(accuracies_)};
  }

 private:
  static void Remember(std::vector<double>& recent, double value) {
    recent.push_back(value);
    if (recent.size() > kRecent) recent.erase(recent.begin());
  }
  static std::vector<double> Doubles(const at::Tensor& tensor) {
    const auto* data = tensor.const_data_ptr<double>();
    return {data, data + tensor.numel()};
  }

  void Clip(std::vector<at::Tensor>& gradients) const {
    std::vector<at::Tensor> norms;
    for (const at::Tensor& gradient : gradients) {
      norms.push_back(gradient.norm());
    }
    const double norm = at::stack(norms).norm().item<double>();
    if (norm <= options_.clip_norm) return;
    for (at::Tensor& gradient : gradients) {
      gradient.mul_(options_.clip_norm / norm);
    }
  }

  PretrainOptions options_;
  ClipModel model_;
  std::vector<at::Tensor> parameters_;
  Adam adam_;
  std::string identity_;
  std::int64_t step_ = 0;
  std::vector<double> losses_;
  std::vector<double> accuracies_;
  double seconds_ = 0;
};

/// Lines of steps up to `step`, all others cut off: a leg that was killed has
/// logged steps that are done again.
std::string LogUpTo(const std::filesystem::path& path, std::int64_t step) {
  std::ifstream in(path);
  std::string kept;
  std::string line;
  while (std::getline(in, line)) {
    const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object() || !json.contains("step") ||
        !json["step"].is_number_integer() || json["step"] > step) {
      break;
    }
    kept += line + "\n";
  }
  return kept;
}

}  // namespace

double PretrainRate(const PretrainOptions& options, std::int64_t step) {
  const auto at = static_cast<double>(step);
  const auto warm_up = static_cast<double>(options.warm_up);
  if (step < options.warm_up) return options.lr * (at + 1) / warm_up;
  const double left = static_cast<double>(options.steps) - warm_up;
  const double done = std::min(1.0, (at - warm_up) / std::max(1.0, left));
  return options.lr * 0.5 * (1.0 + std::cos(std::numbers::pi * done));
}

ContrastiveLoss InfoNce(const at::Tensor& image_features,
                        const at::Tensor& text_features,
                        const at::Tensor& scale, const at::Tensor& ids) {
  const auto unit = [](const at::Tensor& x) {
    return x / x.norm(2, -1, /*keepdim=*/true);
  };
  const auto logits =
      scale * unit(image_features).matmul(unit(text_features).t());
  const auto same =
      ids.unsqueeze(0).eq(ids.unsqueeze(1)).all(2).to(logits.scalar_type());
  const auto target = same / same.sum(1, /*keepdim=*/true);
  const auto one_way = [&](const at::Tensor& rows) {
    return -(target * rows.log_softmax(1)).sum(1).mean();
  };
  const auto best = logits.detach().argmax(1, /*keepdim=*/true);
  return {.loss = 0.5 * (one_way(logits) + one_way(logits.t())),
          .accuracy = same.gather(1, best).mean()};
}

PretrainResult Pretrain(const ClipConfig& config,
                        const PretrainOptions& options,
                        const PairMaker& make_pairs,
                        const PretrainPlaces& places) {
  Training training(config, options);
  if (!places.checkpoint.empty() &&
      std::filesystem::exists(places.checkpoint)) {
    training.Load(places.checkpoint);
  }
  std::ofstream log;
  if (!places.log.empty()) {
    WriteFileAtomic(places.log, LogUpTo(places.log, training.step()));
    log.open(places.log, std::ios::app);
  }
  const auto save = [&] {
    if (!places.checkpoint.empty()) training.Save(places.checkpoint);
  };

  Progress progress("pretrain", options.steps, "steps");
  std::future<PairBatch> next;
  // The next batch is drawn while this one is learnt from.
  const auto fetch = [&](std::int64_t step) {
    if (step >= options.steps) return;
    next = std::async(std::launch::async, [&make_pairs, step] {
      const at::NoGradGuard no_grad;
      return make_pairs(step);
    });
  };
  fetch(training.step());
  while (training.step() < options.steps) {
    const PairBatch batch = next.get();
    fetch(training.step() + 1);
    const Json line = training.Step(batch);
    const bool due =
        training.step() == 1 || training.step() % places.log_every == 0;
    if (log.is_open() && due && !(log << line.dump() << "\n" << std::flush)) {
      throw StoreError(StrCat(places.log.string(), ": cannot be written"));
    }
    progress.Update(training.step(),
                    StrCat("loss ", line["loss"].get<double>(), ", accuracy ",
                           line["accuracy"].get<double>()));
    if (InterruptSignal() != 0) save();
    ThrowIfInterrupted();
    if (training.step() % places.checkpoint_every == 0) save();
  }
  save();
  progress.Finish();
  return training.Result();
}

}  // namespace tailmark
