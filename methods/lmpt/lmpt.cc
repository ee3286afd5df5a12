#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "harness/api/registry.h"
#include "methods/losses/class_semantic.h"
#include "methods/nn/costs.h"
#include "methods/nn/prompt_fit.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

struct CaptionOptions {
  std::string cse = "intended_mean";
  double cls_share = 0.5;
  std::int64_t m_ctx = 2;
  double cse_margin = 0.2;
  std::int64_t caption_letters = 75;

  static constexpr auto Fields() {
    using O = CaptionOptions;
    return std::tuple{
        Field{"cse", &O::cse,
              "Reading of the loss between captions and prompts; see "
              "methods/losses/class_semantic.h",
              OneOf{kCseNames}},
        Field{"cls_share", &O::cls_share,
              "Weight of the classification loss; the caption loss has the "
              "rest",
              Fraction()},
        Field{"m_ctx", &O::m_ctx,
              "A caption's position l meets a prompt's l + m_ctx",
              Between(0, 32)},
        Field{"cse_margin", &O::cse_margin,
              "Margin of a class with one positive", NonNegative()},
        Field{"caption_letters", &O::caption_letters,
              "Captions are cut behind so many bytes", Between(1, 10'000)},
    };
  }
};

struct LmptOptions : PromptOptions, CaptionOptions {
  static constexpr auto Fields() {
    return std::tuple_cat(PromptOptions::Fields(), CaptionOptions::Fields());
  }
};

/// `text` with single blanks, cut behind `letters` bytes but not inside a
/// character of UTF-8.
std::string CutCaption(const std::string& text, std::size_t letters) {
  std::string out;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!blank) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  if (out.size() > letters) {
    while (letters > 0 &&
           (static_cast<unsigned char>(out[letters]) & 0xC0U) == 0x80U) {
      --letters;
    }
    out.resize(letters);
  }
  return out;
}

/// Class prompts trained with a DB loss and, by way of captions, a loss between
/// word embeddings.
class Lmpt final : public MethodWith<LmptOptions> {
 public:
  Lmpt(LmptOptions options, Problem problem)
      : MethodWith(std::move(options), std::move(problem)),
        fit_(this->options(), this->problem(), "lmpt") {}

  static MethodInfo Info();

  void Fit(FitContext& context) override;
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
  at::Tensor TokenizeCaptions(const std::vector<std::string>& captions) const;

  PromptFit fit_;
};

at::Tensor Lmpt::TokenizeCaptions(
    const std::vector<std::string>& captions) const {
  std::vector<std::string> cut;
  for (const std::string& each : captions) {
    cut.push_back(
        CutCaption(each, static_cast<std::size_t>(options().caption_letters)));
  }
  return problem().encoder->Tokenize(cut, /*truncate=*/true);
}

void Lmpt::Fit(FitContext& context) {
  const CseVariant variant = CseNamed(options().cse);
  if (variant == CseVariant::kOff) {
    fit_.Fit(context, *this,
             [](const at::Tensor& classification, const TrainBatch&,
                const at::Tensor&) -> FitLoop::StepLoss {
               return {.loss = classification};
             });
    return;
  }
  const CseLoss cse({.variant = variant,
                     .offset = options().m_ctx,
                     .margin = options().cse_margin},
                    PositivesOf(context.train), problem().device);
  const auto tokens = TokenizeCaptions(context.train.captions());
  const double share = options().cls_share;
  fit_.Fit(
      context, *this,
      [&](const at::Tensor& classification, const TrainBatch& batch,
          const at::Tensor& prompts) -> FitLoop::StepLoss {
        // Raw word embeddings: captions never pass the text encoder.
        const auto captions = problem().encoder->EmbedTokens(
            tokens.index_select(0, batch.rows.to(tokens.device())));
        const auto caption_loss = cse(Widened(cse.Distances(captions, prompts)),
                                      batch.labels, batch.known);
        return {.loss = share * classification + (1 - share) * caption_loss,
                .parts = {{"loss_cls", classification},
                          {"loss_cse", caption_loss}}};
      });
}

MethodInfo Lmpt::Info() {
  return {
      .name = "lmpt",
      .version = 1,
      .summary =
          "Class prompts trained with DB and caption loss (a "
          "reconstruction: the release cannot run)",
      .family = "prompt",
      .cite =
          "Xia et al., LMPT: Prompt Tuning with Class-Specific Embedding Loss "
          "for Long-Tailed Multi-Label Visual Recognition, ALVR 2024",
      .input = InputKind::kFeatures,
      .images_when = {{{"acceleration", false}},
                      {{"bn", std::string("train")}}},
      .needs = {.text = true,
                .captions = true,
                .captions_unless = OptionMap{{"cse", std::string("off")}},
                .test_feedback =
                    OptionMap{{"schedule", std::string("plateau-test")}}},
      .abilities = {.partial_labels = true,
                    .precisions = {"fp32", "bf16", "fp16", "fp16-state"}},
      .presets =
          {{.name = "paper",
            .summary = "As described: captions draw present classes, DB loss "
                       "with elementwise focal",
            .options = {{"loss", "db"}, {"cse", "intended_mean"}},
            .kind = Preset::Kind::kProfile},
           {.name = "repo",
            .summary = "As released, where that can run: sign and scalar focal "
                       "as there, schedule by test scores",
            .options = {{"loss", "db-batch"},
                        {"cse", "repo_repaired"},
                        {"name_lens", "repo"},
                        {"empty_class", "reject"},
                        {"schedule", "plateau-test"},
                        {"score", "softmax-fp16"}},
            .kind = Preset::Kind::kProfile},
           {.name = "embedded",
            .summary = "Nano settings: AdamW 3e-3, cosine, 30 epochs, logit "
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

void RegisterLmpt(MethodRegistry& registry) { registry.Add<Lmpt>(); }

}  // namespace tailmark
