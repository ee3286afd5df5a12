// HP-DVAL against the released code and float64 references: scores, losses,
// both prompts, and five steps of each stage, in float64 and float32.

#include <gtest/gtest.h>

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <algorithm>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "methods/hp_dval/trainer.h"
#include "tests/golden/methods_golden.h"
#include "tests/golden/tiny_clip_golden.h"

namespace tailmark {
namespace {

// In this order: float64 tells what float32 can follow.
constexpr at::ScalarType kTypes[] = {at::kDouble, at::kFloat};

DualView View(const Json& params, bool on_global, bool l2) {
  return {.alpha = params.at("alpha"),
          .alpha_on_global = on_global,
          .top_k = params.at("k"),
          .l2_classes = l2,
          .logit_scale = 20.0};
}

void CheckScores(const MethodGoldens& goldens, const Json& each,
                 at::ScalarType type) {
  const auto in = [&](const char* name) {
    return goldens.In(each, name).to(type).requires_grad_();
  };
  const auto tokens = in("tokens");
  const auto local = in("T_local");
  const auto global = in("T_global");
  const auto scores = [&](bool on_global, bool l2) {
    return DualViewScores(View(each.at("params"), on_global, l2), tokens,
                          global, local);
  };
  const auto released = scores(false, true);
  goldens.Expect(each, "score", released);
  goldens.Expect(each, "spec_l2_classes_alpha_on_global", scores(true, true));
  goldens.Expect(each, "spec_l2_classes_alpha_on_local", scores(false, true));
  goldens.Expect(each, "spec_cosine_alpha_on_global", scores(true, false));
  goldens.Expect(each, "spec_cosine_alpha_on_local", scores(false, false));
  if (!each.at("outputs").contains("grad_tokens")) return;
  const auto upstream = goldens.In(each, "upstream").to(type);
  const auto gradients = torch::autograd::grad({(released * upstream).sum()},
                                               {tokens, local, global});
  goldens.Expect(each, "grad_tokens", gradients[0]);
  goldens.Expect(each, "grad_T_local", gradients[1]);
  goldens.Expect(each, "grad_T_global", gradients[2]);
}

void CheckStageOneModels(const MethodGoldens& goldens, const Json& each,
                         at::ScalarType type) {
  const auto tokens = goldens.In(each, "tokens").to(type);
  const auto text = goldens.In(each, "T").to(type);
  DualView view = View(each.at("params"), false, true);
  goldens.Expect(each, "score_clip_vit_dual",
                 DualViewScores(view, tokens, text, text));
  view.alpha = 0.5;
  goldens.Expect(each, "score_clip_vit",
                 DualViewScores(view, tokens, text, text));
}

TEST(HpDvalGolden, DualViewScoresAndTheirGradientsAreThoseOfTheReference) {
  const auto goldens = MethodGoldens::Open("hpdval_scores.safetensors");
  if (!goldens) GTEST_SKIP() << "no golden folder methods (hpdval_scores)";
  int compared = 0;
  for (const Json& each : goldens->cases()) {
    for (const at::ScalarType type : kTypes) {
      if (MethodGoldens::Id(each) == "stage1_models") {
        CheckStageOneModels(*goldens, each, type);
      } else {
        CheckScores(*goldens, each, type);
      }
    }
    ++compared;
  }
  std::cout << "compared " << compared << " dual-view cases\n";
  EXPECT_GT(compared, 0);
}

TEST(HpDvalGolden, DistancesAndTheirGradientsAreThoseOfTheReference) {
  const auto goldens = MethodGoldens::Open("align.safetensors");
  if (!goldens) GTEST_SKIP() << "no golden folder methods (align)";
  int compared = 0;
  for (const Json& each : goldens->cases()) {
    for (const at::ScalarType type : kTypes) {
      const auto in = [&](const char* name) {
        return goldens->In(each, name).to(type).requires_grad_();
      };
      const auto student = in("student");
      const auto prompt = in("prompt_feat");
      const auto kd = L1Distance(student, in("teacher"));
      const auto sc = L1Distance(prompt, in("template_feat"));
      const auto cls = in("L_cls");
      goldens->Expect(each, "L_kd", kd);
      goldens->Expect(each, "L_sc", sc);
      goldens->Expect(each, "stage1_total", cls + kd);
      goldens->Expect(each, "stage2_total", cls + sc);
      goldens->Expect(each, "joint_total", cls + (kd + sc) / 2);
      goldens->Expect(each, "grad_student",
                      torch::autograd::grad({kd}, {student})[0]);
      goldens->Expect(each, "grad_prompt",
                      torch::autograd::grad({sc}, {prompt})[0]);
    }
    ++compared;
  }
  std::cout << "compared " << compared << " alignment cases\n";
  EXPECT_GT(compared, 0);
}

std::vector<std::int64_t> Counts(const at::Tensor& counts) {
  const auto* begin = counts.data_ptr<std::int64_t>();
  return {begin, begin + counts.numel()};
}

/// Options, loss and schedule of a case, of the paper's or the release's kind.
struct Case {
  Case(const MethodGoldens& from, const Json& the_case, at::ScalarType the_type)
      : goldens(from), each(the_case), type(the_type) {
    const std::string id = MethodGoldens::Id(each);
    stage =
        id.find("stage1") != id.npos ? HpDvalStage::kOne : HpDvalStage::kTwo;
    paper = id.find("paper") != id.npos;
    const Json& p = each.at("params");
    options.alpha = p.at("alpha");
    options.top_k = p.at("k");
    options.alpha_on = paper ? "global" : "local";
    options.consistency_on = paper ? "global" : "local";
    options.weight_decay = 1e-4;
    options.ema_decay = 0.998;
  }

