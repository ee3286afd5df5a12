#include "harness/api/registry.h"
#include "methods/nn/costs.h"
#include "methods/torch_pch.h"
#include "methods/zero_shot_clip/templates.h"

namespace tailmark {
namespace {

struct ZeroShotClipOptions {
  std::string templates = "single";
  std::string class_names = "space";
  std::string score = "softmax";
  double scale = 0;

  static constexpr auto Fields() {
    using O = ZeroShotClipOptions;
    return std::tuple{
        Field{"templates", &O::templates,
              "single (\"a photo of a {}.\"), plain (without the full stop), "
              "ensemble-8, imagenet-80, lmpt-concat (the 80 as one text, cut "
              "after 76 characters), or texts with {} for the class name, "
              "separated by |"},
        Field{"class_names", &O::class_names,
              "how a name of several words is written; first-word drops the "
              "others",
              OneOf{"space|underscore|first-word"}},
        Field{"score", &O::score,
              "softmax over the classes of scale times cosine, in float32 or "
              "as released in float16; the cosine; or scale times cosine",
              OneOf{"softmax|softmax-fp16|cosine|logit"}},
        Field{"scale", &O::scale,
              "what the cosine is multiplied by; 0: the encoder's own",
              NonNegative()},
    };
  }
};

at::Tensor Unit(const at::Tensor& rows) {
  return rows / rows.norm(2, /*dim=*/-1, /*keepdim=*/true).clamp_min(1e-12);
}

/// Each class's texts once; of a template about ten tokens.
Cost ZeroShotCost() {
  Cost cost{.shared = FrozenTestFeatures()};
  const auto texts = [&](double tokens, const OptionMap& when) {
    cost.work.push_back({.unit = CostUnit::kTextToken,
                         .amount = tokens,
                         .times = {"classes"},
                         .when = when});
  };
  texts(10, {});
  texts(70, {{"templates", std::string("ensemble-8")}});
  texts(790, {{"templates", std::string("imagenet-80")}});
  texts(67, {{"templates", std::string("lmpt-concat")}});  // As long as can be.
  return cost;
}

/// CLIP's own classifier: the cosine of image and class text.
class ZeroShotClip final : public MethodWith<ZeroShotClipOptions> {
 public:
  ZeroShotClip(ZeroShotClipOptions options, Problem problem)
      : MethodWith(std::move(options), std::move(problem)),
        variant_(TextVariantOf(this->options().templates)) {}

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
        .presets =
            {
                {.name = "embedded",
                 .summary = "One template, softmax over the classes",
                 .options = {{"templates", "single"}, {"score", "softmax"}}},
                {.name = "embedded-ensemble",
                 .summary = "Eight templates, softmax over the classes",
                 .options = {{"templates", "ensemble-8"},
                             {"score", "softmax"}}},
                {.name = "lmpt",
                 .summary =
                     "As LMPT's zero-shot script: 80 templates as one cut "
                     "text, names cut at the first blank, 100 x cosine, "
                     "softmax in float16",
                 .options = {{"templates", "lmpt-concat"},
                             {"class_names", "first-word"},
                             {"score", "softmax-fp16"},
                             {"scale", 100.0}}},
                {.name = "hpdval",
                 .summary = "As HP-DVAL's own zero-shot run: one template, no "
                            "softmax",
                 .options = {{"templates", "single"}, {"score", "logit"}}},
                {.name = "clip",
                 .summary = "As CLIP's authors on ImageNet: the mean of 80 "
                            "templates",
                 .options = {{"templates", "imagenet-80"}, {"score", "logit"}}},
            },
        .cost = ZeroShotCost()};
  }

  void Fit(FitContext& context) override {
    const at::NoGradGuard no_grad;
    Encoder& encoder = *problem().encoder;
    // Class by class the same number of texts, in the order of the templates.
    std::vector<std::vector<std::string>> by_class;
    for (const std::string& name : problem().class_names) {
      by_class.push_back(
          TextsOf(variant_, name, NameStyleOf(options().class_names)));
    }
    at::Tensor sum;
    for (std::size_t i = 0; i < by_class.at(0).size(); ++i) {
      std::vector<std::string> texts;
      for (const auto& each : by_class) texts.push_back(each[i]);
      const auto ids = encoder.Tokenize(texts, /*truncate=*/variant_.cut > 0);
      const auto one = Unit(encoder.EncodeText(ids));
      sum = sum.defined() ? sum + one : one;
    }
    text_ = Unit(sum).to(torch::kFloat);
    context.observer.OnEpochEnd(*this, {.epoch = 1, .epochs = 1});
  }

  at::Tensor Predict(const Batch& batch) const override {
    const at::NoGradGuard no_grad;
    const double scale = options().scale > 0 ? options().scale
                                             : problem().encoder->logit_scale();
    if (options().score == "softmax-fp16") return HalfSoftmax(batch, scale);
    const auto cosine = at::matmul(Unit(batch.inputs), text_.t());
    if (options().score == "cosine") return cosine;
    const auto logits = cosine * scale;
    return options().score == "softmax" ? logits.softmax(1) : logits;
  }
  ScoreScale scale() const override {
    if (options().score == "cosine") return ScoreScale::kCosine;
    return options().score == "logit" ? ScoreScale::kLogit
                                      : ScoreScale::kProbability;
  }

  void Save(StateWriter& out) const override { out.Put("text", text_); }
  void Load(const StateReader& in) override {
    text_ = in.Get("text").to(problem().device);
  }

 private:
  /// Every intermediate value rounded to half precision, in the order of the
  /// released script: 100 * image @ text.T.
  at::Tensor HalfSoftmax(const Batch& batch, double scale) const {
    const auto half_unit = [](const at::Tensor& rows) {
      const auto half = rows.to(at::kHalf);
      return half / half.norm(2, /*dim=*/-1, /*keepdim=*/true);
    };
    return at::matmul(half_unit(batch.inputs) * scale, half_unit(text_).t())
        .softmax(1);
  }

  TextVariant variant_;
  at::Tensor text_;  // [C, D], unit rows
};

}  // namespace

void RegisterZeroShotClip(MethodRegistry& registry) {
  registry.Add<ZeroShotClip>();
}

}  // namespace tailmark
