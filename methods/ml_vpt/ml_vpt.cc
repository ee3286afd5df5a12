#include <cmath>
#include <memory>
#include <optional>
#include <utility>

#include "harness/api/registry.h"
#include "harness/base/error.h"
#include "methods/losses/asymmetric.h"
#include "methods/losses/named.h"
#include "methods/ml_vpt/grouped_experts.h"
#include "methods/ml_vpt/ml_vpt_options.h"
#include "methods/nn/costs.h"
#include "methods/nn/fit_loop.h"
#include "methods/nn/label_partition.h"
#include "methods/nn/prompt_learner.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

/// Soft tokens for groups of classes in a frozen vision transformer.
class MlVpt final : public MethodWith<MlVptOptions> {
 public:
  MlVpt(MlVptOptions options, Problem problem)
      : MethodWith(std::move(options), std::move(problem)) {
    if (this->problem().encoder != nullptr &&
        this->problem().encoder->visual_slots().layers == 0) {
      throw ConfigError(
          "method 'ml_vpt' needs a vision transformer: this encoder has no "
          "place for visual prompts");
    }
  }

  static MethodInfo Info();

  void Fit(FitContext& context) override;
  at::Tensor Predict(const Batch& batch) const override;
  ScoreScale scale() const override { return ScoreScale::kLogit; }
  void Save(StateWriter& out) const override;
  void Load(const StateReader& in) override;
  std::int64_t trained_parameters() const override {
    return experts_ ? experts_->numbers() : 0;
  }

 private:
  using Groups = std::vector<std::vector<int>>;

  Groups MakeGroups(const TrainSource& train) const;
  void Begin(Groups groups, std::uint64_t seed, double ema);
  ClassificationLoss TermLoss(std::int64_t images) const;
  double EmaDecay(std::int64_t samples) const;
  FitPlan Plan(double ema) const;
  at::Tensor Logits(const at::Tensor& pixels,
                    std::span<const at::Tensor> parameters) const;

  Groups groups_;
  double ema_ = 0;
  std::optional<GroupedExperts> experts_;
  std::optional<FitLoop> loop_;
};

MlVpt::Groups MlVpt::MakeGroups(const TrainSource& train) const {
  Groups groups;
  const auto add = [&](GraphKind graph) {
    groups.push_back(
        PartitionOfLabels(train, problem().class_names,
                          options().Of(graph, options().merge_below))
            .part_of);
  };
  if (options().branches != "apart") add(GraphKind::kTogether);
  if (options().branches != "together") add(GraphKind::kApart);
  return groups;
}

FitPlan MlVpt::Plan(double ema) const {
  const auto& o = options();
  return {.epochs = o.epochs,
          .batch_size = o.batch_size,
          .augment = o.augment,
          .optimiser = "adamw",
          .lr = o.lr,
          .schedule = "one-cycle",
          .warm_up = o.warm_up,
          .drop_last = true,
          .ema = ema};
}

// 0.82 of the weight is left after two epochs.
double MlVpt::EmaDecay(std::int64_t samples) const {
  if (options().ema_decay > 0) return options().ema_decay;
  const auto steps = FitLoop::StepsOf(Plan(0), samples);
  return std::exp(std::log(0.82) / (2.0 * static_cast<double>(steps)));
}

/// Features of the names, scaled, seen from the tokens' side of the projection:
/// <w, token> is then the projected token's product with the name.
at::Tensor TextHeads(Encoder& encoder, const std::vector<std::string>& names,
                     double scale) {
  const at::NoGradGuard no_grad;
  std::vector<std::string> texts;
  for (const std::string& name : names) {
    texts.push_back("a photo of a " + SpokenName(name) + ".");
  }
  const auto text =
      UnitRows(encoder.EncodeText(encoder.Tokenize(texts)).to(at::kFloat));
  for (const EncoderParameter& each : encoder.Parameters(Towers::kImage)) {
    if (each.name == "visual_projection.weight") {
      return UnitRows(text.matmul(each.value.to(at::kFloat))) * scale;
    }
  }
  throw ConfigError(
      "head_init=text needs the projection of the image tower, and this "
      "encoder has none");
}

