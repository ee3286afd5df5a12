#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "methods/clip/transformer.h"

namespace tailmark {

/// CLIP's causal text transformer. n texts of L tokens, W width, D joint width.
/// Const functions are thread-safe.
struct TextTower {
  TextTower(const ClipConfig& config, const at::TensorOptions& like);

  /// Word embeddings [n, L, W] of ids [n, L], without positions: where soft
  /// prompts go in.
  at::Tensor Embed(const at::Tensor& ids) const;

  /// Where each text ends, [n] int64.
  at::Tensor Ends(const at::Tensor& ids) const;

  /// What the last block gives for every position: [n, L, W]. Positions are
  /// added here. `states`, if not null, gets the input of block 0 and the
  /// output of every block. Throws ConfigError when L exceeds the context.
  at::Tensor Tokens(const at::Tensor& embeddings,
                    std::vector<at::Tensor>* states = nullptr) const;

  /// The projected feature [n, D] at position ends [n]. What lies behind the
  /// last end is not computed: causal attention keeps it from mattering.
  at::Tensor Feature(const at::Tensor& embeddings,
                     const at::Tensor& ends) const;

  void Collect(NamedTensors& out) const;

  at::Tensor token_weight;     ///< [V, W]
  at::Tensor position_weight;  ///< [context, W]
  std::vector<TransformerBlock> blocks;
  LayerNorm norm_final;
  at::Tensor projection;  ///< [D, W]

 private:
  at::Tensor WithPositions(const at::Tensor& embeddings) const;
  EndRule end_;
};

}  // namespace tailmark
