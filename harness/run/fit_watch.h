#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/api/method.h"
#include "harness/base/clock.h"
#include "harness/record/bundle.h"
#include "harness/run/events.h"
#include "harness/run/selection.h"
#include "harness/run/state_file.h"

namespace tailmark {

/// What a process may use of a run before it stops with a checkpoint, at the
/// end of an epoch. 0: as much as it wants.
struct Budget {
  Stopwatch since;  ///< Started with the process.
  double seconds = 0;
  std::int64_t epochs = 0;
  std::int64_t steps = 0;  ///< Batches of training images.
  std::int64_t epochs_used = 0;
  std::int64_t steps_used = 0;

  /// "time budget", "epoch budget", "step budget"; "" while there is some left.
  std::string UsedUp() const;
};

/// Watches a fit from epoch to epoch: curves, progress, selection, checkpoints,
/// the end of the budget, Ctrl-C.
class FitWatch final : public FitObserver {
 public:
  struct Options {
    std::filesystem::path checkpoint;  ///< state.safetensors of the bundle.
    std::string key;                   ///< RunKey.
    std::string part;  ///< Which fit of the run: "", "base", "episode-3".
    /// Seconds between checkpoints. An epoch that ends sooner after the last
    /// one is not written; the last epoch always is.
    double checkpoint_every_s = 5.0;
    Selector::Options selection;
    /// Asks who knows the test labels; empty: there is nobody.
    std::function<double(const Method&, std::int64_t epoch)> feedback;
    /// What earlier parts left, for the record; goes through the checkpoint.
    std::vector<CurvePoint> curves;
    std::vector<ScoreFile> scores;
  };
  /// `budget` and `events` must outlive it.
  FitWatch(Options options, Budget& budget, EventLog& events);

  /// Goes on from `found`, which is of this key and part; returns the epochs it
  /// has behind it.
  std::int64_t Resume(const Checkpoint& found, Method& method);
  /// True when the checkpoint that Resume() loaded had nothing left to fit.
  bool fitted() const { return fitted_; }

  /// Throws RunFailed for a curve that is not finite, StoppedEarly,
  /// Interrupted.
  FitSignal OnEpochEnd(const Method& method,
                       const EpochReport& report) override;
  double TestFeedback(const Method& method) override;

  /// The state that the selection rule wants scored, or null: that of the
  /// method as it is.
  const MemoryState* selected() const { return selector_.best(); }
  /// Writes the state that Predict() will use.
  void Finish(const Method& method);

  /// To be called between batches: throws Interrupted when a signal came and
  /// the epoch does not end within a few seconds.
  void Tick();

  /// Of this part and those before it.
  const std::vector<CurvePoint>& curves() const { return options_.curves; }
  /// The same, epochs of this part last.
  std::vector<ScoreFile> scores() const;

 private:
  void WriteCheckpoint(const Method& method);
  void AddCurve(const std::string& name, std::int64_t epoch, double value);

  Options options_;
  Budget& budget_;
  EventLog& events_;
  Selector selector_;
  std::int64_t epoch_ = 0;
  bool fitted_ = false;
  bool planned_ = false;  // The event log knows how many epochs there will be.
  double last_written_;
  double signal_seen_ = -1;
};

/// The checkpoint of this key at `path`. Nothing when there is none; one that
/// cannot be read, or of another run, is left alone with a warning.
std::optional<Checkpoint> FindCheckpoint(const std::filesystem::path& path,
                                         const std::string& key);
/// "", "base", "episode-3": FitWatch::Options::part of who wrote it.
std::string PartOf(const Checkpoint& checkpoint);
/// What the parts before that one left: Options::curves and scores.
std::vector<CurvePoint> CurvesOf(const Checkpoint& checkpoint);
std::vector<ScoreFile> ScoresOf(const Checkpoint& checkpoint);

}  // namespace tailmark