void MlVpt::Begin(Groups groups, std::uint64_t seed, double ema) {
  const auto& o = options();
  const VisualSlots slots = problem().encoder->visual_slots();
  groups_ = std::move(groups);
  ema_ = ema;
  experts_.emplace(GroupedShape{.classes = problem().num_classes(),
                                .width = slots.width,
                                .layers = slots.layers,
                                .patch = slots.patch,
                                .experts = o.experts,
                                .hidden = o.adapter_width,
                                .gate_by_group = o.gate == "group",
                                .groups = groups_},
                   seed, problem().device);
  if (o.head_init == "text") {
    experts_->SetHeads(
        TextHeads(*problem().encoder, problem().class_names, o.head_scale));
  }
  loop_.emplace(Plan(ema), problem());
  for (const EncoderParameter& each : experts_->parameters()) {
    loop_->Add(each.name, each.value, o.weight_decay);
  }
}

ClassificationLoss MlVpt::TermLoss(std::int64_t images) const {
  const auto& o = options();
  if (o.loss == "asl") {
    return [](const at::Tensor& logits, const at::Tensor& labels,
              const at::Tensor& known) {
      return AsymmetricLoss(MlVptAsl(), logits, labels, known);
    };
  }
  return MakeLoss("db",
                  {.gamma = o.db_gamma,
                   .neg_scale = o.db_neg_scale,
                   .init_bias = o.db_init_bias},
                  problem().train_counts, images, problem().device);
}

void MlVpt::Fit(FitContext& context) {
  if (!loop_) {
    Begin(MakeGroups(context.train), context.seed,
          EmaDecay(context.train.num_samples()));
  }
  const auto term = TermLoss(context.train.num_samples());
  loop_->Run(
      context, *this,
      [&](const TrainBatch& batch, std::span<const at::Tensor> parameters) {
        const auto features = problem()
                                  .encoder
                                  ->EncodePrompted(batch.inputs, parameters[0],
                                                   options().prompts_apart)
                                  .prompts;
        FitLoop::StepLoss step;
        for (const BranchLogits& branch :
             experts_->Forward(features, parameters)) {
          for (const auto& logits : {branch.head, branch.gate}) {
            if (!logits.defined()) continue;
            const auto loss = term(Widened(logits), batch.labels, batch.known);
            step.loss = step.loss.defined() ? step.loss + loss : loss;
          }
        }
        return step;
      });
}

at::Tensor MlVpt::Logits(const at::Tensor& pixels,
                         std::span<const at::Tensor> parameters) const {
  const auto features =
      problem()
          .encoder
          ->EncodePrompted(pixels, parameters[0], options().prompts_apart)
          .prompts;
  at::Tensor sum;
  const auto branches = experts_->Forward(features, parameters);
  for (const BranchLogits& branch : branches) {
    sum = sum.defined() ? sum + branch.head : branch.head;
  }
  return sum / static_cast<double>(branches.size());
}

at::Tensor MlVpt::Predict(const Batch& batch) const {
  const at::NoGradGuard no_grad;
  if (options().weights_used == "ema") {
    return Logits(batch.inputs, loop_->Averages());
  }
  std::vector<at::Tensor> now;
  for (const auto& each : experts_->parameters()) now.push_back(each.value);
  return Logits(batch.inputs, now);
}

void MlVpt::Save(StateWriter& out) const {
  for (std::size_t b = 0; b < groups_.size(); ++b) {
    const std::vector<std::int64_t> of(groups_[b].begin(), groups_[b].end());
    out.Put(StrCat("groups-", b), at::tensor(of, at::kLong));
  }
  out.Put("ema_decay", at::scalar_tensor(ema_, at::kDouble));
  loop_->Save(out);
}

