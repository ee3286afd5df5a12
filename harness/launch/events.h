#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace tailmark {

/// Where a run is, as its events.jsonl says (harness/record/README.md).
struct RunProgress {
  std::string phase;  ///< "fit"; "" before the first event.
  std::int64_t done = 0;
  std::int64_t total = 0;  ///< 0: unknown.
  std::string unit;
  std::string note;
  double rate = 0;             ///< `unit` a second; 0: unknown.
  double left_s = -1;          ///< When it was said; below 0: unknown.
  std::int64_t gpu_bytes = 0;  ///< 0: none, or unknown.
  std::string utc;             ///< When it was said.
};

/// Follows one events.jsonl: each Read() takes in what was appended. A file
/// that is not there yet, torn lines and lines that are no event are passed
/// over.
class EventsTail {
 public:
  explicit EventsTail(std::filesystem::path path);
  const RunProgress& Read();

 private:
  void Take(std::string_view line);

  std::filesystem::path path_;
  std::int64_t offset_ = 0;
  std::string rest_;
  RunProgress progress_;
};

/// "fit 3/30 epochs, loss 0.12".
std::string ToText(const RunProgress& progress);

}  // namespace tailmark
