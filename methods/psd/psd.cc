#include <cmath>
#include <numeric>
#include <optional>
#include <utility>

#include "harness/api/registry.h"
#include "harness/base/error.h"
#include "methods/losses/asymmetric.h"
#include "methods/losses/named.h"
#include "methods/nn/fit_loop.h"
#include "methods/nn/label_partition.h"
#include "methods/psd/distillation.h"
#include "methods/psd/teacher_bank.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

constexpr double kEmaLeft = 0.82;  // Of the start, after an epoch.

/// Partition-based self-distillation: teachers of parts of the classes, and a
/// student of all of them.
class Psd final : public MethodWith<PsdOptions> {
 public:
  using MethodWith::MethodWith;

  static MethodInfo Info();

  void Fit(FitContext& context) override;
  at::Tensor Predict(const Batch& batch) const override;
  ScoreScale scale() const override { return ScoreScale::kLogit; }
  void Save(StateWriter& out) const override;
  void Load(const StateReader& in) override;
  std::int64_t trained_parameters() const override {
    return loop_ ? loop_->numbers() : 0;
  }

 private:
  bool Ensemble() const { return options().output != "student"; }
  std::vector<std::int64_t> Classes(const TrainSource& train) const;
  FitPlan Plan(double ema) const;
  double EmaDecay(std::int64_t samples) const;
  void Begin(std::vector<std::int64_t> classes, std::uint64_t seed, double ema);
  void OpenBanks(const FitContext& context);
  ClassificationLoss LabelLoss(std::int64_t images) const;
  FitLoop::StepLoss Step(const TrainBatch& batch,
                         std::span<const at::Tensor> values,
                         const ClassificationLoss& label_loss) const;
  void AddDistillation(FitLoop::StepLoss& step, const at::Tensor& logits,
                       const at::Tensor& prepared) const;
  void TakeAverages();
  at::Tensor Scattered(const at::Tensor& logits) const;

  std::vector<std::int64_t> classes_;
  double ema_ = 0;
  std::optional<PsdModel> model_;   // Being trained.
  std::optional<PsdModel> scorer_;  // What Predict() uses.
  std::optional<FitLoop> loop_;
  std::optional<TeacherBank> together_, apart_, self_;
  bool begun_ = false;
};

std::vector<std::int64_t> Psd::Classes(const TrainSource& train) const {
  const auto& o = options();
  std::vector<std::int64_t> all(problem().class_names.size());
  std::iota(all.begin(), all.end(), std::int64_t{0});
  if (o.branch == "all") return all;
  const Partition partition =
      PartitionOfLabels(train, problem().class_names,
                        o.Of(GraphKindByName(o.branch), o.merge_below));
  if (o.part >= partition.num_parts()) return {};  // Merged away.
  return partition.parts[static_cast<std::size_t>(o.part)];
}

FitPlan Psd::Plan(double ema) const {
  const auto& o = options();
  const double factor = o.teachers == "none" ? 1.0 : o.student_lr_factor;
  return {.epochs = o.epochs,
          .batch_size = o.batch_size,
          .augment = o.augment,
          .optimiser = o.optimiser,
          .lr = o.head_lr * factor,
          .schedule = "one-cycle",
          .warm_up = o.warm_up,
          .ema = ema};
}

double Psd::EmaDecay(std::int64_t samples) const {
  if (options().weights_used == "raw") return 0;
  if (options().ema_decay > 0) return options().ema_decay;
  const auto steps = FitLoop::StepsOf(Plan(0), samples);
  return std::pow(kEmaLeft, 1.0 / static_cast<double>(steps));
}

void Psd::Begin(std::vector<std::int64_t> classes, std::uint64_t seed,
                double ema) {
  const auto& o = options();
  begun_ = true;
  classes_ = std::move(classes);
  ema_ = ema;
  if (classes_.empty() || Ensemble()) return;
  model_.emplace(o, problem(), classes_, seed);
  loop_.emplace(Plan(ema), problem());
  for (const PsdModel::Slot& slot : model_->slots()) {
    loop_->Add(slot.name, slot.value, slot.value.dim() > 1 ? o.weight_decay : 0,
               slot.tower ? o.lr / o.head_lr : 1.0);
  }
}

