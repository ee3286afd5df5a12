#include "methods/hp_dval/trainer.h"

#include <c10/core/InferenceMode.h>

#include <torch/csrc/autograd/autograd.h>
#include <algorithm>
#include <utility>

#include "harness/base/error.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

constexpr double kClipMean[] = {0.48145466, 0.4578275, 0.40821073};
constexpr double kClipDeviation[] = {0.26862954, 0.26130258, 0.27577711};

at::Tensor Channels(const double (&values)[3], const at::Tensor& like) {
  return at::tensor(at::ArrayRef<double>(values, 3), at::kDouble)
      .to(like.options())
      .view({1, 3, 1, 1});
}

DualView ViewOf(const HpDvalOptions& o) {
  return {.alpha = o.alpha,
          .alpha_on_global = o.alpha_on == "global",
          .top_k = o.top_k,
          .l2_classes = o.score_norm == "l2-classes",
          .logit_scale = o.logit_scale};
}

}  // namespace

HpDvalTrainer::HpDvalTrainer(Setup setup)
    : setup_(std::move(setup)),
      view_(ViewOf(*setup_.options)),
      trained_(std::move(setup_.student)),
      optimiser_(Adam::Options{.beta2 = setup_.options->beta2}) {
  const at::NoGradGuard no_grad;
  trained_.encoder->RecomputeActivations(setup_.options->recompute);
  for (const EncoderParameter& each : Trained(trained_)) {
    const bool decays =
        setup_.options->decay_on == "all" || each.value.dim() != 1;
    optimiser_.Add(each.value, decays ? setup_.options->weight_decay : 0.0);
    parameters_.push_back(each.value);
  }
  if (setup_.stage == HpDvalStage::kOne && !trained_.own_text) {
    template_ = setup_.clip->EncodeText(setup_.tokens.templates);
  }
  if (setup_.stage != HpDvalStage::kOne) {
    placeholders_ = setup_.clip->EmbedTokens(setup_.tokens.placeholders);
    // Both prompts are encoded in one batch, so the template is too: where
    // they are equal, their distance is 0 and not rounding.
    const auto& ids = setup_.tokens.templates;
    template_pair_ = setup_.clip->EncodeText(at::cat({ids, ids}));
  }
  MakeAverage();
}

void HpDvalTrainer::Begin(ClassificationLoss loss, const OneCycle& schedule) {
  loss_ = std::move(loss);
  schedule_ = schedule;
}

void HpDvalTrainer::MakeAverage() {
  if (setup_.stage == HpDvalStage::kTwo) {
    average_ = trained_;  // One frozen tower for both.
    average_.global_context = trained_.global_context.clone();
    average_.local_context = trained_.local_context.clone();
  } else {
    average_ = trained_.Copy();
  }
  ema_.emplace(setup_.options->ema_decay, parameters_);
  ShareValues(Trained(average_), ema_->average());
}

std::vector<EncoderParameter> HpDvalTrainer::Trained(const Student& of) const {
  switch (setup_.stage) {
    case HpDvalStage::kOne:
      return of.Towers();
    case HpDvalStage::kTwo:
      return of.Contexts();
    case HpDvalStage::kJoint:
      break;
  }
  return of.All();
}

at::Tensor HpDvalTrainer::Prepared(const at::Tensor& pixels) const {
  if (setup_.options->input_norm == "clip") return pixels;
  return pixels * Channels(kClipDeviation, pixels) +
         Channels(kClipMean, pixels);
}

HpDvalTrainer::Texts HpDvalTrainer::TextsOf(const Student& student) const {
  if (setup_.stage == HpDvalStage::kOne) {
    const auto text = student.own_text
                          ? student.encoder->EncodeText(setup_.tokens.templates)
                          : template_;
    return {text, text};
  }
  // Local first: the order of the release's two prompt sets.
  const auto& ids = setup_.tokens.placeholders;
  const auto both = student.encoder->EncodeEmbeddings(
      at::cat({WithContext(placeholders_, student.local_context),
               WithContext(placeholders_, student.global_context)}),
      at::cat({ids, ids}));
  const auto halves = both.chunk(2);
  return {.global = halves[1], .local = halves[0]};
}

const HpDvalTrainer::Texts& HpDvalTrainer::AveragedTexts() const {
  if (!averaged_texts_) averaged_texts_ = TextsOf(average_);
  return *averaged_texts_;
}

at::Tensor HpDvalTrainer::Distillation(const at::Tensor& pixels,
                                       const at::Tensor& tokens) const {
  const auto student = tokens.select(1, 0);
  if (setup_.options->teacher == "shared") return at::zeros_like(student).sum();
  at::Tensor teacher;
  {
    const c10::InferenceMode no_graph;
    // All tokens, although one is read: as the student does it, so that equal
    // weights give equal bits.
    teacher = setup_.clip->EncodeImageTokens(pixels).select(1, 0);
  }
  return L1Distance(student, teacher.to(student.scalar_type()).clone());
}

