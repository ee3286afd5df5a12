// ML-VPT: forward, losses, gradients and a trajectory of the release on a
// vision transformer of its own, and the port to CLIP.

#include <gtest/gtest.h>

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <iostream>

#include "harness/base/error.h"
#include "methods/clip/transformer.h"
#include "methods/clip/vision_tower.h"
#include "methods/losses/asymmetric.h"
#include "methods/ml_vpt/grouped_experts.h"
#include "methods/optim/adam.h"
#include "methods/optim/ema.h"
#include "methods/optim/one_cycle.h"
#include "tests/golden/methods_golden.h"
#include "tests/golden/tiny_golden_clip.h"

namespace tailmark {
namespace {

using Parameters = std::vector<at::Tensor>;

/// Inputs of a case in one type.
class CaseInputs {
 public:
  CaseInputs(const MethodGoldens& goldens, const Json& each,
             at::ScalarType type)
      : goldens_(goldens), each_(each), type_(type) {}

  at::Tensor operator()(const std::string& name) const {
    return goldens_.In(each_, name).to(type_);
  }
  std::vector<int> Groups(const std::string& name) const {
    const auto of = goldens_.In(each_, name);
    const auto* begin = of.data_ptr<std::int64_t>();
    return {begin, begin + of.numel()};
  }
  at::Tensor Labels() const { return (*this)("labels"); }
  const Json& params() const { return each_.at("params"); }

 private:
  const MethodGoldens& goldens_;
  const Json& each_;
  at::ScalarType type_;
};

/// The transformer of the release: patches with a bias, no norm in front.
struct PlainTransformer {
  PlainTransformer(const CaseInputs& in, at::ScalarType type)
      : patch(in.params().at("patch")),
        patch_weight(in("w/img_encoder.patch_embed.proj.weight")),
        patch_bias(in("w/img_encoder.patch_embed.proj.bias")),
        class_token(in("w/img_encoder.cls_token")),
        positions(in("w/img_encoder.pos_embed")),
        norm(class_token.size(2), 1e-6, at::TensorOptions(type)) {
    const std::int64_t width = class_token.size(2);
    const std::int64_t depth = in.params().at("depth");
    const TowerConfig tower{.width = width,
                            .mlp = 4 * width,
                            .layers = depth,
                            .heads = in.params().at("heads"),
                            .eps = 1e-6,
                            .activation = Activation::kGelu};
    blocks = MakeBlocks(tower, at::TensorOptions(type));
    for (std::int64_t i = 0; i < depth; ++i) {
      const std::string name = StrCat("w/img_encoder.blocks.", i, ".");
      TransformerBlock& block = blocks[static_cast<std::size_t>(i)];
      const auto fill = [&](auto& part, const std::string& theirs) {
        part.weight = in(name + theirs + ".weight");
        part.bias = in(name + theirs + ".bias");
      };
      fill(block.norm1, "norm1");
      fill(block.qkv, "attn.qkv");
      fill(block.out, "attn.proj");
      fill(block.norm2, "norm2");
      fill(block.up, "mlp.fc1");
      fill(block.down, "mlp.fc2");
    }
    norm.weight = in("w/img_encoder.norm.weight");
    norm.bias = in("w/img_encoder.norm.bias");
  }

  /// Outputs [B, T, W] of the prompts [layers, T, W].
  at::Tensor Prompted(const at::Tensor& pixels, const at::Tensor& prompts,
                      bool after_norm) const {
    const auto patches = at::conv2d(pixels, patch_weight, patch_bias, patch)
                             .flatten(2)
                             .transpose(1, 2);
    auto x =
        at::cat({class_token.expand({pixels.size(0), -1, -1}), patches}, 1) +
        positions;
    const auto mask =
        PromptsApart(prompts.size(1), patches.size(1), c10::Device(at::kCPU));
    const auto count = patches.size(1);
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      const auto soft =
          prompts[static_cast<std::int64_t>(i)].unsqueeze(0).expand(
              {pixels.size(0), -1, -1});
      x = blocks[i](at::cat({x.narrow(1, 0, 1), soft,
                             x.narrow(1, x.size(1) - count, count)},
                            1),
                    {.causal = false, .mask = mask});
    }
    const auto out = x.narrow(1, 1, prompts.size(1));
    return after_norm ? norm(out) : out;
  }

