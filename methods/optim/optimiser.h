#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "harness/api/state.h"

namespace tailmark {

/// What a training loop needs of Adam and SGD alike. Parameters are changed in
/// place, in the order they were added; nothing else is touched.
class Optimiser {
 public:
  virtual ~Optimiser() = default;

  /// Adds a tensor that Step() changes in place; `lr_factor` multiplies the
  /// step size for it alone.
  virtual void Add(at::Tensor parameter, double weight_decay,
                   double lr_factor = 1.0) = 0;

  /// One step; `gradients` in the order of Add(). `momentum` (SGD) or beta1
  /// (Adam) overrides the option's for this step. An undefined gradient leaves
  /// its parameter as it is.
  virtual void Step(std::span<const at::Tensor> gradients, double lr,
                    std::optional<double> momentum = std::nullopt) = 0;

  virtual std::int64_t steps() const = 0;

  /// Under "<prefix>/...". Load() wants the same parameters added before, and
  /// throws DataError when a shape differs.
  virtual void Save(StateWriter& out, std::string_view prefix) const = 0;
  virtual void Load(const StateReader& in, std::string_view prefix) = 0;

 protected:
  Optimiser() = default;
  Optimiser(const Optimiser&) = default;
  Optimiser& operator=(const Optimiser&) = default;
};

/// The words of a method's option `optimiser`.
inline constexpr std::string_view kOptimiserNames = "sgd|adam|adamw";

/// SGD with momentum 0.9, Adam with coupled decay, or AdamW. Throws
/// ConfigError.
std::unique_ptr<Optimiser> MakeOptimiser(std::string_view name);

namespace internal {
/// in.Get(key) as a tensor of its own, of `like`'s type and shape. Throws
/// DataError.
at::Tensor LoadLike(const StateReader& in, std::string_view key,
                    const at::Tensor& like);
}  // namespace internal

}  // namespace tailmark
