#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tailmark {

struct ProcessOptions {
  std::filesystem::path program;
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment;  ///< On top of ours.
  std::filesystem::path log;       ///< stdout and stderr are appended to it.
  std::int64_t log_cap = 4 << 20;  ///< Bytes; of more, the middle is left out.
  double wall_s = 0;               ///< 0: no limit.
  std::int64_t rss_bytes = 0;      ///< Of it and its children; 0: no limit.
  std::int64_t address_bytes = 0;  ///< RLIMIT_AS of each; 0: no limit.
  double cpu_s = 0;                ///< Of it and its children; 0: no limit.
  /// So long it may neither print anything nor write to `life`; 0: for ever.
  double silence_s = 0;
  std::filesystem::path life;
  /// Between SIGTERM and SIGKILL; after a limit of time not more than it was.
  double grace_s = 10;
  std::vector<int> keep_open;  ///< Descriptors the child inherits.
  std::vector<int> cores;      ///< It may use these alone; empty: any.
  /// As a fork of the program that stays loaded, if it can: fork_server.h.
  bool fork_loaded = false;
};

enum class EndCause : std::uint8_t {
  kExit,
  kSignal,    ///< Somebody else's.
  kWallTime,  ///< Ours: it ran longer than wall_s.
  kMemory,    ///< Ours: it grew beyond rss_bytes.
  kCpuTime,   ///< Ours: it computed longer than cpu_s.
  kSilence,   ///< Ours: no sign of life for silence_s.
  kStopped    ///< Ours: Stop().
};

struct ProcessEnd {
  EndCause cause = EndCause::kExit;
  std::optional<int> exit_code;
  std::optional<int> signal;
  double wall_s = 0;
  std::int64_t peak_rss = 0;  ///< Bytes.
  std::string tail;           ///< The last few KiB it printed.
};

/// A child process in a process group of its own. It is killed when this
/// process dies, however that happens; when it ends, so does whatever it left
/// behind, also what fled into a group or session of its own: from the first
/// one on this process adopts such orphans. Start and use it on the main
/// thread: the kernel ties the child to the thread that made it.
class Subprocess {
 public:
  /// Throws StoreError when the program cannot be started or the log not be
  /// written.
  explicit Subprocess(const ProcessOptions& options);
  /// Kills the whole group when it still runs.
  ~Subprocess();
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;

  /// Moves output to the log, applies the limits, and says how it ended once it
  /// has; whatever it left in its group is killed then. Never blocks.
  std::optional<ProcessEnd> Poll();
  /// SIGTERM to the group now, SIGKILL after the grace time.
  void Stop();

  int pid() const;
  double seconds() const;    ///< Since the start.
  std::int64_t rss() const;  ///< Bytes now; 0 when unknown.

  /// Sleeps until one of them prints or ends, but at most `seconds`.
  static void WaitForAny(std::span<Subprocess* const> processes,
                         double seconds);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tailmark
