#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "harness/base/json.h"
#include "harness/base/progress.h"

namespace tailmark {

/// Tells how a run gets on: as JSON lines in events.jsonl of the bundle, which
/// other programs follow, and on stderr for people. A line is one write, so a
/// reader never meets half of one unless the process died within it. Format:
/// harness/run/README.md. Not thread-safe.
class EventLog {
 public:
  /// Appends to `path`, after cutting a last line that was never finished.
  /// Throws StoreError.
  explicit EventLog(const std::filesystem::path& path);
  ~EventLog();
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  /// A phase of `total` things begins (0: not known): "features", 1582,
  /// "images". `before` of them were done by an earlier process.
  void Phase(const std::string& phase, std::int64_t total = 0,
             const std::string& unit = "", std::int64_t before = 0);
  /// For a phase whose total became known on the way.
  void SetTotal(std::int64_t total);
  /// `done` of the phase's total, at most one line a second but always the
  /// last.
  void Progress(std::int64_t done, std::string_view note = {});
  /// Progress lines carry what this gives, bytes on a GPU, from now on.
  void WatchGpu(std::function<std::int64_t()> bytes) {
    gpu_bytes_ = std::move(bytes);
  }
  /// Any other event: {"event": name} and the members of `fields`.
  void Say(std::string_view event, Json fields = Json::object());

 private:
  void Write(const Json& line);

  int fd_ = -1;
  std::function<std::int64_t()> gpu_bytes_;
  std::string phase_;
  std::string unit_;
  std::int64_t total_ = 0;
  std::int64_t before_ = 0;
  double phase_start_ = 0;
  double last_line_ = 0;
  std::unique_ptr<tailmark::Progress> shown_;
};

}  // namespace tailmark
