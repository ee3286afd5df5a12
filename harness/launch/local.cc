#include "harness/launch/local.h"

#include <algorithm>
#include <deque>
#include <map>
#include <memory>

#include "harness/base/clock.h"
#include "harness/base/error.h"
#include "harness/base/interrupt.h"
#include "harness/base/progress.h"
#include "harness/launch/campaign_view.h"
#include "harness/launch/leased_task.h"
#include "harness/record/bundle.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

constexpr double kBusyInterval = 0.3;  // between looks at a lock, seconds
constexpr double kTick = 0.1;          // between looks at limits, seconds

std::string TitleOf(const PlanTask& task) {
  return StrCat(task.label, " on ", task.spec.identity.dataset, ", seed ",
                task.spec.seed);
}

class LocalRun {
 public:
  LocalRun(const Plan& plan, const LocalOptions& options)
      : plan_(plan),
        options_(options),
        view_(options.quiet),
        book_(options.launch.bundles, options.beat_s),
        results_(plan.tasks.size()),
        tries_(plan.tasks.size()),
        ended_(plan.tasks.size(), false),
        taken_(std::max<std::size_t>(options.slots.size(), 1), false) {
    for (std::size_t i = 0; i < plan.tasks.size(); ++i) {
      index_[plan.tasks[i].key] = i;
    }
  }

  std::vector<TaskResult> Run() {
    Queue();
    while (!queue_.empty() || !active_.empty()) {
      if (InterruptSignal() != 0) {
        StopAll();
        throw Interrupted(InterruptSignal());
      }
      if (options_.give_up && options_.give_up()) {
        queue_.clear();
        StopAll();
        break;
      }
      Fill();
      LetGoOfLost();
      Wait();
      Collect();
      Show();
    }
    return std::move(results_);
  }

 private:
  struct Active {
    std::size_t index;
    std::size_t slot;
    std::unique_ptr<LaunchOptions> launch;
    std::unique_ptr<LeasedTask> lease;  ///< Null when the caller has one.
    std::unique_ptr<TaskRun> run;       ///< Uses both.
    EventsTail events;
  };

  /// Another process has it.
  struct Busy {
    fs::file_time_type since;
    double until = 0;  ///< Not looked at before.
  };

  void Queue() {
    for (std::size_t i = 0; i < plan_.tasks.size(); ++i) {
      const PlanTask& task = plan_.tasks[i];
      results_[i] = {.state = task.state, .reason = task.reason, .bundle = {}};
      if (task.state == RunState::kPlanned) {
        queue_.push_back(i);
      } else {
        ended_[i] = true;
        if (task.state == RunState::kDone) SweepLease(task);
        if (task.state != RunState::kDone) ++left_out_;
      }
    }
    total_ = static_cast<std::int64_t>(queue_.size());
    // Longest first, so that no long one is left over at the end; what others
    // start from is as long as all of them in a row.
    std::vector<double> weights(plan_.tasks.size());
    for (const std::size_t i : queue_) Weigh(i, 0, weights);
    std::stable_sort(queue_.begin(), queue_.end(),
                     [&](auto a, auto b) { return weights[a] > weights[b]; });
  }

  /// Who was killed between keeping a result and letting go of its lease.
  void SweepLease(const PlanTask& task) {
    if (!fs::exists(options_.launch.bundles / (task.key + ".leases"))) return;
    const auto lease = LeasedTask::Try(task, options_.launch, book_);
    if (lease) lease->Finished();
  }

  /// `behind`: seconds of what waits for this one.
  void Weigh(std::size_t i, double behind, std::vector<double>& weights) const {
    // What nobody knows may be long.
    const double all = behind + plan_.tasks[i].estimate_s.value_or(1e9);
    if (all <= weights[i]) return;
    weights[i] = all;
    for (const RunNeed& need : plan_.tasks[i].spec.identity.needs) {
      if (const auto it = index_.find(need.key); it != index_.end()) {
        Weigh(it->second, all, weights);
      }
    }
  }

  /// Why a task does not start now.
  struct Obstacle {
    bool passes = true;  ///< False: it will not start in this plan.
    TaskResult instead;  ///< Then.
  };

  std::optional<Obstacle> ObstacleTo(const PlanTask& task) const {
    std::optional<Obstacle> waits;
    for (const RunNeed& need : task.spec.identity.needs) {
      const auto it = index_.find(need.key);
      const bool here = it != index_.end() &&
                        plan_.tasks[it->second].state != RunState::kDone;
      if (!here) {
        if (!FindState(options_.launch.bundles, need.key).empty()) continue;
        return Never(need, "is not among the bundles in " +
                               options_.launch.bundles.string() +
                               ": its task has to run first");
      }
      const TaskResult& before = results_[it->second];
      if (!ended_[it->second]) {
        waits = Obstacle();
      } else if (before.state == RunState::kPlanned) {
        return Obstacle{.passes = false, .instead = before};
      } else if (before.state != RunState::kDone) {
        return Never(need,
                     StrCat("is ", NameOf(before.state), ": ", before.reason));
      }
    }
    return waits;
  }

