#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "harness/launch/plan.h"
#include "harness/launch/slots.h"
#include "harness/launch/task_run.h"

namespace tailmark {

struct LocalOptions {
  LaunchOptions launch;
  /// One worker at a time in each; at least one.
  std::vector<Slot> slots = {Slot()};
  /// What is known to need more than is left of this waits, unless it would be
  /// alone. Bytes; 0: no limit. PlanTask::rss_bytes.
  std::int64_t memory = 0;
  /// Of the leases that tasks are held by, so that launchers on any machines
  /// share one store. Without when `launch.generation` says that the caller has
  /// one.
  double beat_s = 10;
  bool quiet = false;  ///< No progress on stderr.
  /// Called on the calling thread the moment a run ends, before the next
  /// starts: keeps it in the store. What it returns replaces the result: a
  /// bundle that scoring finds wrong is no longer done, and is set aside. A
  /// kSkipped one has no bundle.
  std::function<TaskResult(const PlanTask&, const TaskResult&)> on_end;
  /// Asked again and again: true stops the workers with a checkpoint, and what
  /// has not ended stays kPlanned.
  std::function<bool()> give_up;
};

/// Runs every kPlanned task, one process a slot, longest first, each once what
/// it starts from is done; when that failed, it is kSkipped with the reason.
/// Returns one result a task, in the order of the plan (those of other states
/// as the plan has them). Tasks that another process works on are waited for,
/// and what became of them there is taken over. Throws Interrupted after SIGINT
/// or SIGTERM, when the workers have stopped; StoreError when results cannot be
/// kept.
std::vector<TaskResult> RunLocally(const Plan& plan,
                                   const LocalOptions& options);

}  // namespace tailmark