void Psd::OpenBanks(const FitContext& context) {
  const auto& o = options();
  const auto open = [&](std::optional<TeacherBank>& bank,
                        const std::string& role) {
    if (!bank) bank.emplace(context, role, o, problem());
  };
  if (o.teachers == "both" || o.teachers == "together") {
    open(together_, "together");
  }
  if (o.teachers == "both" || o.teachers == "apart") open(apart_, "apart");
  if (o.teachers == "self") open(self_, "self");
  const bool there = o.output == "student" ||
                     (o.output == "together" && together_) ||
                     (o.output == "apart" && apart_) ||
                     (o.output == "mean" && together_ && apart_);
  if (!there) {
    throw ConfigError(StrCat("output=", o.output,
                             " needs teachers that teachers=", o.teachers,
                             " does not train"));
  }
}

// Of logits [B, n] and labels [B, C] of all classes. DB weighs an image by all
// its labels, also where only a part of the classes is trained: the others get
// logits that nothing can change.
ClassificationLoss Psd::LabelLoss(std::int64_t images) const {
  const auto& o = options();
  const auto index = at::tensor(classes_, at::kLong).to(problem().device);
  if (o.loss == "asl") {
    return [index](const at::Tensor& logits, const at::Tensor& labels,
                   const at::Tensor& known) {
      const auto mine = [&](const at::Tensor& all) {
        return all.defined() ? all.index_select(1, index) : all;
      };
      return AsymmetricLoss({.reduction = AslReduction::kSum}, logits,
                            mine(labels), mine(known));
    };
  }
  const auto db = MakeLoss("db",
                           {.gamma = o.db_gamma,
                            .neg_scale = o.db_neg_scale,
                            .init_bias = o.db_init_bias},
                           problem().train_counts, images, problem().device);
  return [index, db](const at::Tensor& logits, const at::Tensor& labels,
                     const at::Tensor& known) {
    const auto all =
        at::zeros_like(labels, logits.options()).index_copy(1, index, logits);
    const auto cells =
        known.defined() ? known.sum().to(logits.scalar_type())
                        : at::scalar_tensor(labels.numel(), logits.options());
    return db(all, labels, known) * cells;
  };
}

void Psd::AddDistillation(FitLoop::StepLoss& step, const at::Tensor& logits,
                          const at::Tensor& prepared) const {
  const auto& o = options();
  const KdOptions kd{
      .kind = o.kd == "mse" ? KdKind::kSquared : KdKind::kDivergence,
      .divisor = o.kd_divisor,
      .temperature = o.kd_temperature};
  const double alpha = o.teachers == "together" ? 1.0
                       : o.teachers == "apart"  ? 0.0
                                                : o.alpha;
  const PsdWeights weights =
      WeightsOf(o.classification_weight, alpha, o.round_weights);
  step.parts["labels"] = step.loss;
  step.loss = step.loss * weights.classification;
  const auto add = [&](const std::optional<TeacherBank>& bank, double weight,
                       const char* name) {
    if (!bank || weight == 0) return;
    const auto term = KdTerm(kd, logits, Widened(bank->Logits(prepared)));
    step.parts[name] = term;
    step.loss = step.loss + weight * term;
  };
  add(together_, weights.together, "together");
  add(apart_, weights.apart, "apart");
  add(self_, 1.0 - weights.classification, "self");
}

FitLoop::StepLoss Psd::Step(const TrainBatch& batch,
                            std::span<const at::Tensor> values,
                            const ClassificationLoss& label_loss) const {
  const auto prepared = model_->Prepared(batch.inputs);
  const auto logits = Widened(model_->Logits(prepared, values));
  FitLoop::StepLoss step{.loss = label_loss(logits, batch.labels, batch.known),
                         .parts = {}};
  if (options().teachers != "none") AddDistillation(step, logits, prepared);
  if (options().reduction == "batch") {
    step.loss = step.loss / static_cast<double>(batch.labels.size(0));
  }
  return step;
}

// Predict() must not see a step that is not finished, and a trained tower holds
// its own values: a second model has the averages.
void Psd::TakeAverages() {
  if (!loop_) return;
  if (!scorer_) scorer_.emplace(options(), problem(), classes_, 0);
  scorer_->Assign(loop_->Averages());
}

