#include "methods/clip/transformer.h"

#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include "harness/base/error.h"
#include "methods/clip/fast_linear.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

constexpr double kQuickGeluSlope = 1.702;

// x sigmoid(a x) = silu(a x) / a, whose derivative is silu'(a x): both passes
// are one fused kernel, and only a x is kept.
struct QuickGeluFunction : public torch::autograd::Function<QuickGeluFunction> {
  static at::Tensor forward(torch::autograd::AutogradContext* context,
                            const at::Tensor& x) {
    const auto scaled = x * kQuickGeluSlope;
    context->save_for_backward({scaled});
    return at::silu(scaled).mul_(1.0 / kQuickGeluSlope);
  }
  static torch::autograd::tensor_list backward(
      torch::autograd::AutogradContext* context,
      torch::autograd::tensor_list gradients) {
    return {at::silu_backward(gradients[0], context->get_saved_variables()[0])};
  }
};

bool Recorded(const at::Tensor& x) {
  return at::GradMode::is_enabled() && x.requires_grad();
}

// `fresh` belongs to nobody else, so that without a graph it can take the sum.
at::Tensor AddInto(const at::Tensor& x, at::Tensor fresh) {
  if (Recorded(x) || Recorded(fresh)) return x + fresh;
  return fresh.add_(x);
}

// [B, T, W] to [B, heads, T, W / heads], a view.
at::Tensor SplitHeads(const at::Tensor& x, std::int64_t heads) {
  return x.view({x.size(0), x.size(1), heads, x.size(2) / heads})
      .transpose(1, 2);
}

at::Tensor Attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                  const AttentionRule& rule) {
  const std::optional<at::Tensor> mask =
      rule.mask.defined() ? std::optional(rule.mask) : std::nullopt;
  const auto mixed = at::scaled_dot_product_attention(
      q, k, v, mask, /*dropout_p=*/0.0, rule.causal);
  return mixed.transpose(1, 2).flatten(2);
}

}  // namespace

LayerNorm::LayerNorm(std::int64_t width, double norm_eps,
                     const at::TensorOptions& like)
    : weight(at::ones({width}, like)),
      bias(at::zeros({width}, like)),
      eps(norm_eps) {}

at::Tensor LayerNorm::operator()(const at::Tensor& x) const {
  return at::layer_norm(x, weight.sizes(), weight, bias, eps);
}

void LayerNorm::Collect(const std::string& prefix, NamedTensors& out) const {
  out.push_back({prefix + ".weight", weight});
  out.push_back({prefix + ".bias", bias});
}

Linear::Linear(std::int64_t in, std::int64_t out, const at::TensorOptions& like)
    : weight(at::zeros({out, in}, like)), bias(at::zeros({out}, like)) {}

at::Tensor Linear::operator()(const at::Tensor& x) const {
  return FastLinear(x, weight, bias);
}

void Linear::Collect(const std::string& prefix, NamedTensors& out) const {
  out.push_back({prefix + ".weight", weight});
  out.push_back({prefix + ".bias", bias});
}

at::Tensor QuickGelu(const at::Tensor& x) {
  if (Recorded(x)) return QuickGeluFunction::apply(x);
  auto scaled = x * kQuickGeluSlope;
  return at::silu_(scaled).mul_(1.0 / kQuickGeluSlope);
}

TransformerBlock::TransformerBlock(const TowerConfig& tower,
                                   const at::TensorOptions& like)
    : norm1(tower.width, tower.eps, like),
      qkv(tower.width, 3 * tower.width, like),
      out(tower.width, tower.width, like),
      norm2(tower.width, tower.eps, like),
      up(tower.width, tower.mlp, like),
      down(tower.mlp, tower.width, like),
      heads(tower.heads),
      activation(tower.activation) {}

at::Tensor TransformerBlock::operator()(const at::Tensor& x,
                                        const AttentionRule& rule) const {
  const std::int64_t rows = x.size(0);
  const std::int64_t tokens = x.size(1);
  const std::int64_t width = x.size(2);
  // unbind, not three slices: its backward is one copy instead of three sums.
  const auto parts = qkv(norm1(x))
                         .view({rows, tokens, 3, heads, width / heads})
                         .permute({2, 0, 3, 1, 4})
                         .unbind(0);
  return Mlp(AddInto(x, out(Attend(parts[0], parts[1], parts[2], rule))));
}

at::Tensor TransformerBlock::OneToken(const at::Tensor& x, const at::Tensor& at,
                                      const AttentionRule& rule) const {
  const std::int64_t rows = x.size(0);
  const std::int64_t tokens = x.size(1);
  const std::int64_t width = x.size(2);
  const auto pick = [&](const at::Tensor& all) {
    return at.defined() ? all.take_along_dim(at.view({rows, 1, 1}), /*dim=*/1)
                        : all.narrow(1, 0, 1);
  };
  const auto normed = norm1(x);
  const auto query = FastLinear(pick(normed), qkv.weight.narrow(0, 0, width),
                                qkv.bias.narrow(0, 0, width));
  const auto others = FastLinear(normed, qkv.weight.narrow(0, width, 2 * width),
                                 qkv.bias.narrow(0, width, 2 * width))
                          .view({rows, tokens, 2, heads, width / heads})
                          .permute({2, 0, 3, 1, 4})
                          .unbind(0);
  const auto mixed = Attend(SplitHeads(query, heads), others[0], others[1],
                            {.causal = false, .mask = rule.mask});
  return Mlp(AddInto(pick(x), out(mixed)));
}

