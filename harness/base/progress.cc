#include "harness/base/progress.h"

#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdio>

#include "harness/base/clock.h"
#include "harness/base/environment.h"
#include "harness/base/error.h"
#include "harness/base/log.h"

namespace tailmark {
namespace {

constexpr double kTerminalInterval = 0.1;  // seconds
constexpr double kPlainInterval = 60.0;

std::string Fixed(double value, int decimals) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return text.data();
}

}  // namespace

std::string FormatSeconds(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::lround(seconds));
  if (whole < 60) return StrCat(whole, " s");
  std::array<char, 64> text{};
  if (whole < 3600) {
    std::snprintf(text.data(), text.size(), "%d:%02d",
                  static_cast<int>(whole / 60), static_cast<int>(whole % 60));
  } else {
    std::snprintf(text.data(), text.size(), "%lld:%02d:%02d",
                  static_cast<long long>(whole / 3600),
                  static_cast<int>(whole / 60 % 60),
                  static_cast<int>(whole % 60));
  }
  return text.data();
}

std::string FormatBytes(double bytes) {
  constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB",
                                                 "TiB"};
  std::size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < kUnits.size()) {
    bytes /= 1024;
    ++unit;
  }
  return StrCat(Fixed(bytes, unit == 0 || bytes >= 100 ? 0 : 1), " ",
                kUnits[unit]);
}

bool StderrIsTerminal() {
  return isatty(STDERR_FILENO) == 1 && GetEnv("TERM") != "dumb";
}

Progress::Progress(std::string title, std::int64_t total, std::string unit)
    : title_(std::move(title)),
      unit_(std::move(unit)),
      total_(total),
      start_(MonotonicSeconds()),
      shown_(IsLogged(LogLevel::kInfo)),
      terminal_(StderrIsTerminal()) {
  if (!terminal_) last_shown_ = start_;
}

Progress::~Progress() {
  if (dirty_) std::fputs("\r\x1b[K", stderr);
}

std::string Progress::Line(std::string_view note) const {
  const double seconds = MonotonicSeconds() - start_;
  const double rate = seconds > 0 ? static_cast<double>(done_) / seconds : 0;
  std::string line = StrCat(title_, ": ", done_);
  if (total_ > 0) line += StrCat("/", total_);
  line += StrCat(" ", unit_);
  if (rate > 0) {
    line += StrCat(", ", Fixed(rate, rate < 10 ? 2 : 0), " ", unit_, "/s");
    if (total_ > done_) {
      line += StrCat(", ",
                     FormatSeconds(static_cast<double>(total_ - done_) / rate),
                     " left");
    }
  }
  if (!note.empty()) line += StrCat(", ", note);
  return line;
}

void Progress::Update(std::int64_t done, std::string_view note) {
  done_ = done;
  if (!shown_) return;
  const double now = MonotonicSeconds();
  if (terminal_) {
    if (now - last_shown_ < kTerminalInterval) return;
    std::fprintf(stderr, "\r\x1b[K%s", Line(note).c_str());
    std::fflush(stderr);
    dirty_ = true;
  } else {
    const bool tenth = total_ > 0 &&
                       done * 10 / total_ > last_done_ * 10 / total_ &&
                       now - last_shown_ >= 1.0;
    if (!tenth && now - last_shown_ < kPlainInterval) return;
    std::fprintf(stderr, "%s\n", Line(note).c_str());
  }
  last_shown_ = now;
  last_done_ = done;
}

void Progress::Finish(std::string_view note) {
  if (!shown_) return;
  if (dirty_) std::fputs("\r\x1b[K", stderr);
  dirty_ = false;
  std::fprintf(stderr, "%s, %s\n", Line(note).c_str(),
               FormatSeconds(MonotonicSeconds() - start_).c_str());
}

}  // namespace tailmark
