#include "methods/ml_vpt/grouped_experts.h"

#include <algorithm>
#include <cmath>

#include "harness/base/error.h"
#include "harness/base/seeds.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

constexpr std::size_t kAdapter = 1;   // W1, b1, W2, b2 stand here.
constexpr std::size_t kBranches = 5;  // Then gate, head, bias a branch.
constexpr std::size_t kPerBranch = 3;

}  // namespace

std::int64_t GroupedShape::num_groups(std::size_t branch) const {
  const auto& of = groups[branch];
  return of.empty() ? 0 : 1 + *std::max_element(of.begin(), of.end());
}

std::int64_t GroupedShape::tokens() const {
  std::int64_t sum = 0;
  for (std::size_t b = 0; b < groups.size(); ++b) sum += num_groups(b);
  return sum * experts;
}

GroupedExperts::GroupedExperts(GroupedShape shape, std::uint64_t seed,
                               c10::Device device)
    : shape_(std::move(shape)) {
  const auto& s = shape_;
  const auto d = s.width;
  const auto tokens = s.tokens();
  const auto add = [&](std::string name, at::IntArrayRef sizes, double bound) {
    auto chance = at::detail::createCPUGenerator(
        DeriveSeed(seed, "ml_vpt/init", parameters_.size()));
    const auto values =
        at::empty(sizes, at::kFloat).uniform_(-bound, bound, chance);
    parameters_.push_back({std::move(name), values.to(device)});
  };
  const auto within = [](std::int64_t inputs) {
    return 1.0 /
           std::sqrt(static_cast<double>(std::max<std::int64_t>(inputs, 1)));
  };
  add("prompts", {s.layers, tokens, d},
      std::sqrt(6.0 / static_cast<double>(3 * s.patch * s.patch + d)));
  add("adapter.W1", {tokens, d, s.hidden}, within(d));
  add("adapter.b1", {tokens, s.hidden}, within(d));
  add("adapter.W2", {tokens, s.hidden, d}, within(s.hidden));
  add("adapter.b2", {tokens, d}, within(s.hidden));
  for (std::size_t b = 0; b < s.groups.size(); ++b) {
    const std::string name = StrCat("branch-", b);
    add(name + ".gate",
        {s.experts > 1 ? s.experts : 0,
         s.gate_by_group ? s.num_groups(b) : s.classes, d},
        within(d));
    add(name + ".head", {s.classes, d}, within(d));
    add(name + ".bias", {s.classes}, within(d));
    std::vector<std::int64_t> of(s.groups[b].begin(), s.groups[b].end());
    group_of_.push_back(at::tensor(of, at::kLong).to(device));
  }
}

std::int64_t GroupedExperts::numbers() const {
  std::int64_t sum = 0;
  for (const EncoderParameter& each : parameters_) sum += each.value.numel();
  for (std::size_t b = 0; b < shape_.groups.size(); ++b) {
    const auto& gate = parameters_[kBranches + b * kPerBranch].value;
    sum += gate.size(0) * gate.size(1);
  }
  return sum;
}

void GroupedExperts::SetHeads(const at::Tensor& weight) {
  const at::NoGradGuard no_grad;
  for (std::size_t b = 0; b < shape_.groups.size(); ++b) {
    parameters_[kBranches + b * kPerBranch + 1].value.copy_(weight);
    parameters_[kBranches + b * kPerBranch + 2].value.zero_();
  }
}

at::Tensor GroupedExperts::Adapted(
    const at::Tensor& features, std::span<const at::Tensor> parameters) const {
  const auto x = features.transpose(0, 1);  // [T, B, d]
  const auto inner = at::gelu(at::baddbmm(parameters[kAdapter + 1].unsqueeze(1),
                                          x, parameters[kAdapter]));
  const auto change = at::baddbmm(parameters[kAdapter + 3].unsqueeze(1), inner,
                                  parameters[kAdapter + 2]);
  return features + change.transpose(0, 1);
}

std::int64_t GroupedExperts::FirstToken(std::size_t branch) const {
  std::int64_t first = 0;
  for (std::size_t b = 0; b < branch; ++b) {
    first += shape_.num_groups(b) * shape_.experts;
  }
  return first;
}

// [B, E, K, C] to [B, E, C]: of each class its own group's entry.
at::Tensor GroupedExperts::PickGroups(std::size_t branch,
                                      const at::Tensor& by_group) const {
  const auto index =
      group_of_[branch]
          .view({1, 1, 1, -1})
          .expand({by_group.size(0), by_group.size(1), 1, by_group.size(3)});
  return by_group.gather(2, index).squeeze(2);
}

// s [B, E, C].
at::Tensor GroupedExperts::GateScores(
    std::size_t branch, const at::Tensor& features,
    std::span<const at::Tensor> parameters) const {
  const auto groups = shape_.num_groups(branch);
  const auto mine =
      features.narrow(1, FirstToken(branch), groups * shape_.experts)
          .view({features.size(0), shape_.experts, groups, shape_.width});
  const auto& gate = parameters[kBranches + branch * kPerBranch];
  if (shape_.gate_by_group) {
    const auto scores = (mine * gate).sum(-1);  // [B, E, K]
    return scores.index_select(2, group_of_[branch]);
  }
  return PickGroups(branch, mine.matmul(gate.transpose(1, 2)));
}

at::Tensor GroupedExperts::Gate(std::size_t branch, const at::Tensor& features,
                                std::span<const at::Tensor> parameters) const {
  return GateScores(branch, features, parameters).softmax(1);
}

std::vector<BranchLogits> GroupedExperts::Forward(
    const at::Tensor& features, std::span<const at::Tensor> parameters) const {
  const auto contiguous = features.contiguous();
  const auto adapted = Adapted(contiguous, parameters).contiguous();
  std::vector<BranchLogits> out;
  for (std::size_t b = 0; b < shape_.groups.size(); ++b) {
    const auto groups = shape_.num_groups(b);
    const auto& head = parameters[kBranches + b * kPerBranch + 1];
    const auto& bias = parameters[kBranches + b * kPerBranch + 2];
    // <w_c, sum_e a_e x_e> = sum_e a_e <w_c, x_e>: no [B, C, d] is needed.
    const auto each = PickGroups(
        b, adapted.narrow(1, FirstToken(b), groups * shape_.experts)
               .view({adapted.size(0), shape_.experts, groups, shape_.width})
               .matmul(head.t()));  // [B, E, C]
    if (shape_.experts == 1) {
      out.push_back({.head = each.squeeze(1) + bias, .gate = {}});
      continue;
    }
    const auto scores = GateScores(b, contiguous, parameters);
    const auto weights = scores.softmax(1);
    out.push_back({.head = (weights * each).sum(1) + bias,
                   .gate = (weights * scores).sum(1)});
  }
  return out;
}

}  // namespace tailmark
