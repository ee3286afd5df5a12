#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "harness/api/encoder.h"

namespace tailmark {

/// The sizes of ML-VPT's trained part: C classes, E experts, branches each with
/// K groups of classes, T = sum over branches of K E soft tokens.
struct GroupedShape {
  std::int64_t classes = 0;  ///< C
  std::int64_t width = 0;    ///< d, of a token
  std::int64_t layers = 0;   ///< of the image tower
  std::int64_t patch = 0;    ///< side in pixels; the prompts' first range
  std::int64_t experts = 3;  ///< E
  std::int64_t hidden = 5;   ///< width inside an adapter
  /// One vector U_{e,g} for the classes of a group, not one a class.
  bool gate_by_group = false;
  /// [branch][class]: the group of a class, 0..K-1. One branch or two.
  std::vector<std::vector<int>> groups;

  std::int64_t num_groups(std::size_t branch) const;
  std::int64_t tokens() const;  ///< T
};

/// What one branch says of B images: z [B, C] from the heads, m [B, C] from the
/// gate (undefined with one expert, where there is nothing to choose).
struct BranchLogits {
  at::Tensor head;  ///< z
  at::Tensor gate;  ///< m
};

/// Experts, gates and heads of ML-VPT (Ma et al., Correlative and
/// Discriminative Label Grouping for Multi-Label Visual Prompt Tuning, CVPR
/// 2025, arXiv 2504.09990, as its release computes them). F [B, T, d] are the
/// soft tokens' outputs; token e K + g of a branch belongs to expert e of group
/// g, the branches one behind the other.
///
///   expert(x) = x + W2 GELU(W1 x + b1) + b2       one a token
///   s_{e,c} = <U_{e,c}, F_{e,g(c)}>,  a_{.,c} = softmax over e
///   h_c = sum_e a_{e,c} expert(F_{e,g(c)}),  z_c = <w_c, h_c> + b_c
///   m_c = sum_e a_{e,c} s_{e,c}
///
/// A value whose copies share their tensors.
class GroupedExperts {
 public:
  /// Drawn as the release does: prompts uniform within
  /// sqrt(6 / (3 patch^2 + d)), the rest within 1 / sqrt(inputs).
  GroupedExperts(GroupedShape shape, std::uint64_t seed, c10::Device device);

  /// Everything trained, in a fixed order, the prompts [layers, T, d] first:
  /// "prompts", "adapter.W1" [T, d, h], ".b1", ".W2", ".b2", then for each
  /// branch "branch-0.gate" [E, C or K, d], ".head" [C, d], ".bias" [C].
  const std::vector<EncoderParameter>& parameters() const {
    return parameters_;
  }
  /// Numbers in them, and in the gates' biases, which the release has and never
  /// uses: what its parameter counts say.
  std::int64_t numbers() const;

  /// A head for each class of every branch, [C, d], in place of the random
  /// ones; biases 0.
  void SetHeads(const at::Tensor& weight);

  /// adapter(F), [B, T, d]; `parameters` in the order of parameters().
  at::Tensor Adapted(const at::Tensor& features,
                     std::span<const at::Tensor> parameters) const;
  /// One of each branch.
  std::vector<BranchLogits> Forward(
      const at::Tensor& features, std::span<const at::Tensor> parameters) const;
  /// a [B, E, C] of one branch.
  at::Tensor Gate(std::size_t branch, const at::Tensor& features,
                  std::span<const at::Tensor> parameters) const;

  const GroupedShape& shape() const { return shape_; }

 private:
  at::Tensor GateScores(std::size_t branch, const at::Tensor& features,
                        std::span<const at::Tensor> parameters) const;
  at::Tensor PickGroups(std::size_t branch, const at::Tensor& by_group) const;
  std::int64_t FirstToken(std::size_t branch) const;

  GroupedShape shape_;
  std::vector<EncoderParameter> parameters_;
  std::vector<at::Tensor> group_of_;  ///< [C] int64, one a branch
};

}  // namespace tailmark