  std::int64_t patch;
  at::Tensor patch_weight, patch_bias, class_token, positions;
  LayerNorm norm;
  std::vector<TransformerBlock> blocks;
};

GroupedExperts ShapeOf(const CaseInputs& in, std::int64_t width,
                       std::int64_t layers) {
  return GroupedExperts(
      {.classes = in.params().at("C"),
       .width = width,
       .layers = layers,
       .patch = 8,
       .experts = in.params().at("E"),
       .groups = {in.Groups("group_co"), in.Groups("group_dis")}},
      1, c10::Device(at::kCPU));
}

/// In the order of GroupedExperts::parameters().
Parameters ReleaseParameters(const CaseInputs& in) {
  const std::int64_t experts = in.params().at("E");
  const std::int64_t classes = in.params().at("C");
  const auto gate = [&](const std::string& name) {
    return in(name).view({experts, classes, -1}).contiguous();
  };
  return {at::cat({in("w/img_encoder.prompt_embeddings"),
                   in("w/img_encoder.deep_prompt_embeddings")}),
          in("w/adapt_experts.W1"),
          in("w/adapt_experts.b1"),
          in("w/adapt_experts.W2"),
          in("w/adapt_experts.b2"),
          gate("w/co_gate.W"),
          in("w/co_fc.W")[0].clone(),
          in("w/co_fc.b")[0].clone(),
          gate("w/cl_gate.W"),
          in("w/cl_fc.W")[0].clone(),
          in("w/cl_fc.b")[0].clone()};
}

/// The same tensors under the release's names and shapes.
std::map<std::string, at::Tensor> ReleaseNames(const Parameters& p) {
  const auto soft = p[0].size(0);
  return {{"img_encoder.prompt_embeddings", p[0].narrow(0, 0, 1)},
          {"img_encoder.deep_prompt_embeddings", p[0].narrow(0, 1, soft - 1)},
          {"adapt_experts.W1", p[1]},
          {"adapt_experts.b1", p[2]},
          {"adapt_experts.W2", p[3]},
          {"adapt_experts.b2", p[4]},
          {"co_gate.W", p[5].flatten(0, 1).unsqueeze(0)},
          {"co_fc.W", p[6].unsqueeze(0)},
          {"co_fc.b", p[7].unsqueeze(0)},
          {"cl_gate.W", p[8].flatten(0, 1).unsqueeze(0)},
          {"cl_fc.W", p[9].unsqueeze(0)},
          {"cl_fc.b", p[10].unsqueeze(0)}};
}

struct Terms {
  at::Tensor total, co, cl, co_gate, cl_gate;
};

Terms LossOf(const std::vector<BranchLogits>& branches,
             const at::Tensor& labels) {
  const auto asl = [&](const at::Tensor& logits) {
    return AsymmetricLoss(MlVptAsl(), logits, labels, {});
  };
  Terms out{{},
            asl(branches[0].head),
            asl(branches[1].head),
            asl(branches[0].gate),
            asl(branches[1].gate)};
  out.total = out.co + out.cl + out.co_gate + out.cl_gate;
  return out;
}

Parameters Leaves(const Parameters& values) {
  Parameters leaves;
  for (const auto& each : values) {
    leaves.push_back(each.detach().requires_grad_());
  }
  return leaves;
}

class MlVptGolden : public ::testing::TestWithParam<at::ScalarType> {};

TEST_P(MlVptGolden, ForwardLossesAndGradientsAreThoseOfTheRelease) {
  const auto goldens = MethodGoldens::Open("mlvpt.safetensors");
  if (!goldens) GTEST_SKIP() << "no golden folder methods (mlvpt)";
  int compared = 0;
  for (const Json& each : goldens->cases()) {
    const CaseInputs in(*goldens, each, GetParam());
    const PlainTransformer tower(in, GetParam());
    const auto leaves = Leaves(ReleaseParameters(in));
    const auto experts = ShapeOf(in, leaves[0].size(2), leaves[0].size(0));
    const bool after = MethodGoldens::Id(each).starts_with("post");
    const auto features = tower.Prompted(in("image"), leaves[0], after);
    goldens->Expect(each, "group_features", features);
    goldens->Expect(each, "experts_out", experts.Adapted(features, leaves));
    goldens->Expect(each, "gate_co", experts.Gate(0, features, leaves));
    const auto branches = experts.Forward(features, leaves);
    goldens->Expect(each, "co_logit", branches[0].head);
    goldens->Expect(each, "cl_logit", branches[1].head);
    goldens->Expect(each, "moe_co_logit", branches[0].gate);
    goldens->Expect(each, "moe_cl_logit", branches[1].gate);
    goldens->Expect(each, "logit", (branches[0].head + branches[1].head) / 2);
    const Terms loss = LossOf(branches, in.Labels());
    goldens->Expect(each, "loss_co_cls", loss.co);
    goldens->Expect(each, "loss_cl_cls", loss.cl);
    goldens->Expect(each, "loss_co_moe_cls", loss.co_gate);
    goldens->Expect(each, "loss_cl_moe_cls", loss.cl_gate);
    goldens->Expect(each, "loss_total", loss.total);
    const auto gradients = torch::autograd::grad({loss.total}, leaves);
    for (const auto& [name, gradient] : ReleaseNames(gradients)) {
      goldens->Expect(each, "grad/" + name, gradient);
    }
    ++compared;
  }
  std::cout << "compared " << compared << " ML-VPT cases\n";
  EXPECT_GT(compared, 0);
}

TEST_P(MlVptGolden, ThePortToClipIsTheSpecifications) {
  const auto goldens = MethodGoldens::Open("mlvpt_clip.safetensors");
  if (!goldens) GTEST_SKIP() << "no golden folder methods (mlvpt_clip)";
  int compared = 0;
  for (const Json& each : goldens->cases()) {
    const CaseInputs in(*goldens, each, GetParam());
    const std::string clip = in.params().at("clip");
    const auto encoder =
        TinyGoldenClip(clip.substr(clip.size() - 1), GetParam());
    if (encoder == nullptr) continue;
    const std::vector<std::string> names = {
        "prompts", "W1",    "b1",    "W2",     "b2",    "U_co",
        "Wc_co",   "bc_co", "U_dis", "Wc_dis", "bc_dis"};
    Parameters values;
    for (const auto& name : names) values.push_back(in(name));
    const auto leaves = Leaves(values);
    const auto experts = ShapeOf(in, leaves[0].size(2), leaves[0].size(0));
    const auto features =
        encoder->EncodePrompted(in("image"), leaves[0], /*apart=*/true).prompts;
    goldens->Expect(each, "group_features", features);
    const auto branches = experts.Forward(features, leaves);
    goldens->Expect(each, "z_co", branches[0].head);
    goldens->Expect(each, "z_dis", branches[1].head);
    goldens->Expect(each, "m_co", branches[0].gate);
    goldens->Expect(each, "m_dis", branches[1].gate);
    goldens->Expect(each, "logit", (branches[0].head + branches[1].head) / 2);
    const Terms loss = LossOf(branches, in.Labels());
    goldens->Expect(each, "loss_total", loss.total);
    const auto gradients = torch::autograd::grad({loss.total}, leaves);
    for (std::size_t i = 0; i < names.size(); ++i) {
      goldens->Expect(each, "grad/" + names[i], gradients[i]);
    }
    ++compared;
  }
  std::cout << "compared " << compared << " cases of the CLIP port\n";
  EXPECT_GT(compared, 0);
}

TEST_P(MlVptGolden, FiveStepsEndWhereTheReleaseEnds) {
  const auto goldens = MethodGoldens::Open("traj_mlvpt.safetensors");
  if (!goldens) GTEST_SKIP() << "no golden folder methods (traj_mlvpt)";
  int compared = 0;
  for (const Json& each : goldens->cases()) {
    const CaseInputs in(*goldens, each, GetParam());
    const PlainTransformer tower(in, GetParam());
    Parameters values = ReleaseParameters(in);
    const auto experts = ShapeOf(in, values[0].size(2), values[0].size(0));
    Adam adam({});
    for (const auto& value : values) adam.Add(value, 1e-2);
    const OneCycle schedule{.max_lr = 5e-4, .total_steps = 40, .warm_up = 0.2};
    Ema ema(0.997459, values);
    const std::int64_t rows = in.params().at("B");
    const auto forward = [&](std::int64_t step, const Parameters& with) {
      const auto pixels = in("images").narrow(0, step * rows, rows);
      return experts.Forward(tower.Prompted(pixels, with[0], true), with);
    };
    std::vector<at::Tensor> losses;
    for (std::int64_t step = 0; step < 5; ++step) {
      const auto leaves = Leaves(values);
      const Terms loss = LossOf(forward(step, leaves),
                                in.Labels().narrow(0, step * rows, rows));
      losses.push_back(
          at::stack({loss.total, loss.co, loss.cl, loss.co_gate, loss.cl_gate})
              .detach());
      const auto gradients = torch::autograd::grad({loss.total}, leaves);
      const auto [lr, momentum] = schedule.At(step);
      adam.Step(gradients, lr, momentum);
      ema.Update(values);
      if (step == 0 || step == 4) {
        for (const auto& [name, value] : ReleaseNames(values)) {
          goldens->Expect(each, StrCat("after", step + 1, "/", name), value);
        }
      }
    }
    goldens->Expect(each, "loss_total_and_4_terms", at::stack(losses));
    const at::NoGradGuard no_grad;
    const auto held = [&](const Parameters& with) {
      const auto branches = forward(5, with);
      return (branches[0].head + branches[1].head) / 2;
    };
    goldens->Expect(each, "held_logit", held(values));
    goldens->Expect(each, "held_logit_ema", held(ema.average()));
    ++compared;
  }
  std::cout << "compared " << compared << " ML-VPT trajectories\n";
  EXPECT_GT(compared, 0);
}

INSTANTIATE_TEST_SUITE_P(Types, MlVptGolden,
                         ::testing::Values(at::kFloat, at::kDouble),
                         [](const auto& each) {
                           return std::string(c10::toString(each.param));
                         });

}  // namespace
}  // namespace tailmark
