#include "datasets/fetch/http.h"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cmath>
#include <mutex>
#include <thread>

#include "harness/base/error.h"
#include "harness/base/interrupt.h"

namespace tailmark::fetch {
namespace {

constexpr long kMostRedirects = 5;
constexpr double kSlice = 0.02;

std::int64_t NumberIn(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  std::int64_t number = -1;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

bool StartsWithNoCase(std::string_view text, std::string_view lower) {
  return text.size() >= lower.size() &&
         std::equal(lower.begin(), lower.end(), text.begin(),
                    [](char a, char b) {
                      return a == std::tolower(static_cast<unsigned char>(b));
                    });
}

bool Temporary(long status) {
  return status == 408 || status == 425 || status == 429 || status >= 500;
}

}  // namespace

struct HttpClient::State {
  HttpLimits limits;
  CURL* curl = nullptr;

  // Of the answer that is coming in.
  const HttpSink* sink = nullptr;
  std::int64_t asked = 0;
  long status = 0;
  std::int64_t range_start = -1;
  std::int64_t total = -1;
  std::int64_t length = -1;
  std::int64_t taken = 0;
  double retry_after = 0;
  bool begun = false;
  bool enough = false;
  bool too_long = false;
  bool wrong_range = false;

  void Header(std::string_view line) {
    if (line.starts_with("HTTP/")) {  // Also that of each redirect.
      status = static_cast<long>(
          NumberIn(line.substr(std::min(line.find(' '), line.size()))));
      range_start = total = length = -1;
      retry_after = 0;
    } else if (StartsWithNoCase(line, "content-range: bytes ")) {
      line.remove_prefix(std::string_view("content-range: bytes ").size());
      range_start = NumberIn(line);
      const auto slash = line.find('/');
      if (slash != line.npos) total = NumberIn(line.substr(slash + 1));
    } else if (StartsWithNoCase(line, "content-length:")) {
      length =
          NumberIn(line.substr(std::string_view("content-length:").size()));
    } else if (StartsWithNoCase(line, "retry-after:")) {
      retry_after = static_cast<double>(std::max<std::int64_t>(
          0, NumberIn(line.substr(std::string_view("retry-after:").size()))));
    }
  }

  bool Begin() {
    begun = true;
    const bool partial = status == 206;
    if (partial && range_start != asked) {
      wrong_range = true;
      return false;
    }
    sink->begin(partial ? asked : 0, partial ? total : length);
    return true;
  }

  bool Body(std::string_view bytes) {
    if (status != 200 && status != 206) return true;
    if (!begun && !Begin()) return false;
    taken += static_cast<std::int64_t>(bytes.size());
    if (taken > limits.most_bytes) {
      too_long = true;
      return false;
    }
    if (sink->take(bytes)) return true;
    enough = true;
    return false;
  }

  HttpAnswer Judge(CURLcode code) const {
    using Outcome = HttpAnswer::Outcome;
    const auto answer = [&](Outcome outcome, std::string reason) {
      return HttpAnswer{.outcome = outcome,
                        .reason = std::move(reason),
                        .status = status,
                        .wait_seconds = retry_after};
    };
    if (enough || InterruptSignal() != 0)
      return answer(Outcome::kStopped, "stopped");
    if (too_long) {
      return answer(Outcome::kRefused,
                    StrCat("more than ", limits.most_bytes, " bytes"));
    }
    if (wrong_range)
      return answer(Outcome::kTryAgain, "another range than asked for");
    if (code == CURLE_OPERATION_TIMEDOUT) {
      return answer(Outcome::kTryAgain,
                    StrCat("no byte for ", limits.stall_seconds, " s"));
    }
    if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT ||
        code == CURLE_TOO_MANY_REDIRECTS || code == CURLE_FILESIZE_EXCEEDED) {
      return answer(Outcome::kRefused, curl_easy_strerror(code));
    }
    if (code != CURLE_OK)
      return answer(Outcome::kTryAgain, curl_easy_strerror(code));
    if (status == 200 || status == 206) return answer(Outcome::kDone, "");
    return answer(Temporary(status) || status == 416 ? Outcome::kTryAgain
                                                     : Outcome::kRefused,
                  StrCat("HTTP ", status));
  }
};

namespace {

// libcurl's callbacks: `state` is one of HttpClient's.
template <class State>
std::size_t OnHeader(char* data, std::size_t, std::size_t size, void* state) {
  static_cast<State*>(state)->Header({data, size});
  return size;
}
template <class State>
std::size_t OnBody(char* data, std::size_t, std::size_t size, void* state) {
  return static_cast<State*>(state)->Body({data, size}) ? size : 0;
}
int OnProgress(void*, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return InterruptSignal() == 0 ? 0 : 1;
}

}  // namespace

HttpClient::HttpClient(HttpLimits limits) : state_(std::make_unique<State>()) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  state_->limits = limits;
  state_->curl = curl_easy_init();
  TM_CHECK(state_->curl != nullptr, "libcurl has no memory");
}

HttpClient::~HttpClient() { curl_easy_cleanup(state_->curl); }

HttpAnswer HttpClient::Get(const std::string& url, std::int64_t offset,
                           const HttpSink& sink) {
  CURL* const curl = state_->curl;
  *state_ = State{
      .limits = state_->limits, .curl = curl, .sink = &sink, .asked = offset};
  curl_easy_reset(curl);
  const std::string range = StrCat(offset, "-");
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "tailmark");
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, kMostRedirects);
  if (offset > 0) curl_easy_setopt(curl, CURLOPT_RANGE, range.c_str());
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                   std::lround(state_->limits.connect_seconds * 1000));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME,
                   std::max(1L, std::lround(state_->limits.stall_seconds)));
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, OnHeader<State>);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, state_.get());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, OnBody<State>);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, state_.get());
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, OnProgress);
  const CURLcode code = curl_easy_perform(curl);
  return state_->Judge(code);
}

double WaitBefore(int attempt, const RetryRules& rules,
                  const HttpAnswer& last) {
  const double own = rules.first_wait * std::pow(2, attempt - 1);
  return std::min(rules.longest_wait, std::max(own, last.wait_seconds));
}

bool SleepUnlessInterrupted(double seconds) {
  for (double left = seconds; left > 0 && InterruptSignal() == 0;
       left -= kSlice) {
    std::this_thread::sleep_for(
        std::chrono::duration<double>(std::min(left, kSlice)));
  }
  return InterruptSignal() == 0;
}

}  // namespace tailmark::fetch
