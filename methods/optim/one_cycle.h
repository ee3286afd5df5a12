#pragma once

#include <cstdint>

namespace tailmark {

/// The one-cycle schedule (Smith, Topin 2018) as PyTorch's OneCycleLR with
/// cosine annealing in two phases: the rate goes from max_lr / div up to max_lr
/// and down to max_lr / (div final_div), momentum (beta1 of Adam) the other
/// way. The way up ends at step warm_up total_steps - 1, not rounded.
struct OneCycle {
  double max_lr = 1e-3;
  std::int64_t total_steps = 1;
  double warm_up = 0.3;
  double div = 25.0;
  double final_div = 1e4;
  double low_momentum = 0.85;
  double high_momentum = 0.95;

  struct Point {
    double lr;
    double momentum;
  };
  /// What optimiser step `step`, from 0, uses. Steps past the end stay there.
  Point At(std::int64_t step) const;
};

}  // namespace tailmark
