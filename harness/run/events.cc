#include "harness/run/events.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "harness/base/clock.h"
#include "harness/base/error.h"
#include "harness/base/files.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

constexpr double kLineEverySeconds = 1.0;

// A process that was killed may have left half a line; nothing may be glued
// to it.
void CutUnfinishedLine(const fs::path& path) {
  if (!fs::exists(path)) return;
  const std::string text = ReadFile(path);
  if (text.empty() || text.ends_with('\n')) return;
  const auto end = text.rfind('\n');
  fs::resize_file(path, end == text.npos ? 0 : end + 1);
}

}  // namespace

EventLog::EventLog(const fs::path& path) {
  CutUnfinishedLine(path);
  fd_ = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd_ < 0) {
    throw StoreError(StrCat(path.string(), ": ", std::strerror(errno)));
  }
}

EventLog::~EventLog() { close(fd_); }

void EventLog::Write(const Json& line) {
  const std::string text = line.dump() + "\n";
  // Progress is a courtesy: a full disk will be reported by what must be
  // written.
  [[maybe_unused]] const auto written = write(fd_, text.data(), text.size());
}

void EventLog::Say(std::string_view event, Json fields) {
  fields["utc"] = UtcNow();
  fields["event"] = event;
  Write(fields);
}

void EventLog::Phase(const std::string& phase, std::int64_t total,
                     const std::string& unit, std::int64_t before) {
  shown_.reset();
  phase_ = phase;
  unit_ = unit;
  total_ = total;
  before_ = before;
  phase_start_ = MonotonicSeconds();
  last_line_ = phase_start_;
  Say("phase", {{"phase", phase}, {"total", total}, {"unit", unit}});
  if (total > 0) SetTotal(total);
}

void EventLog::SetTotal(std::int64_t total) {
  total_ = total;
  shown_ = std::make_unique<tailmark::Progress>(phase_, total, unit_);
}

void EventLog::Progress(std::int64_t done, std::string_view note) {
  if (shown_ != nullptr) {
    shown_->Update(done, note);
    if (done >= total_) {
      shown_->Finish(note);
      shown_.reset();
    }
  }
  const double now = MonotonicSeconds();
  if (done < total_ && now - last_line_ < kLineEverySeconds) return;
  last_line_ = now;
  const double seconds = now - phase_start_;
  Json line = {{"phase", phase_}, {"done", done}, {"total", total_},
               {"unit", unit_},   {"note", note}, {"seconds", seconds}};
  if (seconds > 0 && done > before_) {
    const double rate = static_cast<double>(done - before_) / seconds;
    line["rate"] = rate;
    line["eta_s"] = static_cast<double>(total_ - done) / rate;
  }
  if (gpu_bytes_) line["gpu_bytes"] = gpu_bytes_();
  Say("progress", std::move(line));
}

}  // namespace tailmark
