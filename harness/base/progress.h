#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace tailmark {

/// Shows how a long job gets on, on stderr: on a terminal one line that is
/// rewritten (at most ten times a second), elsewhere a plain line a minute or
/// every 10 %; with `-q` (LogLevel::kInfo is not shown) nothing. Not
/// thread-safe.
class Progress {
 public:
  /// `total` 0: unknown. `unit` is a plural, "images".
  Progress(std::string title, std::int64_t total, std::string unit);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `done` of the total are finished; `note` is shown behind ("loss 0.12").
  void Update(std::int64_t done, std::string_view note = {});
  /// Writes the last line. The destructor only clears a half-written one.
  void Finish(std::string_view note = {});

 private:
  std::string Line(std::string_view note) const;

  std::string title_;
  std::string unit_;
  std::int64_t total_;
  std::int64_t done_ = 0;
  double start_;
  double last_shown_ = -1e9;
  std::int64_t last_done_ = 0;
  bool shown_;
  bool terminal_;
  bool dirty_ = false;
};

/// "1:02:03", "4:05", "12 s".
std::string FormatSeconds(double seconds);
/// "1.2 GiB", "34 KiB".
std::string FormatBytes(double bytes);

/// True when stderr is a terminal that understands rewriting a line.
bool StderrIsTerminal();

}  // namespace tailmark
