#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/launch/events.h"

namespace tailmark {

/// What one worker is doing.
struct WorkerLine {
  std::string title;  ///< "linear_probe-db on embedded, seed 0"
  RunProgress progress;
  double seconds = 0;
  std::int64_t rss = 0;
};

struct CampaignLine {
  std::string campaign;
  std::int64_t total = 0;
  std::int64_t done = 0;
  std::int64_t failed = 0;
  std::int64_t left_out = 0;  ///< Skipped, not applicable.
  double seconds = 0;
  double left_s = -1;  ///< Seconds until the end; below 0: unknown.
};

/// Shows a campaign on stderr: on a terminal a block that is rewritten, one
/// line a worker and one for the campaign; elsewhere plain lines, one for each
/// run that ends and one a minute. Not thread-safe.
class CampaignView {
 public:
  explicit CampaignView(bool quiet);
  ~CampaignView();
  CampaignView(const CampaignView&) = delete;
  CampaignView& operator=(const CampaignView&) = delete;

  void Show(const CampaignLine& campaign,
            const std::vector<WorkerLine>& workers);
  /// A line that stays: "done    linear_probe on embedded, seed 0, 2 s".
  void Say(const std::string& line);

 private:
  void Clear();

  bool quiet_;
  bool terminal_;
  int lines_ = 0;
  double last_ = -1e9;
};

/// Columns of a terminal, less one; 79 when it does not say.
int TerminalWidth(int descriptor);

/// The text of both, without escapes, cut to `width` columns (0: not cut).
std::string ToText(const WorkerLine& line, int width);
std::string ToText(const CampaignLine& line, int width);

}  // namespace tailmark
