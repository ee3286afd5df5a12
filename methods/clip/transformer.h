#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "methods/clip/config.h"

/// The pieces both towers of CLIP are made of. They are plain structs of
/// tensors: a copy shares its parameters with the original, whoever wants them
/// trained sets requires_grad on them, and nothing registers itself anywhere.
namespace tailmark {

struct NamedTensor {
  std::string name;
  at::Tensor tensor;
};
using NamedTensors = std::vector<NamedTensor>;

struct LayerNorm {
  LayerNorm(std::int64_t width, double norm_eps, const at::TensorOptions& like);
  at::Tensor operator()(const at::Tensor& x) const;
  void Collect(const std::string& prefix, NamedTensors& out) const;

  at::Tensor weight;  ///< [W]
  at::Tensor bias;    ///< [W]
  double eps;
};

struct Linear {
  Linear(std::int64_t in, std::int64_t out, const at::TensorOptions& like);
  at::Tensor operator()(const at::Tensor& x) const;
  void Collect(const std::string& prefix, NamedTensors& out) const;

  at::Tensor weight;  ///< [out, in]
  at::Tensor bias;    ///< [out]
};

/// x sigmoid(1.702 x), with a backward pass that keeps one tensor.
at::Tensor QuickGelu(const at::Tensor& x);

/// Which tokens a token may attend to.
struct AttentionRule {
  bool causal = false;  ///< Only itself and earlier ones.
  /// Bool, true where allowed, broadcast to [B, heads, queries, keys];
  /// undefined: everything. Not together with `causal`.
  at::Tensor mask;
};

/// Pre-norm attention and MLP, each added to its input. B rows of T tokens, W
/// wide.
struct TransformerBlock {
  TransformerBlock(const TowerConfig& tower, const at::TensorOptions& like);

  /// [B, T, W] to [B, T, W].
  at::Tensor operator()(const at::Tensor& x, const AttentionRule& rule) const;
  /// The same result for one token a row, [B, 1, W], at the price of little
  /// more than keys and values: what the last block of a tower whose feature is
  /// read at one token needs. `at` [B] int64; undefined: token 0. `rule.mask`
  /// is for that one query; causal is not looked at.
  at::Tensor OneToken(const at::Tensor& x, const at::Tensor& at,
                      const AttentionRule& rule) const;

  /// Names as HuggingFace has them, but query, key and value projection in one:
  /// "self_attn.qkv_proj.weight" [3 W, W].
  void Collect(const std::string& prefix, NamedTensors& out) const;

  LayerNorm norm1;
  Linear qkv;
  Linear out;
  LayerNorm norm2;
  Linear up;
  Linear down;
  std::int64_t heads;
  Activation activation;

 private:
  at::Tensor Mlp(const at::Tensor& x) const;
};

/// block(x, rule), the same bits, but for its backward pass only x is kept and
/// the block is computed once more.
at::Tensor Recomputed(const TransformerBlock& block, const at::Tensor& x,
                      const AttentionRule& rule);

std::vector<TransformerBlock> MakeBlocks(const TowerConfig& tower,
                                         const at::TensorOptions& like);

}  // namespace tailmark