  static Obstacle Never(const RunNeed& need, const std::string& why) {
    return {
        .passes = false,
        .instead = {.state = RunState::kSkipped,
                    .reason = StrCat("it starts from ", need.role, " (",
                                     need.key.substr(0, 12), "), which ", why),
                    .bundle = {}}};
  }

  /// Starts what there is room for. Busy keys go to the end of the queue.
  void Fill() {
    const double now = MonotonicSeconds();
    for (std::size_t looked = queue_.size();
         looked > 0 && active_.size() < taken_.size(); --looked) {
      const std::size_t index = queue_.front();
      queue_.pop_front();
      if (const auto it = busy_.find(index);
          it != busy_.end() && now < it->second.until) {
        queue_.push_back(index);
        continue;
      }
      if (const auto obstacle = ObstacleTo(plan_.tasks[index])) {
        if (obstacle->passes) {
          queue_.push_back(index);
        } else {
          End(index, obstacle->instead);
        }
        continue;
      }
      if (!Fits(plan_.tasks[index])) {
        queue_.push_back(index);
        continue;
      }
      StartOne(index);
    }
  }

  bool Fits(const PlanTask& task) const {
    if (options_.memory == 0 || active_.empty()) return true;
    std::int64_t bytes = task.rss_bytes;
    for (const Active& each : active_) {
      bytes += plan_.tasks[each.index].rss_bytes;
    }
    return bytes <= options_.memory;
  }

  std::size_t FreeSlot() const {
    return static_cast<std::size_t>(
        std::find(taken_.begin(), taken_.end(), false) - taken_.begin());
  }

  /// The options as they are in a slot.
  LaunchOptions In(std::size_t slot) const {
    LaunchOptions launch = options_.launch;
    if (slot < options_.slots.size()) {
      launch.device = options_.slots[slot].device;
      launch.cores = options_.slots[slot].cores;
    }
    return launch;
  }

  void StartOne(std::size_t index) {
    const PlanTask& task = plan_.tasks[index];
    const std::size_t slot = FreeSlot();
    auto launch = std::make_unique<LaunchOptions>(In(slot));
    std::unique_ptr<LeasedTask> lease;
    if (launch->generation == 0) {
      lease = LeasedTask::Try(task, *launch, book_);
      if (!lease) return SayBusy(index);
    }
    auto run =
        std::make_unique<TaskRun>(task, lease ? lease->launch() : *launch);
    if (const auto busy = busy_.find(index); busy != busy_.end()) {
      if (const auto failed =
              FailedElsewhere(run->files(), busy->second.since)) {
        return End(index, *failed);
      }
    }
    switch (run->Start()) {
      case TaskRun::Started::kBusy:
        return SayBusy(index);
      case TaskRun::Started::kFinished:
        End(index, run->result());
        if (lease) lease->Finished();
        return;
      case TaskRun::Started::kRunning: {
        EventsTail events(run->files().part / "events.jsonl");
        taken_[slot] = true;
        active_.push_back({index, slot, std::move(launch), std::move(lease),
                           std::move(run), std::move(events)});
        return;
      }
    }
  }

  void SayBusy(std::size_t index) {
    const auto [busy, fresh] = busy_.try_emplace(index);
    if (fresh) {
      view_.Say(StrCat("waiting ", TitleOf(plan_.tasks[index]),
                       ": another process works on it"));
      busy->second.since = fs::file_time_type::clock::now();
    }
    busy->second.until = MonotonicSeconds() + kBusyInterval;
    queue_.push_back(index);
  }

  /// This process slept for so long that others took over.
  void LetGoOfLost() {
    for (Active& each : active_) {
      if (each.lease && each.lease->lost()) each.run->Stop();
    }
  }

  void Wait() {
    std::vector<Subprocess*> processes;
    for (Active& each : active_) processes.push_back(each.run->process());
    Subprocess::WaitForAny(processes, kTick);
  }

