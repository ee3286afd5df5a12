#include "methods/clip/fast_linear.h"

#include <ATen/autocast_mode.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <torch/csrc/autograd/custom_function.h>
#include <optional>
#include <string_view>

#include "methods/torch_pch.h"

namespace tailmark {
namespace {

// Smaller products are over before a kernel of oneDNN is found.
constexpr std::int64_t kSmallest = std::int64_t{1} << 20;

using Signature = at::Tensor(const at::Tensor&, const at::Tensor&,
                             const std::optional<at::Tensor>&, std::string_view,
                             c10::List<std::optional<at::Scalar>>,
                             std::optional<std::string_view>);
using LinearKernel = c10::TypedOperatorHandle<Signature>;

bool WideAmd() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_is("amd") && __builtin_cpu_supports("avx512f");
#else
  return false;
#endif
}

/// Nothing where MKL is as good, or LibTorch was built without oneDNN.
const std::optional<LinearKernel>& FoundKernel() {
  static const std::optional<LinearKernel> kFound =
      []() -> std::optional<LinearKernel> {
    if (!WideAmd() || !at::globalContext().userEnabledMkldnn()) return {};
    const auto found = c10::Dispatcher::singleton().findSchema(
        {"mkldnn::_linear_pointwise", ""});
    if (!found) return {};
    return found->typed<Signature>();
  }();
  return kFound;
}

at::Tensor Product(const at::Tensor& x, const at::Tensor& weight,
                   const std::optional<at::Tensor>& bias) {
  return FoundKernel()->call(x, weight, bias, "none",
                             c10::List<std::optional<at::Scalar>>(), "");
}

struct FastLinearFunction
    : public torch::autograd::Function<FastLinearFunction> {
  static at::Tensor forward(torch::autograd::AutogradContext* context,
                            const at::Tensor& x, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias) {
    // A frozen layer needs its input no more.
    context->save_for_backward(
        {weight.requires_grad() ? x : at::Tensor(), weight});
    context->saved_data["bias"] = bias.has_value();
    return Product(x, weight, bias);
  }
  static torch::autograd::tensor_list backward(
      torch::autograd::AutogradContext* context,
      const torch::autograd::tensor_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto rows = gradients[0].reshape({-1, gradients[0].size(-1)});
    torch::autograd::tensor_list answer(3);
    if (context->needs_input_grad(0)) {
      answer[0] = Product(gradients[0], saved[1].t(), std::nullopt);
    }
    if (context->needs_input_grad(1)) {
      const auto x = saved[0].reshape({-1, saved[0].size(-1)});
      answer[1] = Product(rows.t(), x.t(), std::nullopt);
    }
    if (context->saved_data["bias"].toBool() && context->needs_input_grad(2)) {
      answer[2] = rows.sum(0);
    }
    return answer;
  }
};

bool Fits(const at::Tensor& x, const at::Tensor& weight) {
  return FoundKernel().has_value() && x.device().is_cpu() &&
         x.scalar_type() == at::kFloat && weight.scalar_type() == at::kFloat &&
         x.numel() * weight.size(0) >= kSmallest &&
         !at::autocast::is_autocast_enabled(at::kCPU);
}

}  // namespace

at::Tensor FastLinear(const at::Tensor& x, const at::Tensor& weight,
                      const at::Tensor& bias) {
  const std::optional<at::Tensor> added =
      bias.defined() ? std::optional(bias) : std::nullopt;
  if (!Fits(x, weight)) return at::linear(x, weight, added);
  if (!at::GradMode::is_enabled()) return Product(x, weight, added);
  return FastLinearFunction::apply(x, weight, added);
}

}  // namespace tailmark
