#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "harness/api/method.h"
#include "methods/nn/prompt_learner.h"
#include "methods/psd/psd_options.h"

namespace tailmark {

/// A classifier of some of the classes: PSD's student and its teachers alike.
/// n classes, D joint width.
class PsdModel {
 public:
  /// `classes`: which ones, ascending, at least one. Starts alike for equal
  /// seeds, each class whatever the others are. `options` and the problem's
  /// encoder must outlive it.
  PsdModel(const PsdTraining& options, const Problem& problem,
           std::vector<std::int64_t> classes, std::uint64_t seed);

  /// A parameter; those of the image tower train with a step size of their own
  /// and are changed in place.
  struct Slot {
    std::string name;
    at::Tensor value;
    bool tower = false;
  };
  const std::vector<Slot>& slots() const { return slots_; }
  /// Copies values, one a slot.
  void Assign(std::span<const at::Tensor> values);

  /// What Logits() takes, for all models of this variant: frozen features where
  /// the tower is not trained, else the pixels [B, 3, H, W].
  at::Tensor Prepared(const at::Tensor& pixels) const;
  /// [B, n]; `values` one a slot, those of a trained tower are not looked at.
  at::Tensor Logits(const at::Tensor& prepared,
                    std::span<const at::Tensor> values) const;
  at::Tensor Logits(const at::Tensor& prepared) const;

  const std::vector<std::int64_t>& classes() const { return classes_; }

 private:
  void AddHead(const Problem& problem);

  const PsdTraining& options_;
  Encoder* encoder_;
  std::vector<std::int64_t> classes_;
  std::vector<std::string> names_;  // Of the classes.
  std::unique_ptr<Encoder> tower_;  // finetune
  std::optional<PromptLearner> learner_;
  std::vector<Slot> slots_;
};

}  // namespace tailmark
