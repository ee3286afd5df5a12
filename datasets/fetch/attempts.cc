#include "datasets/fetch/attempts.h"

#include "harness/base/error.h"
#include "harness/base/interrupt.h"
#include "harness/base/progress.h"

namespace tailmark::fetch {
namespace fs = std::filesystem;
namespace {

using Outcome = HttpAnswer::Outcome;

std::string AskOne(const std::string& url, const RetryRules& rules,
                   const TryOnce& try_once) {
  HttpAnswer answer;
  std::string failure;
  for (int attempt = 1; attempt <= rules.attempts; ++attempt) {
    if (attempt > 1 &&
        !SleepUnlessInterrupted(WaitBefore(attempt - 1, rules, answer))) {
      return "interrupted";
    }
    failure = try_once(url, answer);
    if (failure.empty() || answer.outcome == Outcome::kRefused ||
        answer.outcome == Outcome::kStopped || InterruptSignal() != 0) {
      return failure;
    }
  }
  return StrCat(failure, " (", rules.attempts, " attempts)");
}

}  // namespace

std::string AskInTurn(std::span<const std::string> urls,
                      const RetryRules& rules, const TryOnce& try_once) {
  std::string why;
  for (const std::string& url : urls) {
    const std::string failure = AskOne(url, rules, try_once);
    if (failure.empty()) return "";
    why += StrCat(why.empty() ? "" : "; ", url, ": ", failure);
    if (InterruptSignal() != 0) break;
  }
  return why.empty() ? "no address" : why;
}

void RequireRoomFor(const fs::path& target, std::int64_t bytes) {
  std::error_code error;
  const auto space = fs::space(target.parent_path(), error);
  if (error || bytes <= static_cast<std::int64_t>(space.available)) return;
  throw StoreError(StrCat(target.string(), " needs about ",
                          FormatBytes(static_cast<double>(bytes)),
                          ", there is room for ",
                          FormatBytes(static_cast<double>(space.available))));
}

}  // namespace tailmark::fetch
