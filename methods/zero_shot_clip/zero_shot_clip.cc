#include <algorithm>

#include "harness/api/registry.h"
#include "harness/base/suggest.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

struct ZeroShotClipOptions {
  std::string templates = "single";
  std::string score = "softmax";

  static constexpr auto Fields() {
    using O = ZeroShotClipOptions;
    return std::tuple{
        Field{"templates", &O::templates,
              "single, ensemble-8, or texts with {} for the class name, "
              "separated by |"},
        Field{"score", &O::score,
              "softmax over the classes of logit scale times cosine; the "
              "cosine; or logit scale times cosine",
              OneOf{"softmax|cosine|logit"}},
    };
  }
};

const WordList kSingle = {"a photo of a {}."};
const WordList kEnsemble8 = {"a photo of a {}.",        "a picture of a {}.",
                             "an image of a {}.",       "a drawing of a {}.",
                             "a blurry photo of a {}.", "a dark photo of a {}.",
                             "a photo of a small {}.",  "a {}."};

/// The texts an option value stands for. Throws ConfigError.
WordList TemplatesOf(const std::string& value) {
  if (value == "single") return kSingle;
  if (value == "ensemble-8") return kEnsemble8;
  WordList texts;
  for (std::size_t from = 0; from <= value.size();) {
    const std::size_t bar = std::min(value.find('|', from), value.size());
    std::string text = value.substr(from, bar - from);
    text.erase(0, text.find_first_not_of(' '));
    text.erase(text.find_last_not_of(' ') + 1);
    from = bar + 1;
    if (text.find("{}") == std::string::npos) {
      const WordList names = {"single", "ensemble-8"};
      const std::string near = Nearest(value, names);
      throw ConfigError(
          StrCat("option 'templates' = '", value, "': '", text,
                 "' has no {} for the class name and is not single|ensemble-8",
                 near.empty() ? "" : "; did you mean '" + near + "'?"));
    }
    texts.push_back(std::move(text));
  }
  return texts;
}

/// `name` in place of every {}; underscores are how lists spell spaces.
std::string Filled(std::string text, std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  for (std::size_t at = text.find("{}"); at != std::string::npos;
       at = text.find("{}", at + name.size())) {
    text.replace(at, 2, name);
  }
  return text;
}

at::Tensor Unit(const at::Tensor& rows) {
  return rows / rows.norm(2, /*dim=*/-1, /*keepdim=*/true).clamp_min(1e-12);
}

/// CLIP's own classifier: the cosine of image and class text.
class ZeroShotClip final : public MethodWith<ZeroShotClipOptions> {
 public:
  ZeroShotClip(ZeroShotClipOptions options, Problem problem)
      : MethodWith(std::move(options), std::move(problem)),
        templates_(TemplatesOf(this->options().templates)) {}

  static MethodInfo Info() {
    return {
        .name = "zero_shot_clip",
        .version = 1,
        .summary = "Cosine between image and class name, nothing trained",
        .family = "zero-shot",
        .cite =
            "Radford et al., Learning Transferable Visual Models From "
            "Natural Language Supervision, ICML 2021",
        .input = InputKind::kFeatures,
        .needs = {.text = true},
        .abilities = {.trains = false,
                      .stochastic = false,
                      .partial_labels = true},
        .presets = {
            {.name = "embedded",
             .summary = "One template, softmax over the classes",
             .options = {{"templates", "single"}, {"score", "softmax"}}},
            {.name = "embedded-ensemble",
             .summary = "Eight templates, softmax over the classes",
             .options = {{"templates", "ensemble-8"}, {"score", "softmax"}}},
        }};
  }

  void Fit(FitContext& context) override {
    const torch::NoGradGuard no_grad;
    Encoder& encoder = *problem().encoder;
    at::Tensor sum;
    for (const std::string& text : templates_) {
      std::vector<std::string> texts;
      for (const std::string& name : problem().class_names) {
        texts.push_back(Filled(text, name));
      }
      const auto one = Unit(encoder.EncodeText(encoder.Tokenize(texts)));
      sum = sum.defined() ? sum + one : one;
    }
    text_ = Unit(sum).to(torch::kFloat);
    context.observer.OnEpochEnd(*this, {.epoch = 1, .epochs = 1});
  }

  at::Tensor Predict(const Batch& batch) const override {
    const torch::NoGradGuard no_grad;
    const auto cosine = at::matmul(Unit(batch.inputs), text_.t());
    if (options().score == "cosine") return cosine;
    const auto logits = cosine * problem().encoder->logit_scale();
    return options().score == "softmax" ? logits.softmax(1) : logits;
  }
  ScoreScale scale() const override {
    if (options().score == "cosine") return ScoreScale::kCosine;
    return options().score == "softmax" ? ScoreScale::kProbability
                                        : ScoreScale::kLogit;
  }

  void Save(StateWriter& out) const override { out.Put("text", text_); }
  void Load(const StateReader& in) override {
    text_ = in.Get("text").to(problem().device);
  }

 private:
  WordList templates_;
  at::Tensor text_;  // [C, D], unit rows
};

}  // namespace

void RegisterZeroShotClip(MethodRegistry& registry) {
  registry.Add<ZeroShotClip>();
}

}  // namespace tailmark
