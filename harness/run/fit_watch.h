#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/api/method.h"
#include "harness/base/clock.h"
#include "harness/record/bundle.h"
#include "harness/run/events.h"
#include "harness/run/state_file.h"

namespace tailmark {

/// Watches a fit from epoch to epoch: curves, progress, checkpoints, the end of
/// the time budget, Ctrl-C.
class FitWatch final : public FitObserver {
 public:
  struct Options {
    std::filesystem::path checkpoint;  ///< state.safetensors of the bundle.
    std::string key;                   ///< RunKey.
    /// Seconds between checkpoints. An epoch that ends sooner after the last
    /// one is not written; the last epoch always is.
    double checkpoint_every_s = 5.0;
    double stop_after_s = 0;  ///< Of the process; 0: no budget.
    Stopwatch since;          ///< Started with the process.
  };
  FitWatch(Options options, EventLog& events);

  /// Loads the checkpoint into `method` when there is one of this key, and
  /// returns the epochs it has behind it. A file that is no checkpoint, or of
  /// another key, is left alone with a warning.
  std::int64_t Resume(Method& method);
  /// True when the checkpoint that Resume() loaded had nothing left to fit.
  bool fitted() const { return fitted_; }

  /// Throws RunFailed for a curve that is not finite, StoppedEarly,
  /// Interrupted.
  FitSignal OnEpochEnd(const Method& method,
                       const EpochReport& report) override;

  /// Writes the state that Predict() will use.
  void Finish(const Method& method);

  /// To be called between batches: throws Interrupted when a signal came and
  /// the epoch does not end within a few seconds.
  void Tick();

  const std::vector<CurvePoint>& curves() const { return curves_; }

 private:
  void WriteCheckpoint(const Method& method);

  Options options_;
  EventLog& events_;
  std::vector<CurvePoint> curves_;
  std::int64_t epoch_ = 0;
  bool fitted_ = false;
  bool planned_ = false;  // The event log knows how many epochs there will be.
  double last_written_;
  double signal_seen_ = -1;
};

}  // namespace tailmark
