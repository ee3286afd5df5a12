#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

#include "harness/api/state.h"

namespace tailmark {

/// PyTorch's ReduceLROnPlateau, relative threshold: when more than `patience`
/// epochs in a row have failed to beat the best metric by `threshold`, the rate
/// is multiplied by `factor`, not below `min_lr`. Defaults are LMPT's.
class Plateau {
 public:
  struct Options {
    double lr = 5e-4;      ///< At the start.
    bool maximise = true;  ///< A higher metric is better.
    double factor = 0.1;
    std::int64_t patience = 5;
    double threshold = 1e-4;
    double min_lr = 1e-7;
    double eps = 1e-8;  ///< A change smaller than this is not made.
  };

  explicit Plateau(const Options& options)
      : options_(options), lr_(options.lr), best_(Worst()) {}

  double lr() const { return lr_; }
  /// After each epoch. A metric that is NaN counts as no improvement.
  void Step(double metric);

  /// Exact: numbers go as their bits.
  void Save(StateWriter& out, std::string_view prefix) const;
  void Load(const StateReader& in, std::string_view prefix);

 private:
  double Worst() const {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    return options_.maximise ? -kInfinity : kInfinity;
  }
  Options options_;
  double lr_;
  double best_;
  std::int64_t bad_ = 0;
};

}  // namespace tailmark
