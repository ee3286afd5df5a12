#include "harness/base/error.h"
#include "harness/base/progress.h"
#include "harness/launch/plan.h"

namespace tailmark {

std::string OriginWord(const std::string& from) {
  return from.empty() ? "unknown" : from;
}

std::string CostOf(std::span<const PlanTask> tasks) {
  double seconds = 0;
  std::int64_t fresh = 0;
  std::int64_t recorded = 0;
  std::int64_t declared = 0;
  for (const PlanTask& task : tasks) {
    if (task.state != RunState::kPlanned) continue;
    ++fresh;
    if (!task.estimate_s) continue;
    seconds += *task.estimate_s;
    ++(task.estimate_from == "declared" ? declared : recorded);
  }
  std::string out = StrCat(fresh, " to run");
  if (fresh == 0) return out;
  const std::int64_t known = recorded + declared;
  if (known == 0) return out + ", time unknown";
  out += StrCat(", about ", FormatSeconds(seconds), " of one worker (");
  if (recorded > 0) out += StrCat(recorded, " recorded");
  if (recorded > 0 && declared > 0) out += ", ";
  if (declared > 0) out += StrCat(declared, " declared");
  out += ")";
  if (known < fresh) out += StrCat(" and ", fresh - known, " of unknown time");
  return out;
}

}  // namespace tailmark
