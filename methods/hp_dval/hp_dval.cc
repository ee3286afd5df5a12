#include "methods/hp_dval/hp_dval.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "harness/base/seeds.h"
#include "methods/clip/imagenet_vit.h"
#include "methods/optim/autocast.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

constexpr double kContextDeviation = 0.02;

HpDvalStage StageNamed(const std::string& name) {
  if (name == "1") return HpDvalStage::kOne;
  return name == "2" ? HpDvalStage::kTwo : HpDvalStage::kJoint;
}

void CheckTogether(const HpDvalOptions& o) {
  if (o.prompt_init == "photo" && o.context_tokens != 4) {
    throw ConfigError(StrCat("option 'context_tokens' = ", o.context_tokens,
                             ": 'a photo of a' (prompt_init = photo) is 4 "
                             "words"));
  }
  if (o.student_init == "imagenet1k" && o.embedding == "clip-proj") {
    throw ConfigError(
        "option 'embedding' = 'clip-proj' cannot follow a student from "
        "ImageNet, which is not in CLIP's space; use two-linear");
  }
}

void CheckImageNetWeights(const HpDvalOptions& o) {
  if (!o.imagenet_weights.empty()) return;
  throw ConfigError(
      "option 'student_init' = 'imagenet1k' (profile paper) needs a ViT-B/16 "
      "trained on ImageNet-1K, which is not shipped: set 'imagenet_weights' to "
      "its safetensors file with timm's names, or student_init to clip and "
      "embedding to clip-proj");
}

/// Known positives of each class.
std::vector<std::int64_t> CountsOf(const TrainSource& train) {
  auto present = train.labels().ne(0);
  if (train.known().defined()) present = present.logical_and(train.known());
  const auto counts = present.sum(0).contiguous();
  const auto* begin = counts.data_ptr<std::int64_t>();
  return {begin, begin + counts.numel()};
}

DbPositive PositiveNamed(const std::string& name) {
  if (name == "frequency") return DbPositive::kFrequency;
  return name == "const" ? DbPositive::kConst : DbPositive::kNone;
}

DbFocal FocalNamed(const std::string& name) {
  if (name == "element") return DbFocal::kElement;
  return name == "batch" ? DbFocal::kBatch : DbFocal::kNone;
}

}  // namespace

HpDval::HpDval(HpDvalOptions options, Problem problem)
    : MethodWith(std::move(options), std::move(problem)),
      stage_(StageNamed(this->options().stage)) {
  CheckTogether(this->options());
}

std::int64_t HpDval::epochs() const {
  return stage_ == HpDvalStage::kTwo ? used().stage2_epochs
                                     : used().stage1_epochs;
}

ScoreScale HpDval::scale() const {
  return used().score_norm == "cosine" ? ScoreScale::kLogit
                                       : ScoreScale::kCosine;
}

ClassificationLoss HpDval::Loss(const TrainSource& train) const {
  const HpDvalOptions& o = used();
  DbOptions db{.gamma = o.db_gamma,
               .neg_scale = o.db_neg_scale,
               .init_bias = o.db_init_bias,
               .pos_scale = o.pos_scale};
  const auto counts = CountsOf(train);
  if (o.loss != "dbstar") {
    return MakeLoss(o.loss, db, counts, train.num_samples(), problem().device);
  }
  db.weight =
      o.rebalance == "positives" ? DbWeight::kRebalance : DbWeight::kAllClasses;
  db.positive = PositiveNamed(stage_ == HpDvalStage::kOne ? o.stage1_positive
                                                          : o.stage2_positive);
  db.focal = FocalNamed(o.focal);
  return DistributionBalancedLoss(db, counts, train.num_samples(),
                                  problem().device);
}

OneCycle HpDval::Schedule(std::int64_t samples) const {
  const HpDvalOptions& o = used();
  const std::int64_t steps = (samples + o.batch_size - 1) / o.batch_size;
  const std::int64_t horizon = o.horizon == 0 ? epochs() : o.horizon;
  return {.max_lr = stage_ == HpDvalStage::kTwo ? o.stage2_lr : o.stage1_lr,
          .total_steps = steps * horizon,
          .warm_up = o.warm_up};
}

void HpDval::StartContexts(std::uint64_t seed, Student& student) const {
  if (stage_ == HpDvalStage::kOne) return;
  const auto photo = PhotoWords(*problem().encoder);
  if (used().prompt_init == "photo") {
    student.global_context = photo.clone();
    student.local_context = photo.clone();
    return;
  }
  at::Generator chance =
      at::detail::createCPUGenerator(DeriveSeed(seed, "hp_dval/context"));
  const auto draw = [&] {
    return at::empty({used().context_tokens, photo.size(1)}, at::kFloat)
        .normal_(0.0, kContextDeviation, chance)
        .to(photo.options());
  };
  student.global_context = draw();
  student.local_context = draw();
}

Student HpDval::EmptyCopy() const {
  Student student;
  student.own_text =
      stage_ == HpDvalStage::kOne && used().text_encoder == "trained";
  const Encoder& clip = *problem().encoder;
  if (used().student_init == "imagenet1k") {
    CheckImageNetWeights(used());
    student.encoder = student.own_text
                          ? WithImageNetTower(*clip.Copy(Towers::kText),
                                              used().imagenet_weights)
                          : WithImageNetTower(clip, used().imagenet_weights);
  } else {
    student.encoder =
        clip.Copy(student.own_text ? Towers::kBoth : Towers::kImage);
  }
  return student;
}