HpDvalTrainer::Losses HpDvalTrainer::LossesOf(const Student& student,
                                              const at::Tensor& pixels,
                                              const at::Tensor& labels,
                                              const at::Tensor& known) const {
  const auto precision = setup_.precision();
  const HpDvalOptions& o = *setup_.options;
  const auto inputs = Prepared(pixels);
  const auto wide = [](const at::Tensor& x) {
    return x.scalar_type() == at::kDouble ? x : x.to(at::kFloat);
  };
  at::Tensor tokens;
  {
    const at::AutoGradMode graph(at::GradMode::is_enabled() &&
                                 setup_.stage != HpDvalStage::kTwo);
    tokens = wide(student.Tokens(inputs));
  }
  const Texts texts = TextsOf(student);
  const auto scores =
      DualViewScores(view_, tokens, wide(texts.global), wide(texts.local));
  Losses out;
  out.classification = loss_(scores, labels, known);
  at::Tensor alignment;
  if (setup_.stage != HpDvalStage::kTwo) {
    alignment = Distillation(inputs, tokens) * o.kd_weight;
  }
  if (setup_.stage != HpDvalStage::kOne) {
    const bool global = o.consistency_on == "global";
    const auto consistency =
        L1Distance(wide(global ? texts.global : texts.local),
                   wide(template_pair_.chunk(2)[global ? 1 : 0])) *
        o.consistency_weight;
    alignment =
        alignment.defined() ? (alignment + consistency) / 2 : consistency;
  }
  out.alignment = alignment;
  out.total = out.classification + alignment;
  return out;
}

HpDvalTrainer::Losses HpDvalTrainer::Step(const at::Tensor& pixels,
                                          const at::Tensor& labels,
                                          const at::Tensor& known) {
  for (const at::Tensor& each : parameters_) each.requires_grad_(true);
  Losses losses;
  std::vector<at::Tensor> gradients;
  {
    const at::AutoGradMode with_graph(true);
    losses = LossesOf(trained_, pixels, labels, known);
    gradients = torch::autograd::grad({losses.total}, parameters_, {},
                                      /*retain_graph=*/false,
                                      /*create_graph=*/false,
                                      /*allow_unused=*/true);
  }
  for (const at::Tensor& each : parameters_) each.requires_grad_(false);
  if (setup_.options->schedule == "one-cycle") {
    const auto [rate, momentum] = schedule_.At(optimiser_.steps());
    optimiser_.Step(gradients, rate, momentum);
  } else {
    optimiser_.Step(gradients, schedule_.max_lr);
  }
  ema_->Update(parameters_);
  averaged_texts_.reset();
  return {losses.total.detach(), losses.classification.detach(),
          losses.alignment.detach()};
}

HpDvalTrainer::Losses HpDvalTrainer::Evaluate(const at::Tensor& pixels,
                                              const at::Tensor& labels,
                                              const at::Tensor& known,
                                              bool averaged) const {
  const at::NoGradGuard no_grad;
  return LossesOf(student(averaged), pixels, labels, known);
}

at::Tensor HpDvalTrainer::Scores(const at::Tensor& pixels,
                                 bool averaged) const {
  const at::NoGradGuard no_grad;
  Texts texts;
  at::Tensor tokens;
  {
    const auto precision = setup_.precision();
    texts = averaged ? AveragedTexts() : TextsOf(trained_);
    tokens = student(averaged).Tokens(Prepared(pixels));
  }
  if (tokens.scalar_type() == at::kDouble) {
    return DualViewScores(view_, tokens, texts.global, texts.local);
  }
  return DualViewScores(view_, tokens.to(at::kFloat),
                        texts.global.to(at::kFloat),
                        texts.local.to(at::kFloat));
}

double HpDvalTrainer::last_rate() const {
  if (setup_.options->schedule != "one-cycle") return schedule_.max_lr;
  return schedule_.At(std::max<std::int64_t>(steps() - 1, 0)).lr;
}

std::int64_t HpDvalTrainer::trained_parameters() const {
  std::int64_t count = 0;
  for (const at::Tensor& each : parameters_) count += each.numel();
  return count;
}

void HpDvalTrainer::SaveTraining(StateWriter& out) const {
  for (const EncoderParameter& each : Trained(trained_)) {
    out.Put("trained/" + each.name, each.value);
  }
  optimiser_.Save(out, "adam");
}

void HpDvalTrainer::LoadTraining(const StateReader& in) {
  const at::NoGradGuard no_grad;
  for (const EncoderParameter& each : Trained(trained_)) {
    each.value.copy_(in.Get("trained/" + each.name));
  }
  optimiser_.Load(in, "adam");
}

void HpDvalTrainer::SaveScored(StateWriter& out) const {
  const at::NoGradGuard no_grad;
  for (const EncoderParameter& each : average_.All()) {
    out.Put("scored/" + each.name, each.value);
  }
  out.Put("texts/global", AveragedTexts().global);
  out.Put("texts/local", AveragedTexts().local);
}

void HpDvalTrainer::LoadScored(const StateReader& in) {
  const at::NoGradGuard no_grad;
  // In place: the averages' memory is shared with the moving average.
  for (const EncoderParameter& each : average_.All()) {
    each.value.copy_(in.Get("scored/" + each.name));
  }
  const auto device = average_.All()[0].value.device();
  averaged_texts_ = Texts{.global = in.Get("texts/global").to(device),
                          .local = in.Get("texts/local").to(device)};
}

}  // namespace tailmark
