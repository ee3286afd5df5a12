#include "harness/launch/campaign_view.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "harness/base/clock.h"
#include "harness/base/error.h"
#include "harness/base/progress.h"

namespace tailmark {
namespace {

constexpr double kTerminalInterval = 0.2;  // seconds
constexpr double kPlainInterval = 60;

std::string Cut(std::string text, int width) {
  // What a method wrote must not move the cursor.
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return static_cast<unsigned char>(c) < 32; }, ' ');
  if (width > 0 && text.size() > static_cast<std::size_t>(width)) {
    text.resize(static_cast<std::size_t>(width));
  }
  return text;
}

}  // namespace

int TerminalWidth(int descriptor) {
  winsize size{};
  const bool known = ioctl(descriptor, TIOCGWINSZ, &size) == 0;
  return known && size.ws_col > 20 ? size.ws_col - 1 : 79;
}

std::string ToText(const WorkerLine& line, int width) {
  std::string text = StrCat("  ", line.title, ": ", ToText(line.progress), ", ",
                            FormatSeconds(line.seconds));
  const RunProgress& at = line.progress;
  // Epochs are slower than that, and their time left says it better.
  if (at.rate >= 1)
    text += StrCat(", ", std::lround(at.rate), " ", at.unit, "/s");
  if (at.left_s >= 0 && at.total > at.done) {
    text += StrCat(", ", FormatSeconds(at.left_s), " left");
  }
  if (line.rss > 0) {
    text += ", " + FormatBytes(static_cast<double>(line.rss));
  }
  if (at.gpu_bytes > 0) {
    text += ", GPU " + FormatBytes(static_cast<double>(at.gpu_bytes));
  }
  return Cut(std::move(text), width);
}

std::string ToText(const CampaignLine& line, int width) {
  std::string text = StrCat(line.campaign, ": ", line.done + line.failed, "/",
                            line.total, " runs");
  if (line.failed > 0) text += StrCat(", ", line.failed, " failed");
  if (line.left_out > 0) text += StrCat(", ", line.left_out, " left out");
  text += ", " + FormatSeconds(line.seconds);
  if (line.left_s >= 0)
    text += StrCat(", ", FormatSeconds(line.left_s), " left");
  return Cut(std::move(text), width);
}

CampaignView::CampaignView(bool quiet)
    : quiet_(quiet), terminal_(StderrIsTerminal()) {
  if (!terminal_) last_ = MonotonicSeconds();
}

CampaignView::~CampaignView() { Clear(); }

void CampaignView::Clear() {
  if (lines_ > 0) std::fprintf(stderr, "\x1b[%dA\x1b[J", lines_);
  lines_ = 0;
  std::fflush(stderr);
}

void CampaignView::Show(const CampaignLine& campaign,
                        const std::vector<WorkerLine>& workers) {
  const double now = MonotonicSeconds();
  if (quiet_ ||
      now - last_ < (terminal_ ? kTerminalInterval : kPlainInterval)) {
    return;
  }
  last_ = now;
  const int width = terminal_ ? TerminalWidth(STDERR_FILENO) : 0;
  std::string block;
  for (const WorkerLine& line : workers) block += ToText(line, width) + "\n";
  block += ToText(campaign, width) + "\n";
  Clear();
  std::fputs(block.c_str(), stderr);
  std::fflush(stderr);
  if (terminal_) lines_ = static_cast<int>(workers.size()) + 1;
}

void CampaignView::Say(const std::string& line) {
  if (quiet_) return;
  Clear();
  std::fprintf(stderr, "%s\n", Cut(line, 0).c_str());
  last_ = terminal_ ? -1e9 : last_;
}

}  // namespace tailmark
