#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/launch/feedback_server.h"
#include "harness/launch/key_lock.h"
#include "harness/launch/plan.h"
#include "harness/launch/subprocess.h"
#include "harness/record/bundle.h"

namespace tailmark {

/// How workers are started.
struct LaunchOptions {
  std::filesystem::path bundles;  ///< The store's; made when absent.
  std::filesystem::path worker;   ///< The program.
  bool force = false;             ///< Run although a finished bundle is there.
  double grace_s = 10;            ///< Between SIGTERM and SIGKILL.
  std::string device;             ///< "cuda:1"; "": as the spec says.
  std::vector<int> cores;  ///< The worker may use these alone; empty: any.
  /// A worker stops with a checkpoint after so much; 0: never. RunPlace.
  double stop_after_s = 0;
  std::int64_t stop_after_epochs = 0;
  std::int64_t stop_after_steps = 0;
  /// Of a lease (lease.h): each has files of its own, so that a process which
  /// lost its lease and does not know it yet disturbs nobody. 0: none.
  std::int64_t generation = 0;
  std::vector<int> keep_open;  ///< Descriptors that the worker inherits.
  /// Workers may be forks of one that is loaded (fork_server.h), which have its
  /// layout of memory in common.
  bool forks = true;
  /// With a lease: whether it is still ours. What ends without it is nobody's.
  std::function<bool()> ours;
  /// mAP in percent of the test scores in a file, by the recipe's definition:
  /// the answer to a run of tag `test_feedback`. Empty: such runs refuse to
  /// start.
  std::function<double(const PlanTask&, const std::filesystem::path&)> feedback;
};

/// The program that executes runs: $TAILMARK_WORKER, else tailmark-worker
/// beside this one. Throws ConfigError when there is none.
std::filesystem::path WorkerProgram();
/// Whether workers may be forks of one that stays loaded (fork_server.h). Not
/// where TAILMARK_WORKER names the program, which may look at its words, and
/// not where variables tell OpenMP to tie threads to cores.
bool WorkerServes();

/// What became of a task.
struct TaskResult {
  /// kDone, kFailed, kTimeout, kOom, kKilled; kPlanned when it stopped with a
  /// checkpoint.
  RunState state = RunState::kPlanned;
  std::string reason;            ///< "" when done.
  std::filesystem::path bundle;  ///< Sealed; "" for kPlanned.
  bool adopted = false;          ///< The bundle was there; nothing was run.
};

/// Files of one key below bundles/. The folder `part` is what a worker writes
/// and, killed, goes on from; `done` and `failed` are sealed.
struct TaskFiles {
  std::filesystem::path done, part, failed, spec, lock;
};
TaskFiles FilesOf(const std::filesystem::path& bundles, const std::string& key,
                  bool force = false, std::int64_t generation = 0);

/// Whether that is the finished bundle of the task, as it was sealed, with all
/// that the task asks for. Reads it whole.
bool IsBundleOf(const PlanTask& task, const std::filesystem::path& bundle);

/// One task from lock to sealed bundle. Every step may be the last thing this
/// process does: the next one goes on from what lies there.
class TaskRun {
 public:
  /// `task` and `options` must outlive it.
  TaskRun(const PlanTask& task, const LaunchOptions& options);
  ~TaskRun();
  TaskRun(const TaskRun&) = delete;
  TaskRun& operator=(const TaskRun&) = delete;

  /// Takes the lock; nothing when another process works on the key, or took it
  /// over meanwhile. A finished bundle is a result at once, else the worker is
  /// started. Throws StoreError.
  enum class Started { kBusy, kFinished, kRunning };
  Started Start();
  /// The result once there is one. Throws StoreError when it cannot be kept.
  std::optional<TaskResult> Poll();
  /// Asks the worker to stop with a checkpoint.
  void Stop();

  const PlanTask& task() const { return task_; }
  const TaskFiles& files() const { return files_; }
  Subprocess* process() { return process_.get(); }
  /// REQUIRES: Start() said kFinished.
  const TaskResult& result() const { return result_; }

 private:
  Started Begin();
  void OpenFeedback(ProcessOptions& process);
  void Confine(ProcessOptions& process);
  std::optional<TaskResult> Adopt();
  TaskResult KeepOnce();
  TaskResult Finish(const ProcessEnd& end);
  TaskResult Fail(const ProcessEnd& end);
  RunRecord FailedRecord(const ProcessEnd& end) const;

  const PlanTask& task_;
  const LaunchOptions& options_;
  TaskFiles files_;
  std::unique_ptr<KeyLock> lock_;
  std::unique_ptr<FeedbackServer> feedback_;
  std::unique_ptr<Subprocess> process_;
  std::filesystem::path scratch_;  // Of a plugin's run.
  TaskResult result_;
  std::string started_utc_;
  std::int64_t oom_kills_ = 0;
};

/// What another process left as the failure of this key, unless that is older
/// than `since` (of the file system's clock).
std::optional<TaskResult> FailedElsewhere(
    const TaskFiles& files, std::filesystem::file_time_type since);

/// Makes a finished bundle a failed one: what ingest found wrong. The folder's
/// new place.
std::filesystem::path MarkBundleFailed(const std::filesystem::path& bundle);

}  // namespace tailmark