void Psd::Fit(FitContext& context) {
  OpenBanks(context);
  if (!begun_) {
    Begin(Classes(context.train), context.seed,
          EmaDecay(context.train.num_samples()));
  }
  if (!loop_) return;
  const auto label_loss = LabelLoss(context.train.num_samples());
  loop_->Run(
      context, *this,
      [&](const TrainBatch& batch, std::span<const at::Tensor> values) {
        return Step(batch, values, label_loss);
      },
      [this] { TakeAverages(); });
}

at::Tensor Psd::Scattered(const at::Tensor& logits) const {
  if (logits.size(1) == problem().num_classes()) return logits;
  auto all =
      at::zeros({logits.size(0), problem().num_classes()}, logits.options());
  all.index_copy_(1, at::tensor(classes_, at::kLong).to(logits.device()),
                  logits);
  return all;
}

at::Tensor Psd::Predict(const Batch& batch) const {
  const at::NoGradGuard no_grad;
  const auto& o = options();
  if (!Ensemble()) {
    return Scattered(scorer_->Logits(scorer_->Prepared(batch.inputs)));
  }
  const PsdTraining& training = o;
  const auto prepared =
      training.variant == "finetune" || training.variant == "adapter"
          ? batch.inputs
          : problem().encoder->EncodeImages(batch.inputs);
  if (o.output == "together") return together_->Logits(prepared);
  if (o.output == "apart") return apart_->Logits(prepared);
  return (together_->Logits(prepared) + apart_->Logits(prepared)) / 2;
}

void Psd::Save(StateWriter& out) const {
  out.Put("ema_decay", at::scalar_tensor(ema_, at::kDouble));
  out.Put("classes", at::tensor(classes_, at::kLong));
  if (Ensemble()) {
    if (together_) together_->Save(out, "together/");
    if (apart_) apart_->Save(out, "apart/");
    return;
  }
  if (loop_) loop_->Save(out);
  SaveTeacher(out, "teacher/", classes_,
              loop_ ? loop_->Averages() : std::vector<at::Tensor>{});
}

void Psd::Load(const StateReader& in) {
  const auto classes = in.Get("classes").to(at::kCPU, at::kLong);
  const auto* begin = classes.data_ptr<std::int64_t>();
  Begin({begin, begin + classes.numel()}, 0,
        in.Get("ema_decay").item<double>());
  if (Ensemble()) {
    const auto& o = options();
    if (o.output != "apart") together_.emplace(in, "together/", o, problem());
    if (o.output != "together") apart_.emplace(in, "apart/", o, problem());
    return;
  }
  if (!loop_) return;
  loop_->Load(in);
  TakeAverages();
}

/// Teachers of one graph. What only the student has, and what is the other
/// graph's, is put back to its default, so that runs share teachers.
Dependency TeachersOf(const std::string& graph, const std::string& when) {
  Dependency out{
      .role = graph,
      .when = {{"teachers", when}},
      .set = {{"teachers", std::string("none")}, {"branch", graph}},
      .forget = {"output", "alpha", "classification_weight", "round_weights",
                 "kd", "kd_divisor", "kd_temperature", "student_lr_factor"},
      .repeat = "parts",
      .index = "part"};
  if (graph == "together") {
    out.forget.insert(out.forget.end(), {"apart_exponent", "given_apart"});
  } else {
    out.forget.insert(out.forget.end(), {"exponent", "given_together"});
  }
  return out;
}

/// The one teacher of self-distillation: the control without teachers.
Dependency OneTeacher() {
  Dependency out{.role = "self",
                 .when = {{"teachers", std::string("self")}},
                 .set = {{"teachers", std::string("none")},
                         {"branch", std::string("all")}},
                 .forget = {},
                 .repeat = "",
                 .index = ""};
  out.forget = TeachersOf("together", "both").forget;
  for (const char* name :
       {"partition", "parts", "exponent", "smooth", "keep", "restarts",
        "partition_seed", "given_together", "merge_below"}) {
    out.forget.emplace_back(name);
  }
  return out;
}

const OptionMap kNano = {{"reduction", std::string("batch")},
                         {"lr", 1e-3},
                         {"head_lr", 3e-3},
                         {"epochs", std::int64_t{5}},
                         {"ema_decay", 0.96},
                         {"augment", std::string("flip")}};

