#include "methods/losses/class_semantic.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/options.h"
#include "harness/base/suggest.h"
#include "methods/losses/bce.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

constexpr double kSmallestNorm = 1e-8;  // Of PyTorch's cosine similarity.

}  // namespace

CseVariant CseNamed(std::string_view name) {
  if (name == "off") return CseVariant::kOff;
  if (name == "repo_repaired") return CseVariant::kRepoRepaired;
  if (name == "intended_sum") return CseVariant::kIntendedSum;
  if (name == "intended_mean") return CseVariant::kIntendedMean;
  throw ConfigError(UnknownName("CSE variant", std::string(name),
                                internal::SplitWords(kCseNames)));
}

at::Tensor CosineUnit(const at::Tensor& vectors) {
  return vectors /
         vectors.norm(2, /*dim=*/-1, /*keepdim=*/true).clamp_min(kSmallestNorm);
}

CseLoss::CseLoss(const CseOptions& options,
                 std::span<const std::int64_t> counts, c10::Device device)
    : options_(options) {
  std::vector<double> margin, weight;
  double sum = 0;
  for (const std::int64_t count : counts) {
    const double n = std::max(static_cast<double>(count), 0.5);
    margin.push_back(options.margin * std::pow(n, -0.25));
    weight.push_back(1.0 / (n * n));
    sum += weight.back();
  }
  margin_ = torch::tensor(margin, torch::kDouble).to(device);
  weight_ = torch::tensor(weight, torch::kDouble).div_(sum).to(device);
}

at::Tensor CseLoss::Distances(const at::Tensor& captions,
                              const at::Tensor& prompts) const {
  const std::int64_t positions = prompts.size(1) - options_.offset;
  TM_CHECK(positions >= 1, "prompts shorter than the offset");
  const auto a = CosineUnit(captions.narrow(1, 0, positions));
  const auto b = CosineUnit(prompts.narrow(1, options_.offset, positions));
  // The sum over positions and width is one product of matrices.
  return DistancesOf(at::matmul(a.flatten(1), b.flatten(1).t()), positions);
}

at::Tensor CseLoss::DistancesOf(const at::Tensor& cosines,
                                std::int64_t positions) const {
  const auto n = static_cast<double>(positions);
  const auto sum = n - cosines;
  return options_.variant == CseVariant::kIntendedMean ? sum / n : sum;
}

at::Tensor CseLoss::operator()(const at::Tensor& distances,
                               const at::Tensor& labels,
                               const at::Tensor& known) const {
  const auto type = distances.scalar_type();
  const auto y = HideUnknown(labels, known).gt(0.5);
  const auto margin = margin_.to(type);
  const auto gap = at::relu(margin - distances);
  const auto term = options_.variant == CseVariant::kRepoRepaired
                        ? at::where(y, gap, at::relu(margin + distances))
                        : at::where(y, distances, gap);
  return MeanOverKnown(weight_.to(type) * term, known);
}

}  // namespace tailmark