  ClassificationLoss Loss(const Json& db, std::int64_t images) const {
    DbOptions o{.alpha = db.at("alpha"),
                .beta = db.at("beta"),
                .gamma = db.at("gamma"),
                .neg_scale = db.at("lam"),
                .init_bias = db.at("ib"),
                .focal = paper ? DbFocal::kElement : DbFocal::kBatch};
    o.positive = paper                        ? DbPositive::kFrequency
                 : stage == HpDvalStage::kOne ? DbPositive::kConst
                                              : DbPositive::kNone;
    o.pos_scale = db.value("pos", 1.0);
    return DistributionBalancedLoss(o, Counts(goldens.In(each, "class_freq")),
                                    images, c10::Device(at::kCPU));
  }
  at::Tensor In(const std::string& name) const {
    return goldens.In(each, name);
  }
  void Contexts(Student& student, bool named_by_view) const {
    if (stage == HpDvalStage::kOne) return;
    student.local_context = In(named_by_view ? "v_local" : "ctx").to(type);
    student.global_context =
        In(named_by_view ? "v_global" : "ctx_double").to(type);
  }

  const MethodGoldens& goldens;
  const Json& each;
  at::ScalarType type;
  HpDvalStage stage;
  bool paper;
  HpDvalOptions options;
};

class Trajectory : public Case {
 public:
  static constexpr std::int64_t kSteps = 5;

  Trajectory(const MethodGoldens& from, const Json& the_case,
             at::ScalarType the_type)
      : Case(from, the_case, the_type),
        clip_(TinyGoldenClip("tiny_clip_a", the_type), nullptr, "tiny") {
    const Json& p = each.at("params");
    trainer_.emplace(
        HpDvalTrainer::Setup{.stage = stage,
                             .options = &options,
                             .clip = &clip_,
                             .student = Begun(),
                             .tokens = {.templates = In("template_tokens"),
                                        .placeholders = In("tokens")}});
    trainer_->Begin(Loss(p.at("db"), p.at("N")),
                    {.max_lr = p.at("lr"), .total_steps = 80, .warm_up = 0.1});
  }