  void Collect() {
    for (std::size_t i = 0; i < active_.size();) {
      const auto result = active_[i].run->Poll();
      if (!result) {
        ++i;
        continue;
      }
      // Its lease is held until the result is in the store.
      const Active ended = std::move(active_[i]);
      active_.erase(active_.begin() + static_cast<std::ptrdiff_t>(i));
      taken_[ended.slot] = false;
      Learn(plan_.tasks[ended.index], ended.run->process()->seconds());
      if (ended.lease && !ended.lease->Ours()) {
        SayBusy(ended.index);
        continue;
      }
      End(ended.index, *result);
      if (ended.lease && result->state == RunState::kDone) {
        ended.lease->Finished();
      }
    }
  }

  void End(std::size_t index, TaskResult result) {
    const PlanTask& task = plan_.tasks[index];
    if (result.state != RunState::kPlanned && options_.on_end) {
      const TaskResult kept = options_.on_end(task, result);
      if (result.state == RunState::kDone && kept.state != RunState::kDone) {
        result.bundle = MarkBundleFailed(result.bundle);
      }
      result.state = kept.state;
      result.reason = kept.reason;
    }
    view_.Say(StrCat(
        result.state == RunState::kPlanned ? "stopped" : NameOf(result.state),
        " ", TitleOf(task), result.adopted ? " (found finished)" : "",
        result.reason.empty() ? "" : ": " + result.reason));
    const auto allowed =
        task.limits.retries.find(std::string(NameOf(result.state)));
    if (allowed != task.limits.retries.end() &&
        tries_[index]++ < allowed->second) {
      queue_.push_front(index);
      return;
    }
    ended_[index] = true;
    if (result.state == RunState::kDone) ++done_;
    if (result.state == RunState::kSkipped) {
      ++left_out_;
      --total_;
    } else if (result.state != RunState::kDone &&
               result.state != RunState::kPlanned) {
      ++failed_;
    }
    results_[index] = std::move(result);
  }

  void Show() {
    std::vector<WorkerLine> workers;
    double left = 0;
    bool known = true;
    for (Active& each : active_) {
      Subprocess* process = each.run->process();
      const PlanTask& task = each.run->task();
      workers.push_back({.title = TitleOf(task),
                         .progress = each.events.Read(),
                         .seconds = process->seconds(),
                         .rss = process->rss()});
      left += std::max(0.0, Expected(task, known) - process->seconds());
    }
    for (const std::size_t index : queue_) {
      left += Expected(plan_.tasks[index], known);
    }
    view_.Show(
        {.campaign = plan_.campaign,
         .total = total_,
         .done = done_,
         .failed = failed_,
         .left_out = left_out_,
         .seconds = MonotonicSeconds() - start_,
         .left_s = known ? left / static_cast<double>(taken_.size()) : -1},
        workers);
  }

  void Learn(const PlanTask& task, double seconds) {
    spent_ += seconds;
    if (task.estimate_from != "declared" || !task.estimate_s) return;
    reckoned_.declared += *task.estimate_s;
    reckoned_.took += seconds;
  }

  /// Seconds from the store; else as declared, at the pace that such runs had
  /// here so far; else the mean of what has ended.
  double Expected(const PlanTask& task, bool& known) const {
    if (task.estimate_s) {
      const bool reckoned =
          task.estimate_from == "declared" && reckoned_.declared > 0;
      return reckoned ? *task.estimate_s * reckoned_.took / reckoned_.declared
                      : *task.estimate_s;
    }
    const auto ended = done_ + failed_;
    known = known && ended > 0;
    return ended > 0 ? spent_ / static_cast<double>(ended) : 0;
  }

  void StopAll() {
    view_.Say("stopping the workers; `tailmark resume` goes on from here");
    for (Active& each : active_) each.run->Stop();
    while (!active_.empty()) {
      Wait();
      Collect();
    }
  }

  const Plan& plan_;
  const LocalOptions& options_;
  CampaignView view_;
  LeaseBook book_;
  std::vector<TaskResult> results_;
  std::vector<int> tries_;
  std::vector<bool> ended_;
  std::map<std::string, std::size_t> index_;  // Key -> task.
  std::deque<std::size_t> queue_;
  std::vector<bool> taken_;  // By slot.
  std::vector<Active> active_;
  std::map<std::size_t, Busy> busy_;
  std::int64_t total_ = 0;
  std::int64_t done_ = 0;
  std::int64_t failed_ = 0;
  std::int64_t left_out_ = 0;
  double spent_ = 0;
  struct {
    double declared = 0;
    double took = 0;
  } reckoned_;  // Of what has ended and whose method says what it takes.
  double start_ = MonotonicSeconds();
};

}  // namespace

std::vector<TaskResult> RunLocally(const Plan& plan,
                                   const LocalOptions& options) {
  return LocalRun(plan, options).Run();
}

}  // namespace tailmark
