#include "methods/hp_dval/dual_view.h"

#include <algorithm>

#include "methods/torch_pch.h"

namespace tailmark {
namespace {

constexpr double kSmallestNorm = 1e-12;

at::Tensor Unit(const at::Tensor& rows) {
  return rows /
         rows.norm(2, /*dim=*/-1, /*keepdim=*/true).clamp_min(kSmallestNorm);
}

}  // namespace

at::Tensor DualViewScores(const DualView& how, const at::Tensor& tokens,
                          const at::Tensor& global_text,
                          const at::Tensor& local_text) {
  const auto ready = [&how](const at::Tensor& x) {
    return how.l2_classes ? x : Unit(x);
  };
  const auto features = ready(tokens);
  const std::int64_t patches = features.size(1) - 1;
  auto global = at::linear(features.select(1, 0), ready(global_text));
  // Classes before patches, so that the k largest lie side by side.
  const auto per_patch = at::matmul(
      ready(local_text), features.narrow(1, 1, patches).transpose(1, 2));
  auto local = std::get<0>(per_patch.topk(std::min(how.top_k, patches),
                                          /*dim=*/2, /*largest=*/true,
                                          /*sorted=*/false))
                   .mean(2);
  if (how.l2_classes) {
    global = Unit(global);
    local = Unit(local);
  } else {
    global = global * how.logit_scale;
    local = local * how.logit_scale;
  }
  const double on_global = how.alpha_on_global ? how.alpha : 1.0 - how.alpha;
  return on_global * global + (1.0 - on_global) * local;
}

at::Tensor L1Distance(const at::Tensor& a, const at::Tensor& b) {
  return at::l1_loss(a, b);
}

}  // namespace tailmark