  /// Five steps. `exact`: distances() of the same trajectory in float64. Where
  /// a float32 distance lies on the other side of the kink of |x|, its gradient
  /// is another one, and what follows is not determined in float32: compared is
  /// what comes before, and up to where is printed.
  void Check(const std::vector<at::Tensor>& exact) {
    const auto images = In("images").to(type);
    const auto labels = In("labels").to(type);
    const auto size = each.at("params").at("B").get<std::int64_t>();
    std::map<std::string, std::vector<at::Tensor>> curves;
    for (std::int64_t step = 0; step < kSteps; ++step) {
      distances_.push_back(Distance());
      if (determined_ == step && (exact.empty() || SameSides(exact[step]))) {
        ++determined_;
      }
      const auto x = images.narrow(0, step * size, size);
      const auto y = labels.narrow(0, step * size, size);
      const auto before = trainer_->Step(x, y, {});
      const auto after = trainer_->Evaluate(x, y, {}, /*averaged=*/true);
      curves["loss_cls"].push_back(before.classification);
      curves["loss_align"].push_back(before.alignment);
      curves["ema_loss_cls"].push_back(after.classification);
      curves["ema_loss_align"].push_back(after.alignment);
      if (step == 0 && determined_ > 0) CheckWeights("after1/", false);
    }
    EXPECT_GE(determined_, 1);  // Everything starts alike.
    for (const auto& [name, values] : curves) {
      if (!each.at("outputs").contains(name)) continue;
      auto curve = at::stack(values);
      // A loss is of before its step, an average's of after it.
      const std::int64_t known =
          std::min(kSteps, determined_ + (name.starts_with("ema_") ? 0 : 1));
      curve.narrow(0, known, kSteps - known)
          .copy_(goldens.Out(each, name).narrow(0, known, kSteps - known));
      goldens.Expect(each, name, curve);
    }
    if (determined_ < kSteps) {
      std::cout << MethodGoldens::Id(each) << " " << type << ": step "
                << determined_ + 1 << " hangs on rounding, compared up to it\n";
      return;
    }
    CheckWeights("after5/", false);
    CheckWeights("ema5/", true);
    const auto held = images.narrow(0, kSteps * size, size);
    goldens.Expect(each, "held_score", trainer_->Scores(held, false));
    goldens.Expect(each, "held_score_ema", trainer_->Scores(held, true));
  }
  /// [C, D] before each step: what stage 2's alignment loss is the mean
  /// absolute value of. Undefined in stage 1.
  const std::vector<at::Tensor>& distances() const { return distances_; }
  int weights_compared() const { return compared_; }

 private:
  Student Begun() {
    Student student;
    student.own_text = MethodGoldens::Id(each).ends_with("text_trainable");
    student.encoder =
        clip_.Copy(student.own_text ? Towers::kBoth : Towers::kImage);
    for (const auto& parameter : student.encoder->Parameters(Towers::kImage)) {
      const OpenAiName theirs = ToOpenAiName(parameter.name);
      const std::string name = "student/" + theirs.name;
      if (!each.at("inputs").contains(name)) continue;
      parameter.value.copy_(FromOpenAi(In(name), theirs));
    }
    Contexts(student, paper);
    return student;
  }

  std::string NameOf(const std::string& ours) const {
    if (ours == "prompts.local")
      return paper ? "v_local" : "prompt_learner.ctx";
    if (ours == "prompts.global") {
      return paper ? "v_global" : "prompt_learner.ctx_double";
    }
    return ToOpenAiName(ours).name;
  }

  at::Tensor Distance() {
    if (stage != HpDvalStage::kTwo) return {};
    const at::NoGradGuard no_graph;
    const Student& student = trainer_->student(/*averaged=*/false);
    const auto tokens = In("tokens");
    const auto texts = clip_.EncodeEmbeddings(
        WithContext(clip_.EmbedTokens(tokens),
                    options.consistency_on == "global" ? student.global_context
                                                       : student.local_context),
        tokens);
    return (texts - clip_.EncodeText(In("template_tokens"))).to(at::kDouble);
  }

  // Whether the last distance has the signs of `exact`. Only what is nearer to
  // zero than float32 rounds two texts may have another.
  bool SameSides(const at::Tensor& exact) const {
    const auto& mine = distances_.back();
    if (!mine.defined()) return true;
    const auto other_side = mine.sign().ne(exact.sign());
    constexpr double kRounding = 4e-6;
    EXPECT_LE((exact.abs() * other_side).max().item<double>(), kRounding);
    return !other_side.any().item<bool>();
  }

  void CheckWeights(const std::string& prefix, bool averaged) {
    for (const auto& mine : trainer_->student(averaged).All()) {
      const std::string name = prefix + NameOf(mine.name);
      if (!each.at("outputs").contains(name)) continue;
      auto got = mine.value;
      if (ToOpenAiName(mine.name).transposed) got = got.t();
      if (name.ends_with("in_proj_bias")) {
        // The key third has gradient 0; its update is rounding noise.
        got = got.clone();
        const std::int64_t third = got.size(0) / 3;
        got.narrow(0, third, third)
            .copy_(goldens.Out(each, name).narrow(0, third, third));
      }
      goldens.Expect(each, name, got);
      ++compared_;
    }
  }