at::Tensor TransformerBlock::Mlp(const at::Tensor& x) const {
  const auto wide = up(norm2(x));
  return AddInto(x, down(activation == Activation::kGelu ? at::gelu(wide)
                                                         : QuickGelu(wide)));
}

void TransformerBlock::Collect(const std::string& prefix,
                               NamedTensors& collected) const {
  norm1.Collect(prefix + ".layer_norm1", collected);
  qkv.Collect(prefix + ".self_attn.qkv_proj", collected);
  out.Collect(prefix + ".self_attn.out_proj", collected);
  norm2.Collect(prefix + ".layer_norm2", collected);
  up.Collect(prefix + ".mlp.fc1", collected);
  down.Collect(prefix + ".mlp.fc2", collected);
}

namespace {

struct Pending : torch::CustomClassHolder {
  Pending(TransformerBlock the_block, AttentionRule the_rule)
      : block(std::move(the_block)), rule(std::move(the_rule)) {}
  TransformerBlock block;
  AttentionRule rule;
};

// Parameters are inputs so that their gradients have a way out; one by one,
// because tensors in a list would count for nothing.
struct RecomputeFunction : public torch::autograd::Function<RecomputeFunction> {
  using T = at::Tensor;
  static T forward(torch::autograd::AutogradContext* context,
                   const c10::intrusive_ptr<Pending>& pending, const T& x,
                   const T& p0, const T& p1, const T& p2, const T& p3,
                   const T& p4, const T& p5, const T& p6, const T& p7,
                   const T& p8, const T& p9, const T& p10, const T& p11) {
    context->saved_data["pending"] = at::IValue::make_capsule(pending);
    context->saved_data["autocast"] =
        at::autocast::is_autocast_enabled(x.device().type());
    context->save_for_backward(
        {x, p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11});
    return pending->block(x, pending->rule);
  }

  static torch::autograd::tensor_list backward(
      torch::autograd::AutogradContext* context,
      const torch::autograd::tensor_list& gradients) {
    const auto capsule = context->saved_data["pending"].toCapsule();
    const auto* pending = static_cast<const Pending*>(capsule.get());
    auto inputs = context->get_saved_variables();
    const bool wants_x = inputs[0].requires_grad();
    inputs[0] = inputs[0].detach().requires_grad_(wants_x);
    torch::autograd::variable_list wanted;
    for (const at::Tensor& each : inputs) {
      if (each.requires_grad()) wanted.push_back(each);
    }
    const auto out =
        Again(*pending, inputs[0], context->saved_data["autocast"].toBool());
    const auto found = torch::autograd::grad({out}, wanted, gradients);
    torch::autograd::tensor_list answer(1);  // None for the block itself.
    std::size_t next = 0;
    for (const at::Tensor& each : inputs) {
      answer.push_back(each.requires_grad() ? found[next++] : at::Tensor());
    }
    return answer;
  }

  static at::Tensor Again(const Pending& pending, const at::Tensor& x,
                          bool mixed) {
    const auto device = x.device().type();
    const bool was = at::autocast::is_autocast_enabled(device);
    const at::AutoGradMode with_graph(true);
    at::autocast::set_autocast_enabled(device, mixed);
    auto out = pending.block(x, pending.rule);
    at::autocast::set_autocast_enabled(device, was);
    return out;
  }
};

}  // namespace

at::Tensor Recomputed(const TransformerBlock& block, const at::Tensor& x,
                      const AttentionRule& rule) {
  NamedTensors named;
  block.Collect("", named);
  bool recorded = x.requires_grad();
  for (const NamedTensor& each : named) {
    recorded = recorded || each.tensor.requires_grad();
  }
  if (!recorded || !at::GradMode::is_enabled()) return block(x, rule);
  TM_CHECK(named.size() == 12);
  const auto p = [&](std::size_t i) { return named[i].tensor; };
  return RecomputeFunction::apply(c10::make_intrusive<Pending>(block, rule), x,
                                  p(0), p(1), p(2), p(3), p(4), p(5), p(6),
                                  p(7), p(8), p(9), p(10), p(11));
}

std::vector<TransformerBlock> MakeBlocks(const TowerConfig& tower,
                                         const at::TensorOptions& like) {
  std::vector<TransformerBlock> blocks;
  for (std::int64_t i = 0; i < tower.layers; ++i) {
    blocks.emplace_back(tower, like);
  }
  return blocks;
}

}  // namespace tailmark