OptionMap With(OptionMap options, const OptionMap& more) {
  for (const auto& [name, value] : more) options[name] = value;
  return options;
}

std::vector<Preset> Presets() {
  const OptionMap two = With(kNano, {{"parts", std::int64_t{2}}});
  return {
      {.name = "embedded",
       .summary = "Nano settings: two parts a graph, 5 epochs",
       .options = two},
      {.name = "embedded-control",
       .summary = "The same fine-tuning without teachers (K = 1)",
       .options = With(kNano, {{"teachers", std::string("none")}})},
      {.name = "embedded-few-shot",
       .summary = "A shared context for episodes of a handful of pictures",
       .options = With(two, {{"variant", std::string("prompt")},
                             {"parts", std::int64_t{2}},
                             {"merge_below", std::int64_t{0}},
                             {"kd_divisor", 10.0},
                             {"head_lr", 1e-3},
                             {"epochs", std::int64_t{12}},
                             {"ema_decay", 0.8}})},
      {.name = "few-shot",
       .summary = "Preset prompt for episodes: two parts, never merged",
       .options = {{"variant", std::string("prompt")},
                   {"optimiser", std::string("sgd")},
                   {"head_lr", 5e-4},
                   {"kd_divisor", 10.0},
                   {"parts", std::int64_t{2}},
                   {"merge_below", std::int64_t{0}}}},
      {.name = "embedded-contexts",
       .summary = "Parts are the four contexts the scenes were drawn in",
       .options = With(
           kNano, {{"partition", std::string("given")},
                   {"parts", std::int64_t{4}},
                   {"teachers", std::string("together")},
                   {"given_together",
                    WordList{"mug;bottle;spoon;orange;plate;croissant",
                             "person;car;street lamp;umbrella;shopping basket;"
                             "van;tyre",
                             "boat;fish;buoy;shell;yacht;starfish",
                             "flower;ball;mushroom;bird;scarecrow"}}})},
      {.name = "voc-lt",
       .summary = "Three parts a graph, DB constants of VOC-LT",
       .options = {{"parts", std::int64_t{3}},
                   {"db_gamma", 0.3},
                   {"db_neg_scale", 5.0}}},
      {.name = "prompt",
       .summary = "A shared context of 16 tokens, logits over 10 compared",
       .options = {{"variant", std::string("prompt")},
                   {"optimiser", std::string("sgd")},
                   {"head_lr", 5e-4},
                   {"kd_divisor", 10.0}}},
      {.name = "paper",
       .summary = "Parts never merged; the rest as our defaults",
       .options = {{"merge_below", std::int64_t{0}}},
       .kind = Preset::Kind::kProfile},
      {.name = "repo",
       .summary =
           "The release's step sizes, batch, average, parts and rounding",
       .options = {{"merge_below", std::int64_t{0}},
                   {"keep", std::string("ch")},
                   {"restarts", std::int64_t{4}},
                   {"lr", 1e-4},
                   {"head_lr", 1e-4},
                   {"student_lr_factor", 0.1},
                   {"batch_size", std::int64_t{24}},
                   {"ema_decay", 0.9997},
                   {"augment", std::string("cutout-randaugment")},
                   {"round_weights", true},
                   {"head_init", std::string("zeros")},
                   {"head_bias", 0.0},
                   {"unit_feature", false}},
       .kind = Preset::Kind::kProfile},
  };
}

MethodInfo Psd::Info() {
  return {
      .name = "psd",
      .version = 1,
      .summary = "A student of teachers that each know a part of the classes",
      .family = "distillation",
      .cite =
          "Xu et al., PSD, arXiv 2205.10986, and its release CPSD; here on "
          "CLIP and long-tailed data (our re-implementation)",
      .input = InputKind::kImages,
      .needs = {.text = true},
      .abilities = {.partial_labels = true, .precisions = {"fp32", "bf16"}},
      .presets = Presets(),
      .depends = {TeachersOf("together", "both"), TeachersOf("apart", "both"),
                  TeachersOf("together", "together"),
                  TeachersOf("apart", "apart"), OneTeacher()},
      .deviations = PsdDeviations(),
      .cost = PsdCost()};
}

}  // namespace

void RegisterPsd(MethodRegistry& registry) { registry.Add<Psd>(); }

}  // namespace tailmark
