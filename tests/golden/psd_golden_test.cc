// PSD: distillation terms of the release, trajectories of the prompt variant,
// and the linear probe that any partition leaves as it is.

#include <gtest/gtest.h>

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <iostream>

#include "methods/losses/asymmetric.h"
#include "methods/nn/prompt_learner.h"
#include "methods/optim/adam.h"
#include "methods/optim/sgd.h"
#include "methods/psd/distillation.h"
#include "tests/golden/methods_golden.h"
#include "tests/golden/tiny_golden_clip.h"

namespace tailmark {
namespace {

constexpr AslOptions kSummed{.reduction = AslReduction::kSum};

class PsdGolden : public ::testing::TestWithParam<at::ScalarType> {
 protected:
  static at::Tensor In(const MethodGoldens& goldens, const Json& each,
                       const std::string& name) {
    return goldens.In(each, name).to(GetParam());
  }
};

TEST_P(PsdGolden, TermsTotalAndGradientAreThoseOfTheRelease) {
  const auto goldens = MethodGoldens::Open("psd_kd.safetensors");
  if (!goldens) GTEST_SKIP() << "no golden folder methods (psd_kd)";
  int compared = 0;
  for (const Json& each : goldens->cases()) {
    const auto student =
        In(*goldens, each, "student").detach().requires_grad_();
    const KdOptions kd{.kind = MethodGoldens::Id(each).find("/kl/") ==
                                       std::string::npos
                                   ? KdKind::kSquared
                                   : KdKind::kDivergence};
    const PsdWeights weights =
        WeightsOf(0.5, each.at("params").at("alpha"), /*rounded=*/true);
    EXPECT_DOUBLE_EQ(weights.together, each.at("params").at("w_co"));
    EXPECT_DOUBLE_EQ(weights.apart, each.at("params").at("w_dis"));
    const auto asl =
        AsymmetricLoss(kSummed, student, In(*goldens, each, "labels"), {});
    const auto co = KdTerm(kd, student, In(*goldens, each, "teacher_co"));
    const auto dis = KdTerm(kd, student, In(*goldens, each, "teacher_dis"));
    const auto total = weights.classification * asl + weights.together * co +
                       weights.apart * dis;
    goldens->Expect(each, "L_asl", asl);
    goldens->Expect(each, "L_co", co);
    goldens->Expect(each, "L_dis", dis);
    goldens->Expect(each, "total", total);
    goldens->Expect(each, "grad_logits",
                    torch::autograd::grad({total}, {student})[0]);
    ++compared;
  }
  std::cout << "compared " << compared << " distillation cases\n";
  EXPECT_GT(compared, 0);
}

/// A shared context before some of the classes' names.
class PromptedClasses {
 public:
  PromptedClasses(const at::Tensor& tokens, const at::Tensor& classes,
                  double scale, Encoder& encoder)
      : scale_(scale),
        learner_({.length = 16, .class_specific = false, .init_text = ""}, 16,
                 tokens.index_select(0, classes),
                 std::vector<std::int64_t>(
                     static_cast<std::size_t>(classes.numel()), 1),
                 encoder) {}

  at::Tensor Logits(const at::Tensor& images, const at::Tensor& context) const {
    const auto text = learner_.Features(learner_.Embeddings(context));
    return UnitRows(images).matmul(UnitRows(text).t()) * scale_;
  }

 private:
  double scale_;
  PromptLearner learner_;
};

/// The five steps of a case and what is compared on the way.
class PromptCase {
 public:
  PromptCase(const MethodGoldens& goldens, const Json& each, at::Tensor tokens,
             Encoder& encoder, at::ScalarType type)
      : goldens_(goldens),
        each_(each),
        p_(each.at("params")),
        tokens_(std::move(tokens)),
        encoder_(encoder),
        type_(type) {}

  void Run() {
    const bool teacher = p_.at("divisor").is_null();
    const auto classes =
        teacher ? Members("group_co", 0) : at::arange(tokens_.size(0));
    const PromptedClasses model(tokens_, classes, p_.at("logit_scale_exp"),
                                encoder_);
    auto context = In("ctx").clone();
    Sgd sgd({.momentum = p_.at("momentum")});
    sgd.Add(context, p_.at("wd"));
    std::vector<at::Tensor> losses;
    for (std::int64_t step = 0; step < 5; ++step) {
      const auto leaf = context.detach().requires_grad_();
      const auto logits = model.Logits(Images(step), leaf);
      const auto labels = Rows(In("labels"), step).index_select(1, classes);
      const auto asl = AsymmetricLoss(kSummed, logits, labels, {});
      const auto loss = teacher ? asl : Distilled(asl, logits, step);
      losses.push_back(loss.detach());
      const auto gradient = torch::autograd::grad({loss}, {leaf});
      if (step == 0) goldens_.Expect(each_, "grad_ctx_step0", gradient[0]);
      sgd.Step(gradient, p_.at("lr"));
      if (step == 0) goldens_.Expect(each_, "after1/ctx", context);
    }
    goldens_.Expect(each_, "after5/ctx", context);
    goldens_.Expect(each_, "loss", at::stack(losses));
    goldens_.Expect(each_, "held_logits", model.Logits(Images(5), context));
  }

