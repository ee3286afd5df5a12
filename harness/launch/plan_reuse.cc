#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "harness/base/error.h"
#include "harness/base/suggest.h"
#include "harness/launch/plan.h"

namespace tailmark {
namespace {

using Lookup = std::function<std::optional<StoredRun>(const PlanTask&)>;

bool IsFailure(RunState state) {
  return state == RunState::kFailed || state == RunState::kTimeout ||
         state == RunState::kOom || state == RunState::kKilled ||
         state == RunState::kLost;
}

/// Goes through a plan from what starts last to what starts first, so that it
/// is known of each whether anything that is still to run starts from it.
class Marker {
 public:
  Marker(Plan& plan, Reuse reuse, const Rerun& rerun, const Lookup& same_key,
         const Lookup& same_recipe)
      : plan_(plan),
        reuse_(reuse),
        rerun_(rerun),
        same_key_(same_key),
        same_recipe_(same_recipe),
        planned_(plan.tasks) {
    for (std::size_t i = 0; i < planned_.size(); ++i) {
      index_[planned_[i].key] = i;
    }
  }

  void Mark() {
    for (const std::size_t i : LastFirst()) MarkOne(plan_.tasks[i]);
  }

 private:
  std::vector<std::size_t> LastFirst() const {
    std::vector<std::size_t> order;
    std::set<std::size_t> seen;
    for (std::size_t i = 0; i < planned_.size(); ++i) Visit(i, seen, order);
    std::reverse(order.begin(), order.end());
    return order;
  }

  void Visit(std::size_t i, std::set<std::size_t>& seen,
             std::vector<std::size_t>& order) const {
    if (!seen.insert(i).second) return;
    for (const RunNeed& need : planned_[i].spec.identity.needs) {
      if (const auto it = index_.find(need.key); it != index_.end()) {
        Visit(it->second, seen, order);
      }
    }
    order.push_back(i);
  }

  void MarkOne(PlanTask& task) {
    if (task.state != RunState::kPlanned) return;
    const bool needed = needed_.contains(task.key);
    if (reuse_ != Reuse::kNone) {
      if (!needed && !task.row()) {
        task.state = RunState::kDone;
        return;
      }
      Look(task, needed);
    }
    if (task.state != RunState::kPlanned) return;
    for (const RunNeed& need : task.spec.identity.needs) {
      needed_.insert(need.key);
    }
  }

  void Look(PlanTask& task, bool needed) const {
    std::optional<StoredRun> found = same_key_(task);
    const bool this_build = found && found->state == RunState::kDone;
    // What others start from is of their own build.
    if (!this_build && !needed && reuse_ == Reuse::kSameRecipe &&
        !rerun_.stale) {
      if (const auto other = same_recipe_(task)) found = other;
    }
    const bool done = found && found->state == RunState::kDone;
    if (done && (!needed || (found->has_state && found->has_state()))) {
      MoveToBuild(found->build, task.spec);
      task.key = RunKey(task.spec);
      task.state = RunState::kDone;
    } else if (!needed && (found && IsFailure(found->state)
                               ? !rerun_.failed
                               : !rerun_.missing && !rerun_.stale)) {
      task.state = RunState::kSkipped;
      task.reason = found ? StrCat("left as it is (", NameOf(found->state),
                                   ") by --rerun: ", found->reason)
                          : "left out by --rerun";
    }
  }

  /// `spec` as it would have been planned for another build.
  void MoveToBuild(const std::string& build, RunSpec& spec) const {
    if (spec.build == build) return;
    spec.build = build;
    for (RunNeed& need : spec.identity.needs) {
      const auto it = index_.find(need.key);
      if (it == index_.end()) continue;
      RunSpec needed = planned_[it->second].spec;
      MoveToBuild(build, needed);
      need.key = RunKey(needed);
    }
  }

  Plan& plan_;
  Reuse reuse_;
  Rerun rerun_;
  const Lookup& same_key_;
  const Lookup& same_recipe_;
  const std::vector<PlanTask> planned_;
  std::map<std::string, std::size_t> index_;
  std::set<std::string> needed_;  // Keys.
};

}  // namespace

Reuse ReuseFromName(std::string_view name) {
  const std::vector<std::string> names = {"same-build", "same-recipe", "none"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<Reuse>(i);
  }
  throw ConfigError(UnknownName("reuse policy", name, names));
}

Rerun RerunFromText(std::string_view text) {
  const std::vector<std::string> names = {"failed", "missing", "stale"};
  Rerun rerun{.failed = false, .missing = false, .stale = false};
  const std::array<bool*, 3> members = {&rerun.failed, &rerun.missing,
                                        &rerun.stale};
  while (true) {
    const std::string_view word = text.substr(0, text.find(','));
    bool found = false;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i] != word) continue;
      *members[i] = true;
      found = true;
    }
    if (!found)
      throw ConfigError("--rerun: " + UnknownName("word", word, names));
    if (word.size() == text.size()) return rerun;
    text.remove_prefix(word.size() + 1);
  }
}

void MarkReused(
    Plan& plan, Reuse reuse, const Rerun& rerun,
    const std::function<std::optional<StoredRun>(const PlanTask&)>& same_key,
    const std::function<std::optional<StoredRun>(const PlanTask&)>&
        same_recipe) {
  Marker(plan, reuse, rerun, same_key, same_recipe).Mark();
}

}  // namespace tailmark
