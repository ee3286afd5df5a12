#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tailmark::fetch {

/// Nothing waits longer than this.
struct HttpLimits {
  double connect_seconds = 20;
  double stall_seconds = 30;                         ///< Without a byte.
  std::int64_t most_bytes = std::int64_t{64} << 20;  ///< Of one answer.
};

struct HttpAnswer {
  enum class Outcome : std::uint8_t {
    kDone,
    kTryAgain,  ///< Cut off, stalled, 429 or 5xx: may work later.
    kRefused,   ///< 4xx and the like: this address will not give it.
    kStopped    ///< The sink had enough, or a signal arrived.
  };
  Outcome outcome = Outcome::kTryAgain;
  std::string reason;       ///< "503", "stalled for 30 s"; "" when done.
  long status = 0;          ///< 0: none came.
  double wait_seconds = 0;  ///< What the server asked for (Retry-After).
};

/// Where a body goes.
struct HttpSink {
  /// Called before the first byte with the offset it has in the whole: the one
  /// asked for, or 0 when the server sends all. `total` is -1 when unknown.
  std::function<void(std::int64_t offset, std::int64_t total)> begin;
  /// False: enough. Neither may throw.
  std::function<bool(std::string_view bytes)> take;
};

/// A client that keeps its connection between calls. One thread at a time; each
/// thread has its own.
class HttpClient {
 public:
  explicit HttpClient(HttpLimits limits);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// GET from byte `offset` on. http and https only, at most five redirects.
  /// Bodies of answers other than 200 and 206 are dropped. Never throws.
  HttpAnswer Get(const std::string& url, std::int64_t offset,
                 const HttpSink& sink);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// How often and how patiently.
struct RetryRules {
  int attempts = 6;          ///< Of one address, each in turn.
  double first_wait = 0.5;   ///< Seconds; doubles each time.
  double longest_wait = 30;  ///< Also of what a server asks for.
};

/// Seconds before attempt `attempt` (from 1).
double WaitBefore(int attempt, const RetryRules& rules, const HttpAnswer& last);

/// Sleeps; false when a signal arrived meanwhile.
bool SleepUnlessInterrupted(double seconds);

}  // namespace tailmark::fetch
