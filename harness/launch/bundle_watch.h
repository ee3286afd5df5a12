#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "harness/launch/events.h"

namespace tailmark {

/// A run as the files below bundles/ show it.
struct SeenRun {
  std::string key;
  std::string method;
  std::string dataset;
  std::string campaign;  ///< Which it was first run for.
  std::uint64_t seed = 0;
  /// "running", "stopped" (a checkpoint that nobody works on), or how it ended.
  std::string state;
  std::string reason;    ///< Of one that failed.
  RunProgress progress;  ///< Of one that runs or stopped.
  double silent_s = 0;   ///< Since its last event.
  double seconds = 0;    ///< That it took; of one that is done.
};

/// Seconds until all that runs or stopped, and then all of `waiting` (the
/// methods of runs that have not begun), has ended, by as many workers as are
/// at work now. A run is thought to take what finished ones of its method took
/// in the mean, else what all did. Below 0: nobody knows, or nothing runs.
double SecondsLeft(const std::vector<SeenRun>& runs,
                   const std::vector<std::string>& waiting);

/// Follows what runs write below a bundles folder, without the store's
/// database, so that it works from any machine that sees the folder.
class BundleWatch {
 public:
  /// `network`: workers may be on other machines, whose locks do not show here;
  /// a run whose last event is younger than three minutes then counts as
  /// running.
  BundleWatch(std::filesystem::path bundles, bool network);

  /// What is there now, sorted by data set, method, seed and key. Finished
  /// bundles are read once. Folders that are no bundles are passed over.
  std::vector<SeenRun> Look();

 private:
  bool Take(const std::filesystem::path& record, SeenRun& run);
  bool IsLive(const std::filesystem::path& lock, double silent_s) const;
  void TakeUnfinished(const std::string& key, bool forced,
                      std::int64_t generation, std::vector<SeenRun>& runs);
  void TakeEnded(const std::string& key, const std::filesystem::path& folder,
                 std::vector<SeenRun>& runs);

  std::filesystem::path bundles_;
  bool network_;
  std::map<std::string, SeenRun> done_;      // By key.
  std::map<std::string, EventsTail> tails_;  // By path.
};

}  // namespace tailmark