Student HpDval::Start(FitContext& context) const {
  Student student = EmptyCopy();
  if (used().embedding == "two-linear") {
    context.train.Start({.batch_size = 1, .shuffle = false});
    TrainBatch one;
    context.train.Next(one);
    const auto states = student.encoder->EncodeImageStates(one.inputs);
    student.embedding = TwoLinear::Random(
        states.size(2), problem().encoder->feature_width(),
        DeriveSeed(context.seed, "hp_dval/embedding"), states.options());
  }
  StartContexts(context.seed, student);
  const auto go_on_from = [&](const char* role) {
    const StateReader& before = context.Input(role);
    for (const EncoderParameter& each : student.Towers()) {
      each.value.copy_(before.Get("scored/" + each.name));
    }
  };
  if (stage_ == HpDvalStage::kTwo && used().stage2_from == "stage1-ema") {
    go_on_from("stage1");
  } else if (used().student_init == "base-run") {
    go_on_from("base");
  }
  return student;
}

void HpDval::MakeTrainer(Student student) {
  trainer_.emplace(HpDvalTrainer::Setup{
      .stage = stage_,
      .options = &used(),
      .clip = problem().encoder,
      .student = std::move(student),
      .tokens = TokenisePrompts(*problem().encoder, problem().class_names,
                                used().context_tokens),
      .precision = [this]() -> std::shared_ptr<void> {
        return std::make_shared<Autocast>(problem());
      }});
}

void HpDval::BecomeBaseFit() {
  HpDvalOptions base = options();
  base.student_init = "clip";
  base.stage1_epochs = base.base_epochs;
  base.batch_size = base.base_batch_size;
  base.horizon = base.base_horizon;
  base.beta2 = base.base_beta2;
  base.decay_on = base.base_decay_on;
  base.augment = base.base_augment;
  base_fit_ = std::move(base);
}

void HpDval::Fit(FitContext& context) {
  if (!trainer_) {
    const at::NoGradGuard no_grad;
    // The harness fits the base classes first, with nothing to start from.
    if (options().student_init == "base-run" &&
        !context.inputs.contains("base")) {
      BecomeBaseFit();
    }
    MakeTrainer(Start(context));
  }
  trainer_->Begin(Loss(context.train), Schedule(context.train.num_samples()));
  while (epoch_ < epochs()) {
    EpochReport report{.epoch = epoch_ + 1, .epochs = epochs()};
    TrainEpoch(context.train, report);
    ++epoch_;
    if (context.observer.OnEpochEnd(*this, report) == FitSignal::kStop) break;
  }
}

double HpDval::TrainEpoch(TrainSource& train, EpochReport& report) {
  train.Start({.epoch = epoch_,
               .batch_size = used().batch_size,
               .augment = used().augment});
  const auto zero = at::zeros(
      {}, at::TensorOptions().dtype(torch::kDouble).device(problem().device));
  at::Tensor total = zero.clone();
  at::Tensor alignment = zero.clone();
  std::int64_t batches = 0;
  for (TrainBatch batch; train.Next(batch); ++batches) {
    const auto losses = trainer_->Step(batch.inputs, batch.labels, batch.known);
    total += losses.total;
    alignment += losses.alignment;
  }
  const auto steps = static_cast<double>(std::max<std::int64_t>(batches, 1));
  report.curves = {{"loss", total.item<double>() / steps},
                   {"alignment", alignment.item<double>() / steps},
                   {"lr", trainer_->last_rate()}};
  return report.curves["loss"];
}

at::Tensor HpDval::Predict(const Batch& batch) const {
  return trainer_->Scores(batch.inputs, /*averaged=*/true);
}

void HpDval::Save(StateWriter& out) const {
  out.PutInt("epoch", epoch_);
  out.PutInt("base_fit", base_fit_ ? 1 : 0);
  trainer_->SaveScored(out);
  // A finished fit is only scored: a quarter of the bytes.
  if (epoch_ < epochs()) trainer_->SaveTraining(out);
}

void HpDval::Load(const StateReader& in) {
  const at::NoGradGuard no_grad;
  epoch_ = in.GetInt("epoch");
  if (in.GetInt("base_fit") == 1) BecomeBaseFit();
  Student student = EmptyCopy();
  const auto like = [&](const char* key) {
    const auto found = in.Get(key);
    return at::empty_like(found, found.options().device(problem().device));
  };
  if (used().embedding == "two-linear") {
    student.embedding = {.weight1 = like("scored/embedding.fc1.weight"),
                         .bias1 = like("scored/embedding.fc1.bias"),
                         .weight2 = like("scored/embedding.fc2.weight"),
                         .bias2 = like("scored/embedding.fc2.bias")};
  }
  if (stage_ != HpDvalStage::kOne) {
    student.global_context = like("scored/prompts.global");
    student.local_context = like("scored/prompts.local");
  }
  MakeTrainer(std::move(student));
  trainer_->LoadScored(in);
  if (epoch_ < epochs()) trainer_->LoadTraining(in);
}

void RegisterHpDval(MethodRegistry& registry) { registry.Add<HpDval>(); }

}  // namespace tailmark