 private:
  at::Tensor In(const std::string& name) const {
    return goldens_.In(each_, name).to(type_);
  }
  at::Tensor Rows(const at::Tensor& all, std::int64_t step) const {
    const std::int64_t rows = p_.at("B");
    return all.narrow(0, step * rows, rows);
  }
  at::Tensor Images(std::int64_t step) const {
    const at::NoGradGuard no_grad;
    return encoder_.EncodeImages(Rows(In("images"), step));
  }
  at::Tensor Members(const std::string& group, std::int64_t part) const {
    return goldens_.In(each_, group).eq(part).nonzero().flatten();
  }
  at::Tensor Bank(const std::string& group, std::int64_t branch,
                  std::int64_t step) const {
    const at::NoGradGuard no_grad;
    const std::int64_t parts = p_.at("K");
    const auto images = Images(step);
    auto all = at::zeros({images.size(0), tokens_.size(0)}, images.options());
    for (std::int64_t part = 0; part < parts; ++part) {
      const auto classes = Members(group, part);
      const PromptedClasses teacher(tokens_, classes, p_.at("logit_scale_exp"),
                                    encoder_);
      all.index_copy_(
          1, classes,
          teacher.Logits(images, In("ctx_teachers")[branch * parts + part]));
    }
    return all;
  }
  at::Tensor Distilled(const at::Tensor& asl, const at::Tensor& logits,
                       std::int64_t step) const {
    const auto co = Bank("group_co", 0, step);
    const auto dis = Bank("group_dis", 1, step);
    if (step == 0) {
      goldens_.Expect(each_, "teacher_co_step0", co);
      goldens_.Expect(each_, "teacher_dis_step0", dis);
    }
    const KdOptions kd{.divisor = p_.at("divisor")};
    const PsdWeights weights = WeightsOf(0.5, 0.5, false);
    return weights.classification * asl +
           weights.together * KdTerm(kd, logits, co) +
           weights.apart * KdTerm(kd, logits, dis);
  }

  const MethodGoldens& goldens_;
  const Json& each_;
  const Json& p_;
  at::Tensor tokens_;
  Encoder& encoder_;
  at::ScalarType type_;
};

TEST_P(PsdGolden, PromptStudentsAndTeachersEndWhereTheReferenceEnds) {
  const auto goldens = MethodGoldens::Open("traj_psd.safetensors");
  const auto prompts = MethodGoldens::Open("traj_lmpt.safetensors");
  const auto encoder = TinyGoldenClip("a", GetParam());
  if (!goldens || !prompts || !encoder) {
    GTEST_SKIP() << "no golden folder methods (traj_psd)";
  }
  // The same names behind 16 placeholders.
  const auto tokens = prompts->In(prompts->cases().at(0), "tokens");
  int compared = 0;
  for (const Json& each : goldens->cases()) {
    if (!each.at("inputs").contains("ctx")) continue;
    PromptCase(*goldens, each, tokens, *encoder, GetParam()).Run();
    ++compared;
  }
  std::cout << "compared " << compared << " PSD trajectories\n";
  EXPECT_GT(compared, 0);
}

TEST_P(PsdGolden, TeachersOfAnyPartAreRowsOfTheProbeOfAll) {
  const auto goldens = MethodGoldens::Open("traj_psd.safetensors");
  if (!goldens) GTEST_SKIP() << "no golden folder methods (traj_psd)";
  int compared = 0;
  for (const Json& each : goldens->cases()) {
    if (!each.at("inputs").contains("weights")) continue;
    const auto features = In(*goldens, each, "features");
    const auto labels = In(*goldens, each, "labels");
    const auto start = In(*goldens, each, "weights");
    const auto trained = [&](const at::Tensor& classes) {
      auto weight = start.index_select(0, classes);
      Adam adam({.decoupled = false});
      adam.Add(weight, 0);
      for (int step = 0; step < 20; ++step) {
        const auto leaf = weight.detach().requires_grad_();
        const auto loss = AsymmetricLoss(kSummed, features.matmul(leaf.t()),
                                         labels.index_select(1, classes), {});
        adam.Step(torch::autograd::grad({loss}, {leaf}), 1e-2);
      }
      return weight;
    };
    const auto all = trained(at::arange(start.size(0)));
    goldens->Expect(each, "weights", all);
    goldens->Expect(each, "logits", features.matmul(all.t()));
    for (const auto& classes :
         {at::tensor({0, 3, 7}, at::kLong), at::tensor({9}, at::kLong)}) {
      EXPECT_LT((trained(classes) - all.index_select(0, classes))
                    .abs()
                    .max()
                    .item<double>(),
                1e-5);
    }
    ++compared;
  }
  std::cout << "compared " << compared << " probes\n";
  EXPECT_GT(compared, 0);
}

INSTANTIATE_TEST_SUITE_P(Types, PsdGolden,
                         ::testing::Values(at::kFloat, at::kDouble),
                         [](const auto& each) {
                           return std::string(c10::toString(each.param));
                         });

}  // namespace
}  // namespace tailmark
