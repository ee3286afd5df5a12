#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <vector>

#include "methods/clip/transformer.h"

namespace tailmark {

/// Tokens put after the class token, behind ln_pre and positions (visual prompt
/// tuning, Jia et al. 2022).
struct VisualPrompts {
  /// [1, P, W]: inserted before the first block and carried through (shallow);
  /// [layers, P, W]: replaced before every block (deep). Undefined: none.
  at::Tensor tokens;
  /// Bool [1 + P + N, 1 + P + N], row = who attends, true = may; undefined:
  /// everybody to everybody.
  at::Tensor mask;
};

/// The mask of VisualPrompts under which P prompts attend to themselves, the
/// class token and N patches, but not to each other (ML-VPT, arXiv 2504.09990).
at::Tensor PromptsApart(std::int64_t prompts, std::int64_t patches,
                        c10::Device device);

/// CLIP's vision transformer. B images, N patches, P prompts, W width, D joint
/// width. Const functions are thread-safe.
struct VisionTower {
  VisionTower(const ClipConfig& config, const at::TensorOptions& like);

  /// Class token and patches with positions, after ln_pre: [B, 1 + N, W] of
  /// normalised pixels [B, 3, H, W]. Other sizes than the tower's get
  /// interpolated positions. Throws ConfigError unless both sides are multiples
  /// of the patch.
  at::Tensor Embed(const at::Tensor& pixels) const;

  /// What the last block gives for every token: [B, 1 + P + N, W]. `states`, if
  /// not null, gets the input of block 0 and the output of every block, before
  /// any replacement of prompts.
  at::Tensor Tokens(const at::Tensor& pixels, const VisualPrompts& prompts = {},
                    std::vector<at::Tensor>* states = nullptr) const;

  /// ln_post and projection of whatever tokens [..., W]: [..., D].
  at::Tensor Project(const at::Tensor& tokens) const;

  /// Project(Tokens(...)) of the class token alone: [B, D]. Cheaper, because
  /// the last block is computed for one token.
  at::Tensor Feature(const at::Tensor& pixels,
                     const VisualPrompts& prompts = {}) const;

  /// Position embedding [1 + rows cols, W]: bicubic (a = -0.75), corners not
  /// aligned, no anti-aliasing; the class token's row is kept.
  at::Tensor Positions(std::int64_t rows, std::int64_t columns) const;

  void Collect(NamedTensors& out) const;

  at::Tensor class_token;      ///< [W]
  at::Tensor patch_weight;     ///< [W, 3, patch, patch], no bias
  at::Tensor position_weight;  ///< [1 + grid^2, W]
  LayerNorm norm_pre;
  std::vector<TransformerBlock> blocks;
  LayerNorm norm_post;
  at::Tensor projection;  ///< [D, W]
  /// Keep only the input of each block for the backward pass, which then
  /// computes the block again.
  bool recompute = false;

 private:
  at::Tensor Run(const at::Tensor& pixels, const VisualPrompts& prompts,
                 bool class_only, std::vector<at::Tensor>* states) const;

  std::int64_t patch_;
  std::int64_t grid_;
};

}  // namespace tailmark