void MlVpt::Load(const StateReader& in) {
  Groups groups;
  for (std::size_t b = 0; in.Has(StrCat("groups-", b)); ++b) {
    const auto of = in.Get(StrCat("groups-", b)).to(at::kCPU, at::kLong);
    const auto* begin = of.data_ptr<std::int64_t>();
    groups.emplace_back(begin, begin + of.numel());
  }
  Begin(std::move(groups), 0, in.Get("ema_decay").item<double>());
  loop_->Load(in);
}

/// The tower is frozen: a pass forward and one back, of more tokens.
Cost MlVptCost() {
  Cost cost{.epochs = {{.option = "epochs"}}, .batch = "batch_size"};
  cost.work = Together({EveryEpoch(2), EveryTestImage(1)});
  const auto tokens = [&](const char* branches, double graphs) {
    const OptionMap when = {{"branches", std::string(branches)}};
    cost.work.push_back(
        {.unit = CostUnit::kImageToken,
         .amount = 2 * graphs,
         .times = {"train_images", "epochs", "parts", "experts"},
         .when = when});
    cost.work.push_back({.unit = CostUnit::kImageToken,
                         .amount = graphs,
                         .times = {"test_images", "parts", "experts"},
                         .when = when});
    cost.memory.push_back({.unit = CostUnit::kImageToken,
                           .amount = graphs,
                           .times = {"batch", "parts", "experts"},
                           .when = when});
  };
  tokens("both", 2);
  tokens("together", 1);
  tokens("apart", 1);
  cost.memory.push_back({.unit = CostUnit::kImage, .times = {"batch"}});
  // Gates, four losses, and the operations of a step besides their work.
  cost.work.push_back({.amount = 1e-2, .times = {"steps"}});
  return cost;
}

MethodInfo MlVpt::Info() {
  return {
      .name = "ml_vpt",
      .version = 1,
      .summary =
          "Visual prompts and experts for groups of classes seen together and "
          "apart",
      .family = "visual prompt",
      .cite =
          "Ma et al., Correlative and Discriminative Label Grouping for "
          "Multi-Label Visual Prompt Tuning, CVPR 2025 (arXiv 2504.09990); "
          "here on CLIP, which the release does not register",
      .input = InputKind::kImages,
      .needs = {.text = true},
      .abilities = {.partial_labels = true, .precisions = {"fp32", "bf16"}},
      .presets =
          {
              {.name = "embedded",
               .summary = "Nano settings: three groups a graph, three experts",
               .options = {{"parts", std::int64_t{3}},
                           {"lr", 1e-2},
                           {"ema_decay", 0.95},
                           {"epochs", std::int64_t{8}},
                           {"augment", "flip"}}},
              {.name = "voc-lt",
               .summary = "Three groups a graph, DB constants of VOC-LT",
               .options = {{"parts", std::int64_t{3}},
                           {"db_gamma", 0.3},
                           {"db_neg_scale", 5.0}}},
              {.name = "release",
               .summary =
                   "Batch 64 and 40 epochs, as the release's configurations",
               .options = {{"epochs", std::int64_t{40}},
                           {"batch_size", std::int64_t{64}}}},
              {.name = "few-shot",
               .summary =
                   "Episodes of five images or more: two groups a graph, "
                   "small batches",
               .options = {{"parts", std::int64_t{2}},
                           {"batch_size", std::int64_t{4}}}},
              {.name = "embedded-few-shot",
               .summary = "The same for the embedded scenes",
               .options = {{"parts", std::int64_t{2}},
                           {"batch_size", std::int64_t{4}},
                           {"lr", 1e-2},
                           {"ema_decay", 0.8},
                           {"epochs", std::int64_t{8}},
                           {"head_init", "text"},
                           {"augment", "flip"}}},
          },
      .deviations = MlVptDeviations(),
      .cost = MlVptCost()};
}

}  // namespace

void RegisterMlVpt(MethodRegistry& registry) { registry.Add<MlVpt>(); }

}  // namespace tailmark
