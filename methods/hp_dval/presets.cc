#include "methods/hp_dval/hp_dval.h"

namespace tailmark {
namespace {

using Kind = Preset::Kind;

OptionMap With(OptionMap base, const OptionMap& more) {
  for (const auto& [name, value] : more) base[name] = value;
  return base;
}

std::int64_t Whole(std::int64_t value) { return value; }
std::string Word(const char* value) { return value; }

/// The paper to the letter; what it leaves open keeps its default.
OptionMap Paper() {
  return {{"student_init", Word("imagenet1k")},
          {"embedding", Word("two-linear")},
          {"score_norm", Word("cosine")},
          {"alpha_on", Word("global")},
          {"rebalance", Word("all-classes")},
          {"stage1_positive", Word("frequency")},
          {"stage2_positive", Word("frequency")},
          {"focal", Word("none")},
          {"teacher", Word("separate")},
          {"prompt_init", Word("normal")},
          {"consistency_on", Word("global")},
          {"stage1_epochs", Whole(20)},
          {"stage2_epochs", Whole(10)},
          {"batch_size", Whole(32)},
          {"stage1_lr", 1e-5},
          {"stage2_lr", 5e-6},
          {"text_encoder", Word("frozen")}};
}

/// The release, defects included.
OptionMap Repo() {
  return {{"student_init", Word("clip")},
          {"embedding", Word("clip-proj")},
          {"score_norm", Word("l2-classes")},
          {"alpha_on", Word("local")},
          {"rebalance", Word("positives")},
          {"stage1_positive", Word("const")},
          {"stage2_positive", Word("none")},
          {"focal", Word("batch")},
          {"teacher", Word("shared")},
          {"prompt_init", Word("photo")},
          {"consistency_on", Word("local")},
          {"stage1_epochs", Whole(79)},
          {"stage2_epochs", Whole(49)},
          {"batch_size", Whole(16)},
          {"stage1_lr", 1e-5},
          {"stage2_lr", 1e-5},
          {"input_norm", Word("none")},
          {"ema_decay", 0.998},
          {"schedule", Word("one-cycle")},
          {"horizon", Whole(80)},
          {"text_encoder", Word("trained")},
          {"stage2_from", Word("clip")}};
}

OptionMap VocLt() {
  return {{"pos_scale", 10.0}, {"db_gamma", 0.3}, {"db_neg_scale", 5.0}};
}

/// The release's training on base classes (few-shot protocols).
OptionMap FewShotBase() {
  return {{"stage", Word("1")},
          {"loss", Word("asl-sum")},
          {"kd_weight", 0.0},
          {"alpha", 0.5},
          {"top_k", Whole(16)},
          {"stage1_epochs", Whole(18)},
          {"batch_size", Whole(32)},
          {"horizon", Whole(80)},
          {"beta2", 0.999},
          {"decay_on", Word("matrices")},
          {"student_init", Word("clip")},
          {"augment", Word("cutout-randaugment")}};
}

/// The release's training on the support images of one episode. It loads no
/// base weights; profile paper-few-shot does.
OptionMap FewShotEpisode() {
  return With(FewShotBase(), {{"stage1_epochs", Whole(81)},
                              {"batch_size", Whole(64)},
                              {"horizon", Whole(150)},
                              {"beta2", 0.9},
                              {"decay_on", Word("all")},
                              {"augment", Word("randaugment")}});
}

/// Stage 1 for nano-CLIP and the embedded scenes.
OptionMap Embedded() {
  return {{"stage", Word("1")},
          {"top_k", Whole(6)},
          {"stage1_positive", Word("const")},
          {"kd_weight", 0.02},
          {"stage1_epochs", Whole(8)},
          {"stage1_lr", 1e-3},
          {"horizon", Whole(0)},
          {"ema_decay", 0.9961},
          {"augment", Word("flip")}};
}

/// Episodes of five pictures or more: a step an epoch, no step size for long
/// runs.
OptionMap EmbeddedFewShot() {
  return With(Embedded(), {{"loss", Word("asl-sum")},
                           {"kd_weight", 0.0},
                           {"stage1_epochs", Whole(12)},
                           {"stage1_lr", 1e-4},
                           {"ema_decay", 0.8},
                           {"base_epochs", Whole(3)},
                           {"base_horizon", Whole(0)},
                           {"base_augment", Word("flip")}});
}

OptionMap EmbeddedPrompts() {
  return {{"stage2_positive", Word("const")},
          {"prompt_init", Word("photo")},
          {"stage2_epochs", Whole(5)},
          {"stage2_lr", 2e-5}};
}

}  // namespace

std::vector<Preset> HpDvalPresets() {
  const OptionMap second = With(Embedded(), EmbeddedPrompts());
  return {
      {.name = "paper",
       .summary = "The paper to the letter, COCO-LT",
       .options = Paper(),
       .kind = Kind::kProfile},
      {.name = "repo",
       .summary = "The released code, defects included, COCO-LT",
       .options = Repo(),
       .kind = Kind::kProfile},
      {.name = "paper-voc-lt",
       .summary = "The paper to the letter, constants of VOC-LT",
       .options = With(Paper(), VocLt()),
       .kind = Kind::kProfile},
      {.name = "repo-voc-lt",
       .summary = "The released code, constants of VOC-LT",
       .options = With(Repo(), VocLt()),
       .kind = Kind::kProfile},
      {.name = "few-shot-base",
       .summary = "Training on base classes, as released: ASL, no distillation",
       .options = FewShotBase()},
      {.name = "paper-few-shot",
       .summary =
           "Episodes from the averaged weights of a fit to the base classes",
       .options = With(FewShotEpisode(), {{"student_init", Word("base-run")}}),
       .kind = Kind::kProfile},
      {.name = "repo-few-shot",
       .summary = "An episode as released: base weights never loaded, pixels "
                  "in [0, 1]",
       .options = With(FewShotEpisode(), {{"alpha_on", Word("local")},
                                          {"input_norm", Word("none")}}),
       .kind = Kind::kProfile},
      {.name = "voc-lt",
       .summary = "The defaults with the loss constants of VOC-LT",
       .options = VocLt()},
      {.name = "embedded",
       .summary = "Stage 1 with nano-CLIP on the embedded scenes",
       .options = Embedded()},
      {.name = "embedded-few-shot",
       .summary = "Episodes of the embedded scenes, from CLIP",
       .options = EmbeddedFewShot()},
      {.name = "embedded-stage2",
       .summary = "Stage 2 on top of it",
       .options = With(second, {{"stage", Word("2")}})},
      {.name = "embedded-joint",
       .summary = "Both stages at once, on the embedded scenes",
       .options = With(second, {{"stage", Word("joint")}})},
  };
}

MethodInfo HpDval::Info() {
  return {
      .name = "hp_dval",
      .version = 1,
      .summary =
          "Dual-view alignment of a fine-tuned CLIP tower, then two prompts",
      .family = "hpdval",
      .cite =
          "Huang, Yan, Liu, Liu, Hong, Dual-View Alignment Learning with "
          "Hierarchical-Prompt for Class-Imbalance Multi-Label Image "
          "Classification, IEEE TIP 34, 2025",
      .input = InputKind::kImages,
      .needs = {.text = true,
                .base_fit = OptionMap{{"student_init", Word("base-run")}}},
      .abilities = {.partial_labels = true, .precisions = {"fp32", "bf16"}},
      .presets = HpDvalPresets(),
      .depends = {{.role = "stage1",
                   .when = {{"stage", Word("2")},
                            {"stage2_from", Word("stage1-ema")}},
                   .set = {{"stage", Word("1")}},
                   .forget = {"stage2_from", "stage2_positive", "stage2_epochs",
                              "stage2_lr", "prompt_init", "context_tokens",
                              "consistency_on", "consistency_weight"},
                   .scores = true}},
      .deviations = HpDvalDeviations(),
      .cost = HpDvalCost(),
  };
}

}  // namespace tailmark
