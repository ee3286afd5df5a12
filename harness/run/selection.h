#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/api/method.h"
#include "harness/record/bundle.h"
#include "harness/run/state_file.h"

namespace tailmark {

/// Which epoch of a fit counts, by the run's rule:
///  * "last": the last one.
///  * "validation": the first of those with the best mAP on the held-out part
///    of the training images; its state is what is scored.
///  * "best_on_test": the last one here. The test scores of every epoch, or of
///    every so many and the last, are written, and `tailmark`, which has the
///    labels, picks among them.
class Selector {
 public:
  struct Options {
    std::string rule = "last";
    /// Only for "best_on_test": every so many epochs are scored, and the last.
    std::int64_t every = 1;
    /// mAP of the held-out images in percent; empty: there are none.
    std::function<double(const Method&)> validate;
    /// Writes the test scores after this epoch. Only for "best_on_test".
    std::function<ScoreFile(const Method&, std::int64_t epoch)> score;
  };
  explicit Selector(Options options) : options_(std::move(options)) {}

  /// Looks at the method after `epoch` of `epochs`. What it measured, for the
  /// curves.
  std::vector<CurvePoint> Look(const Method& method, std::int64_t epoch,
                               std::int64_t epochs);

  /// The state that counts, or null: the method's own.
  const MemoryState* best() const { return best_ ? &*best_ : nullptr; }
  std::int64_t best_epoch() const { return best_epoch_; }
  /// The matrices of epochs so far.
  const std::vector<ScoreFile>& scores() const { return scores_; }

  /// To and from a checkpoint: with it, stopped and resumed chooses alike.
  void Save(Checkpoint& out) const;
  void Load(const Checkpoint& in);

 private:
  Options options_;
  std::optional<MemoryState> best_;
  std::int64_t best_epoch_ = 0;
  double best_value_ = 0;
  std::vector<ScoreFile> scores_;
};

}  // namespace tailmark
