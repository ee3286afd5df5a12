#pragma once

#include <cstdint>
#include <string>

namespace tailmark {

/// The only place that asks what time it is. No score depends on it.

/// Now, "2026-01-31T12:00:00Z".
std::string UtcNow();
/// Seconds since some fixed point; never goes back.
double MonotonicSeconds();
/// User plus system time of this process, seconds.
double ProcessCpuSeconds();
/// Largest resident set of this process so far, bytes.
std::int64_t PeakResidentBytes();

/// Seconds since construction.
class Stopwatch {
 public:
  Stopwatch() : start_(MonotonicSeconds()) {}
  double Seconds() const { return MonotonicSeconds() - start_; }

 private:
  double start_;
};

}  // namespace tailmark