  ClipEncoder clip_;
  std::optional<HpDvalTrainer> trainer_;
  std::vector<at::Tensor> distances_;
  std::int64_t determined_ = 0;  // Steps that float32 takes as float64 does.
  int compared_ = 0;
};

TEST(HpDvalGolden, FiveStepsOfEachStageFollowTheReference) {
  const auto goldens = MethodGoldens::Open("traj_hpdval.safetensors");
  if (!goldens) GTEST_SKIP() << "no golden folder methods (traj_hpdval)";
  int compared = 0;
  int weights = 0;
  for (const Json& each : goldens->cases()) {
    std::vector<at::Tensor> exact;
    for (const at::ScalarType type : kTypes) {
      SCOPED_TRACE(StrCat(MethodGoldens::Id(each), " ", type));
      Trajectory trajectory(*goldens, each, type);
      trajectory.Check(exact);
      exact = trajectory.distances();
      weights += trajectory.weights_compared();
    }
    ++compared;
  }
  std::cout << "compared " << compared << " trajectories, " << weights
            << " tensors of weights\n";
  EXPECT_GT(compared, 0);
}

/// One stage-2 pass on the whole model, of the release or of the paper.
class StageTwo : public Case {
 public:
  StageTwo(const MethodGoldens& from, const Json& the_case,
           at::ScalarType the_type, bool of_paper)
      : Case(from, the_case, the_type),
        clip_(TinyGoldenClip(MethodGoldens::Id(the_case).ends_with("tiny_b")
                                 ? "tiny_clip_b"
                                 : "tiny_clip_a",
                             the_type),
              nullptr, "tiny") {
    paper = of_paper;
    stage = HpDvalStage::kTwo;
    options.alpha_on = paper ? "global" : "local";
  }

  void Check() {
    const at::AutoGradMode with_graph(true);
    const auto ids = In("tokens");
    const auto embeddings = clip_.EmbedTokens(ids);
    const auto local = In("ctx").to(type).requires_grad_();
    const auto global = In("ctx_double").to(type).requires_grad_();
    const auto text = [&](const at::Tensor& context) {
      return clip_.EncodeEmbeddings(WithContext(embeddings, context), ids);
    };
    const auto template_text = clip_.EncodeText(In("template_tokens"));
    const auto tokens = clip_.EncodeImageTokens(In("image").to(type));
    const auto local_text = text(local);
    const auto global_text = text(global);
    const auto scores = DualViewScores(View(each.at("params"), paper, true),
                                       tokens, global_text, local_text);
    const auto cls =
        Loss(each.at("params").at("db"), each.at("params").at("N"))(
            scores, In("labels").to(type), {});
    const auto sc = L1Distance(paper ? global_text : local_text, template_text);
    const auto gradients = torch::autograd::grad({cls + sc}, {local, global});
    const std::string prefix = paper ? "paper_" : "";
    goldens.Expect(each, prefix + "score", scores);
    goldens.Expect(each, prefix + "L_cls", cls);
    goldens.Expect(each, prefix + "L_sc", sc);
    goldens.Expect(each, prefix + "loss", cls + sc);
    if (paper) {
      goldens.Expect(each, "paper_P_G", global_text);
      goldens.Expect(each, "paper_grad_v_local", gradients[0]);
      goldens.Expect(each, "paper_grad_v_global", gradients[1]);
      return;
    }
    goldens.Expect(each, "local_prompt_features", local_text);
    goldens.Expect(each, "template_features", template_text);
    goldens.Expect(each, "cls_feature", tokens.select(1, 0));
    goldens.Expect(each, "patch_features",
                   tokens.narrow(1, 1, tokens.size(1) - 1));
    goldens.Expect(each, "grad_ctx", gradients[0]);
    goldens.Expect(each, "grad_ctx_double", gradients[1]);
  }

 private:
  ClipEncoder clip_;
};

TEST(HpDvalGolden, StageTwoAsAWholeIsThatOfTheReference) {
  const auto goldens = MethodGoldens::Open("hpdval_stage2.safetensors");
  if (!goldens) GTEST_SKIP() << "no golden folder methods (hpdval_stage2)";
  int compared = 0;
  for (const Json& each : goldens->cases()) {
    for (const at::ScalarType type : kTypes) {
      for (const bool paper : {false, true}) {
        SCOPED_TRACE(StrCat(MethodGoldens::Id(each), " ", type, " ", paper));
        StageTwo(*goldens, each, type, paper).Check();
      }
    }
    ++compared;
  }
  std::cout << "compared " << compared << " cases of stage 2\n";
  EXPECT_GT(compared, 0);
}

}  // namespace
}  // namespace tailmark
