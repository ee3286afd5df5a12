#pragma once

#include <memory>

#include "harness/launch/lease.h"
#include "harness/launch/plan.h"
#include "harness/launch/task_run.h"

namespace tailmark {

/// One task under a lease. Who gets it goes on from what holders before him
/// left; what he does not finish lies where any launcher looks.
class LeasedTask {
 public:
  /// Nothing while somebody else has the task. `task` must outlive it. Throws
  /// StoreError.
  static std::unique_ptr<LeasedTask> Try(const PlanTask& task,
                                         const LaunchOptions& options,
                                         LeaseBook& book);
  /// To be called when no worker of it runs any more.
  ~LeasedTask();
  LeasedTask(const LeasedTask&) = delete;
  LeasedTask& operator=(const LeasedTask&) = delete;

  /// The options given, with files and the right to keep results of this lease.
  const LaunchOptions& launch() const { return launch_; }
  /// Looks now whether it is still ours.
  bool Ours() { return lease_->Ours(); }
  /// As the last beat found it.
  bool lost() const { return lease_->lost(); }
  /// Its bundle is there: nobody needs a lease of it any more.
  void Finished() { finished_ = true; }

 private:
  LeasedTask(const PlanTask& task, const LaunchOptions& options,
             std::unique_ptr<Lease> lease);
  TaskFiles FilesAt(std::int64_t generation) const;
  void TakeOver() const;
  void Leave() const;

  const PlanTask& task_;
  std::unique_ptr<Lease> lease_;
  LaunchOptions launch_;
  bool finished_ = false;
};

}  // namespace tailmark
