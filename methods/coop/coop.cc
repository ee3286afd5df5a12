#include "harness/api/registry.h"
#include "methods/nn/costs.h"
#include "methods/nn/prompt_fit.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

struct CoopOptions : PromptOptions {};

/// Context optimisation: words before the class name are learnt.
class Coop final : public MethodWith<CoopOptions> {
 public:
  Coop(CoopOptions options, Problem problem)
      : MethodWith(std::move(options), std::move(problem)),
        fit_(this->options(), this->problem(), "coop") {}

  static MethodInfo Info();

  void Fit(FitContext& context) override {
    fit_.Fit(context, *this,
             [](const at::Tensor& classification, const TrainBatch&,
                const at::Tensor&) -> FitLoop::StepLoss {
               return {.loss = classification};
             });
  }
  at::Tensor Predict(const Batch& batch) const override {
    return fit_.Predict(batch);
  }
  ScoreScale scale() const override { return fit_.scale(); }
  void Save(StateWriter& out) const override { fit_.Save(out); }
  void Load(const StateReader& in) override { fit_.Load(in); }
  std::int64_t trained_parameters() const override {
    return fit_.trained_parameters();
  }

 private:
  PromptFit fit_;
};

MethodInfo Coop::Info() {
  return {
      .name = "coop",
      .version = 1,
      .summary = "Learnt context before the class names, DB loss or others",
      .family = "prompt",
      .cite =
          "Zhou, Yang, Loy, Liu, Learning to Prompt for Vision-Language "
          "Models, IJCV 2022; on COCO-LT and VOC-LT as in LMPT, ALVR 2024",
      .input = InputKind::kFeatures,
      .images_when = {{{"acceleration", false}},
                      {{"bn", std::string("train")}}},
      .needs = {.text = true,
                .test_feedback =
                    OptionMap{{"schedule", std::string("plateau-test")}}},
      .abilities = {.partial_labels = true,
                    .precisions = {"fp32", "bf16", "fp16", "fp16-state"}},
      .presets = {{.name = "repo",
                   .summary =
                       "As LMPT's release runs it: schedule by test scores, "
                       "scores in float16",
                   .options = {{"name_lens", std::string("repo")},
                               {"empty_class", std::string("reject")},
                               {"schedule", std::string("plateau-test")},
                               {"score", std::string("softmax-fp16")}},
                   .kind = Preset::Kind::kProfile},
                  {.name = "embedded",
                   .summary =
                       "Nano settings: AdamW 3e-3, cosine, 30 epochs, logit "
                       "score, offset",
                   .options = {{"optimiser", "adamw"},
                               {"lr", 3e-3},
                               {"weight_decay", 0.0},
                               {"schedule", "cosine"},
                               {"epochs", std::int64_t{30}},
                               {"db_gamma", 0.25},
                               {"logit_offset", "density"},
                               {"score", "logit"}}}},
      .cost = PromptFitCost()};
}

}  // namespace

void RegisterCoop(MethodRegistry& registry) { registry.Add<Coop>(); }

}  // namespace tailmark
