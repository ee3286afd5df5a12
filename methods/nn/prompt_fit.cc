#include "methods/nn/prompt_fit.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/seeds.h"
#include "methods/optim/autocast.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

/// The encoder of a problem; methods of the registry declare that they need it.
Encoder& EncoderOf(const Problem& problem) {
  TM_CHECK(problem.encoder != nullptr, "needs an encoder");
  return *problem.encoder;
}

}  // namespace

double DensityQuantile(const at::Tensor& logits, const at::Tensor& labels,
                       const at::Tensor& known) {
  const auto mask =
      known.defined() ? known : at::ones_like(labels, torch::kBool);
  const auto values = logits.masked_select(mask.to(logits.device()));
  const std::int64_t count = values.numel();
  if (count == 0) return 0;
  const auto positives =
      labels.ne(0).logical_and(mask).sum().item<std::int64_t>();
  const std::int64_t rank =
      std::clamp<std::int64_t>(count - positives, 1, count);
  return std::get<0>(values.kthvalue(rank)).item<double>();
}

PromptFit::PromptFit(const PromptOptions& options, const Problem& problem,
                     std::string_view stream)
    : options_(options),
      problem_(problem),
      stream_(stream),
      learner_(options.Shape(), problem.class_names, EncoderOf(problem)),
      images_(EncoderOf(problem), options.bn == "train") {}

void PromptFit::Keep(at::Tensor value) {
  loop_.emplace(options_.Plan(), problem_);
  loop_->Add("context", std::move(value), options_.weight_decay);
  text_ = at::Tensor();
}

void PromptFit::Begin(FitContext& context) {
  Keep(learner_
           .InitialContext(
               DeriveSeed(context.seed, std::string(stream_) + "/context", 0))
           .to(problem_.device));
  if (options_.logit_offset == "density") {
    offset_ = InitialOffset(context.train);
  }
}

double PromptFit::InitialOffset(TrainSource& train) {
  const at::NoGradGuard no_grad;
  train.Start({.batch_size = options_.batch_size, .shuffle = false});
  std::vector<at::Tensor> logits;
  for (TrainBatch batch; train.Next(batch);) {
    logits.push_back(
        Logits(images_(batch.inputs, /*learning=*/false), TextFeatures())
            .cpu());
  }
  return DensityQuantile(at::cat(logits, 0), train.labels(), train.known());
}

at::Tensor PromptFit::Logits(const at::Tensor& image_features,
                             const at::Tensor& text_features) const {
  // A bf16 logit of 30 is a multiple of 1/8: rank by float32.
  return at::matmul(UnitRows(Widened(image_features)),
                    UnitRows(Widened(text_features)).t()) *
         problem_.encoder->logit_scale();
}

at::Tensor PromptFit::TextFeatures() const {
  if (text_.defined() && options_.acceleration) return text_;
  const at::NoGradGuard no_grad;
  const Autocast autocast(problem_);
  text_ = learner_.Features(learner_.Embeddings(loop_->Values().front()),
                            !options_.acceleration);
  return text_;
}

void PromptFit::Fit(FitContext& context, const Method& method,
                    const Combine& combine) {
  if (!loop_) Begin(context);
  const auto loss =
      MakeLoss(options_.loss, options_.Db(), PositivesOf(context.train),
               context.train.num_samples(), problem_.device);
  const auto step = [&](const TrainBatch& batch,
                        std::span<const at::Tensor> parameters) {
    const auto prompts = learner_.Embeddings(parameters[0]);
    const auto text = learner_.Features(prompts, !options_.acceleration);
    const auto logits =
        Widened(Logits(images_(batch.inputs, /*learning=*/true), text)) -
        offset_;
    return combine(loss(logits, batch.labels, batch.known), batch, prompts);
  };
  loop_->Run(context, method, step, [this] { text_ = at::Tensor(); });
}

at::Tensor PromptFit::Predict(const Batch& batch) const {
  const at::NoGradGuard no_grad;
  const auto logits =
      Logits(images_(batch.inputs, /*learning=*/false), TextFeatures());
  if (options_.score == "softmax") return logits.softmax(1);
  if (options_.score == "softmax-fp16") {
    return logits.to(at::kHalf).softmax(1).to(at::kFloat);
  }
  return logits;
}

ScoreScale PromptFit::scale() const {
  return options_.score == "logit" ? ScoreScale::kLogit
                                   : ScoreScale::kProbability;
}

void PromptFit::Save(StateWriter& out) const {
  loop_->Save(out);
  out.PutInt("offset", std::bit_cast<std::int64_t>(offset_));
  images_.Save(out);
}

void PromptFit::Load(const StateReader& in) {
  Keep(in.Get("parameter/context").to(problem_.device));
  loop_->Load(in);
  offset_ = std::bit_cast<double>(in.GetInt("offset"));
  images_.Load(in);
}

std::int64_t PromptFit::trained_parameters() const {
  return loop_ ? loop_->numbers() : 0;
}

}  // namespace tailmark
