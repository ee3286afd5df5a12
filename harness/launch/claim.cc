#include "harness/launch/claim.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>

#include "harness/base/clock.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/interrupt.h"
#include "harness/launch/leased_task.h"
#include "harness/launch/local.h"
#include "harness/record/bundle.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

// How often one process tries what was killed from outside.
constexpr int kTries = 3;

class Claimer {
 public:
  Claimer(const Plan& plan, const std::vector<std::size_t>& wanted,
          const ClaimOptions& options)
      : plan_(plan),
        options_(options),
        book_(options.launch.bundles, options.beat_s) {
    options_.launch.force = false;
    for (const std::size_t index : wanted) {
      const PlanTask& task = plan.tasks.at(index);
      order_.push_back(index);
      results_[index] = {
          .state = task.state, .reason = task.reason, .bundle = {}};
      if (task.state != RunState::kPlanned) ended_[task.key] = task.state;
    }
    std::stable_sort(order_.begin(), order_.end(),
                     [&](auto a, auto b) { return Expected(a) > Expected(b); });
  }

  std::vector<TaskResult> Run(const std::vector<std::size_t>& wanted) {
    while (!TimeIsUp() && !AllEnded()) {
      if (!Pass() && !AllEnded()) Pause();
    }
    std::vector<TaskResult> results;
    for (const std::size_t index : wanted) results.push_back(results_[index]);
    return results;
  }

 private:
  double Expected(std::size_t index) const {
    // What nobody knows may be long.
    return plan_.tasks[index].estimate_s.value_or(1e9);
  }
  bool TimeIsUp() const {
    return options_.launch.stop_after_s > 0 && TimeLeft() <= 0;
  }
  double TimeLeft() const {
    return options_.launch.stop_after_s - (MonotonicSeconds() - start_);
  }
  bool AllEnded() const {
    return std::all_of(order_.begin(), order_.end(), [&](std::size_t index) {
      return ended_.contains(plan_.tasks[index].key);
    });
  }

  void Pause() const {
    const double until = MonotonicSeconds() + options_.beat_s;
    while (MonotonicSeconds() < until && !TimeIsUp()) {
      ThrowIfInterrupted();
      std::this_thread::sleep_for(
          std::chrono::duration<double>(std::min(0.1, options_.beat_s / 4)));
    }
  }

  /// Whether anything ended or was worked on.
  bool Pass() {
    bool any = false;
    for (const std::size_t index : order_) {
      if (TimeIsUp()) break;
      const PlanTask& task = plan_.tasks[index];
      if (ended_.contains(task.key)) continue;
      if (Look(index)) {
        any = true;
      } else if (!Waits(task)) {
        any = RunOne(index) || any;
      }
    }
    return any;
  }

  /// Takes over how it ended elsewhere.
  bool Look(std::size_t index) {
    const PlanTask& task = plan_.tasks[index];
    const TaskFiles files = FilesOf(options_.launch.bundles, task.key);
    // One that others start from has to be whole, or it is made again.
    if (task.spec.place.keep_state ? IsBundleOf(task, files.done)
                                   : IsSealed(files.done)) {
      End(index, {.state = RunState::kDone,
                  .reason = {},
                  .bundle = files.done,
                  .adopted = true});
      return true;
    }
    if (options_.again) return false;
    const auto failed = FailedElsewhere(files, fs::file_time_type::min());
    if (!failed || failed->state == RunState::kKilled) return false;
    End(index, *failed);
    return true;
  }

  /// What it starts from is still to come, from somebody.
  bool Waits(const PlanTask& task) const {
    for (const RunNeed& need : task.spec.identity.needs) {
      const bool here =
          std::any_of(order_.begin(), order_.end(), [&](std::size_t index) {
            return plan_.tasks[index].key == need.key;
          });
      if (here && !ended_.contains(need.key)) return true;
    }
    return false;
  }

  /// False when somebody else has it.
  bool RunOne(std::size_t index) {
    const PlanTask& task = plan_.tasks[index];
    const auto leased = LeasedTask::Try(task, options_.launch, book_);
    if (!leased) return false;
    const TaskResult result = RunUnder(*leased, task);
    if (!leased->Ours()) return true;
    if (result.state == RunState::kDone) leased->Finished();
    const bool again =
        result.state == RunState::kKilled && ++tries_[task.key] < kTries;
    const bool ended = result.state != RunState::kPlanned && !again;
    results_[index] = result;
    if (ended) End(index, result);
    return true;
  }

  TaskResult RunUnder(LeasedTask& leased, const PlanTask& task) {
    Plan one = plan_;
    one.tasks = {task};
    LocalOptions local;
    local.launch = leased.launch();
    if (options_.launch.stop_after_s > 0) {
      local.launch.stop_after_s = std::max(TimeLeft(), 0.01);
    }
    local.quiet = options_.quiet;
    local.give_up = [&leased] { return leased.lost(); };
    return RunLocally(one, local).at(0);
  }

  void End(std::size_t index, const TaskResult& result) {
    results_[index] = result;
    ended_[plan_.tasks[index].key] = result.state;
  }

  const Plan& plan_;
  ClaimOptions options_;
  LeaseBook book_;
  std::vector<std::size_t> order_;
  std::map<std::size_t, TaskResult> results_;
  std::map<std::string, RunState> ended_;  // By key.
  std::map<std::string, int> tries_;       // By key.
  double start_ = MonotonicSeconds();
};

}  // namespace

std::vector<TaskResult> RunClaimed(const Plan& plan,
                                   const std::vector<std::size_t>& wanted,
                                   const ClaimOptions& options) {
  return Claimer(plan, wanted, options).Run(wanted);
}

}  // namespace tailmark
