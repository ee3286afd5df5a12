#include "harness/launch/task_run.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <fstream>

#include "harness/base/clock.h"
#include "harness/base/environment.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/log.h"
#include "harness/base/progress.h"
#include "harness/launch/fork_server.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

// What tailmark-worker says when it stopped early with a checkpoint.
constexpr int kCheckpointed = 75;

// A sanitizer maps terabytes that nobody touches: no limit on addresses then.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#elif defined(__has_feature)
constexpr bool kSanitized =
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool kSanitized = false;
#endif

/// Processes the kernel killed for memory in our control group.
std::int64_t OomKills() {
  std::ifstream in("/sys/fs/cgroup/memory.events");
  std::string word;
  std::int64_t count = 0;
  while (in >> word >> count) {
    if (word == "oom_kill") return count;
  }
  return 0;
}

std::string HostName() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

void MoveInto(const fs::path& from, const fs::path& to) {
  std::error_code code;
  fs::remove_all(to, code);
  if (!code) fs::rename(from, to, code);
  if (code) {
    throw StoreError(StrCat(from.string(), ": cannot be moved to ", to.string(),
                            ": ", code.message()));
  }
  SyncFolder(to.parent_path());
}

/// The last lines of what a worker printed, for a reason.
std::string LastLines(std::string tail) {
  constexpr std::size_t kMost = 400;
  while (!tail.empty() &&
         std::isspace(static_cast<unsigned char>(tail.back()))) {
    tail.pop_back();
  }
  if (tail.size() > kMost) tail = "..." + tail.substr(tail.size() - kMost);
  return tail;
}

std::string SignalText(int signal) {
  const char* name = sigabbrev_np(signal);
  return StrCat("signal ", signal, name == nullptr ? "" : " (SIG",
                name == nullptr ? "" : name, name == nullptr ? "" : ")");
}

bool IsDamaged(const fs::path& bundle) try {
  if (IsSealed(bundle)) (void)ReadBundle(bundle);
  return false;
} catch (const DataError&) {
  return true;
}

/// A bundle may have been made when nobody started from it.
bool HasWhatIsAsked(const PlanTask& task, const fs::path& bundle) {
  return !task.spec.place.keep_state ||
         fs::exists(bundle / "state.safetensors");
}

TaskResult TakenOver() {
  return {.state = RunState::kPlanned,
          .reason = "another worker took it over",
          .bundle = {}};
}

}  // namespace

fs::path WorkerProgram() {
  const auto given = GetEnv("TAILMARK_WORKER");
  fs::path path =
      given ? fs::absolute(*given) : ExecutableFolder() / "tailmark-worker";
  if (access(path.c_str(), X_OK) != 0) {
    throw ConfigError(StrCat(
        path.string(), ": no worker there",
        given ? " (from TAILMARK_WORKER)"
              : "; this program was built without the engine, which can plan "
                "and report but not run. Build with -DTAILMARK_ENGINE=ON or "
                "set TAILMARK_WORKER"));
  }
  return path;
}

bool WorkerServes() {
  // OpenMP ties a process to a core when it is loaded, and its forks with it.
  constexpr std::array<std::string_view, 5> kStartsByItself = {
      "TAILMARK_WORKER", "OMP_PROC_BIND", "OMP_PLACES", "GOMP_CPU_AFFINITY",
      "KMP_AFFINITY"};
  return GetAllowedEnv(kStartsByItself).empty();
}

TaskFiles FilesOf(const fs::path& bundles, const std::string& key, bool force,
                  std::int64_t generation) {
  const std::string own =
      generation > 0 ? StrCat(".g", generation) : std::string();
  const auto with = [&](const std::string& suffix) {
    return bundles / (key + suffix);
  };
  return {.done = with(force ? ".forced" : ""),
          .part = with((force ? ".forced" : "") + own + ".part"),
          .failed = with(".failed"),
          .spec = with(own + ".spec.json"),
          .lock = with(own + ".lock")};
}

bool IsBundleOf(const PlanTask& task, const fs::path& bundle) try {
  if (!IsSealed(bundle)) return false;
  const RunRecord record = ReadBundle(bundle);
  return record.state == RunState::kDone && RunKey(record.spec) == task.key &&
         HasWhatIsAsked(task, bundle);
} catch (const DataError&) {
  return false;
} catch (const fs::filesystem_error&) {
  return false;  // A disk that cannot read it; destructors ask, too.
}

fs::path MarkBundleFailed(const fs::path& bundle) {
  fs::path failed = bundle.string() + ".failed";
  MoveInto(bundle, failed);
  return failed;
}

std::optional<TaskResult> FailedElsewhere(const TaskFiles& files,
                                          fs::file_time_type since) try {
  std::error_code code;
  const auto made = fs::last_write_time(files.failed / "DONE", code);
  if (code || made < since) return std::nullopt;
  const RunRecord record = ReadBundle(files.failed);
  return TaskResult{.state = record.state,
                    .reason = record.reason,
                    .bundle = files.failed,
                    .adopted = true};
} catch (const DataError&) {
  return std::nullopt;
}

TaskRun::TaskRun(const PlanTask& task, const LaunchOptions& options)
    : task_(task),
      options_(options),
      files_(FilesOf(options.bundles, task.key, options.force,
                     options.generation)) {}

/// A bundle that is there already, whole and of this key.
std::optional<TaskResult> TaskRun::Adopt() {
  for (const fs::path& place : {files_.done, files_.part}) {
    // A forced run wants a new one, but not twice.
    if (options_.force && place == files_.done) continue;
    if (!IsSealed(place)) continue;
    try {
      const RunRecord record = ReadBundle(place);
      if (record.state != RunState::kDone || RunKey(record.spec) != task_.key) {
        continue;
      }
      if (!HasWhatIsAsked(task_, place)) continue;
      if (place == files_.part) MoveInto(files_.part, files_.done);
      return TaskResult{.state = RunState::kDone,
                        .reason = {},
                        .bundle = files_.done,
                        .adopted = true};
    } catch (const DataError& error) {
      LogWarning(
          StrCat("a bundle is damaged and will be made again: ", error.what()));
    }
  }
  return std::nullopt;
}

TaskRun::Started TaskRun::Start() try {
  return Begin();
} catch (const StoreError&) {
  // Whoever took the key over while this process slept moved its folder away.
  if (!options_.ours || options_.ours()) throw;
  return Started::kBusy;
}

TaskRun::Started TaskRun::Begin() {
  MakeFolders(options_.bundles);
  lock_ = KeyLock::Try(files_.lock);
  if (lock_ == nullptr) return Started::kBusy;
  std::error_code ignored;
  fs::remove_all(files_.failed.string() + ".making", ignored);
  if (auto adopted = Adopt()) {
    fs::remove(files_.spec, ignored);
    result_ = std::move(*adopted);
    return Started::kFinished;
  }
  // Sealed but not usable: nothing to go on from.
  if (fs::exists(files_.part / "DONE")) fs::remove_all(files_.part, ignored);
  MakeFolders(files_.part);
  RunSpec spec = task_.spec;
  spec.place.bundles = options_.bundles;
  if (!options_.device.empty()) spec.place.device = options_.device;
  spec.place.stop_after_s = options_.stop_after_s;
  spec.place.stop_after_epochs = options_.stop_after_epochs;
  spec.place.stop_after_steps = options_.stop_after_steps;
  WriteFileAtomic(files_.spec, ToJson(spec).dump(1) + "\n");

  ProcessOptions process{.program = options_.worker};
  process.arguments = {"run", files_.spec.string(), files_.part.string()};
  process.environment = ThreadVariables(task_.spec.place.threads);
  if (task_.spec.identity.device_type == "cuda") {
    process.environment["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8";
  }
  process.log = files_.part / "log.txt";
  process.wall_s = task_.limits.wall_s;
  process.rss_bytes = task_.limits.rss_bytes;
  process.cpu_s = task_.limits.cpu_s;
  process.silence_s = task_.limits.silence_s;
  process.life = files_.part / "events.jsonl";
  if (!task_.spec.place.plugin.empty()) Confine(process);
  process.grace_s = options_.grace_s;
  process.cores = options_.cores;
  // What a GPU's libraries make of a fork is theirs, and so is what OpenMP
  // knows of cores when it is loaded; such runs take long enough.
  process.fork_loaded = options_.forks && WorkerServes() &&
                        task_.spec.identity.device_type == "cpu" &&
                        task_.spec.place.threads == 1;
  process.keep_open = options_.keep_open;
  process.keep_open.push_back(lock_->descriptor());
  OpenFeedback(process);
  oom_kills_ = OomKills();
  started_utc_ = UtcNow();
  process_ = std::make_unique<Subprocess>(process);
  if (feedback_) feedback_->CloseWorkerEnd();
  return Started::kRunning;
}

/// Third-party code: a scratch folder that goes with it, and no more addresses
/// than the machine has memory.
void TaskRun::Confine(ProcessOptions& process) {
  const auto root = GetEnv("TAILMARK_SCRATCH");
  scratch_ = (root ? fs::path(*root) : fs::temp_directory_path()) /
             StrCat("tailmark-run-", task_.key.substr(0, 16), "-", getpid());
  MakeFolders(scratch_);
  process.environment["TAILMARK_SCRATCH"] = scratch_.string();
  if (kSanitized || task_.spec.identity.device_type != "cpu") return;
  // What is mapped and never touched: libraries, stacks, arenas.
  constexpr std::int64_t kMapped = std::int64_t{16} << 30;
  const std::int64_t machine =
      std::int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE);
  process.address_bytes =
      kMapped + (task_.limits.rss_bytes > 0
                     ? std::min(machine, task_.limits.rss_bytes)
                     : machine);
}

TaskRun::~TaskRun() {
  process_.reset();  // It may still write there.
  std::error_code ignored;
  if (!scratch_.empty()) fs::remove_all(scratch_, ignored);
}

void TaskRun::OpenFeedback(ProcessOptions& process) {
  const auto& tags = task_.spec.tags;
  if (!options_.feedback ||
      std::find(tags.begin(), tags.end(), kFeedbackTag) == tags.end()) {
    return;
  }
  feedback_ = std::make_unique<FeedbackServer>(
      files_.part, [this](const fs::path& scores) {
        return options_.feedback(task_, scores);
      });
  const int descriptor = feedback_->worker_descriptor();
  process.keep_open.push_back(descriptor);
  process.arguments.push_back("--feedback");
  process.arguments.push_back(std::to_string(descriptor));
}

std::optional<TaskResult> TaskRun::Poll() {
  const auto end = process_->Poll();
  if (feedback_) feedback_->Serve();
  if (!end) return std::nullopt;
  TaskResult result = Finish(*end);
  // What goes on another time is known by its spec until then.
  std::error_code ignored;
  if (result.state != RunState::kPlanned) fs::remove(files_.spec, ignored);
  return result;
}

void TaskRun::Stop() {
  if (process_) process_->Stop();
}

/// Of two that finished one task the first one's bundle stays.
TaskResult TaskRun::KeepOnce() {
  std::error_code code;
  // Unless that was damaged since: then a forced run stands in for it.
  const fs::path first = FilesOf(options_.bundles, task_.key).done;
  if (options_.force && IsDamaged(first)) files_.done = first;
  // And one that comes after none is the first: others look for it there.
  if (options_.force && !fs::exists(first)) {
    fs::rename(files_.part, first, code);
    if (!code) {
      SyncFolder(first.parent_path());
      return {.state = RunState::kDone, .reason = {}, .bundle = first};
    }
  }
  if (!options_.force) {
    fs::rename(files_.part, files_.done,
               code);  // Not over a folder with files.
    if (code && IsBundleOf(task_, files_.done)) {
      fs::remove_all(files_.part, code);
      return {.state = RunState::kDone,
              .reason = {},
              .bundle = files_.done,
              .adopted = true};
    }
    // It was whole a moment ago; gone means taken over.
    if (code && options_.ours && !fs::exists(files_.part)) return TakenOver();
  }
  if (options_.force || code) MoveInto(files_.part, files_.done);
  SyncFolder(files_.done.parent_path());
  return {.state = RunState::kDone, .reason = {}, .bundle = files_.done};
}

TaskResult TaskRun::Finish(const ProcessEnd& end) {
  if (options_.ours && !options_.ours()) return TakenOver();
  if (end.exit_code == kCheckpointed) {
    return {.state = RunState::kPlanned,
            .reason = "stopped early with a checkpoint; resume goes on",
            .bundle = {}};
  }
  if (end.cause == EndCause::kStopped) {
    return {.state = RunState::kPlanned,
            .reason = "interrupted; resume goes on",
            .bundle = {}};
  }
  if (end.exit_code == 0) {
    try {
      const RunRecord record = ReadBundle(files_.part);
      if (RunKey(record.spec) != task_.key) {
        throw DataError(StrCat("its key is ", RunKey(record.spec),
                               ", expected ", task_.key));
      }
      if (!HasWhatIsAsked(task_, files_.part)) {
        throw DataError("its state was asked for and is not there");
      }
      if (record.state == RunState::kDone) {
        return KeepOnce();
      }
    } catch (const DataError& error) {
      ProcessEnd wrong = end;
      wrong.tail = StrCat("the worker ended well but left no valid bundle: ",
                          error.what());
      return Fail(wrong);
    }
  }
  return Fail(end);
}

/// The worker's own record when it could still write one, else the spec and how
/// the process ended.
RunRecord TaskRun::FailedRecord(const ProcessEnd& end) const {
  RunRecord record;
  try {
    record = RunRecordFromJson(ReadJson(files_.part / "run.json"));
  } catch (const Error&) {
    record = RunRecord();
  }
  const bool own =
      record.state != RunState::kPlanned && RunKey(record.spec) == task_.key;
  if (!own) record = RunRecord();
  record.spec = task_.spec;
  record.scores.clear();
  record.exit_code = end.exit_code;
  record.signal = end.signal;
  if (record.created_utc.empty()) record.created_utc = started_utc_;
  if (record.started_utc.empty()) record.started_utc = started_utc_;
  record.finished_utc = UtcNow();
  if (record.host.empty()) record.host = HostName();
  if (record.build.digest.empty()) record.build.digest = task_.spec.build;

  const std::string last = LastLines(end.tail);
  const std::string behind = last.empty() ? "" : "; its last words: " + last;
  const bool said = own && record.state != RunState::kDone &&
                    record.state != RunState::kRunning &&
                    !record.reason.empty();
  if (end.cause == EndCause::kWallTime) {
    record.state = RunState::kTimeout;
    record.reason = StrCat("ran longer than its limit of ",
                           FormatSeconds(task_.limits.wall_s), behind);
  } else if (end.cause == EndCause::kCpuTime) {
    record.state = RunState::kTimeout;
    record.reason = StrCat("used more processor time than its limit of ",
                           FormatSeconds(task_.limits.cpu_s), behind);
  } else if (end.cause == EndCause::kSilence) {
    record.state = RunState::kTimeout;
    record.reason = StrCat("gave no sign of life for ",
                           FormatSeconds(task_.limits.silence_s), behind);
  } else if (end.cause == EndCause::kMemory) {
    record.state = RunState::kOom;
    record.reason = StrCat(
        "used more memory than its limit of ",
        FormatBytes(static_cast<double>(task_.limits.rss_bytes)), behind);
  } else if (end.signal) {
    const bool oom = *end.signal == SIGKILL && OomKills() > oom_kills_;
    const bool crash = *end.signal != SIGKILL && *end.signal != SIGTERM &&
                       *end.signal != SIGINT;
    record.state = oom     ? RunState::kOom
                   : crash ? RunState::kFailed
                           : RunState::kKilled;
    record.reason =
        StrCat(oom ? "the kernel ended it for want of memory: " : "ended by ",
               SignalText(*end.signal), behind);
  } else if (!said) {
    record.state = RunState::kFailed;
    record.reason = end.exit_code == 0
                        ? last
                        : StrCat("the worker ended with exit code ",
                                 end.exit_code.value_or(-1), behind);
  }
  return record;
}

TaskResult TaskRun::Fail(const ProcessEnd& end) {
  const RunRecord record = FailedRecord(end);
  std::error_code ignored;
  const fs::path making = files_.failed.string() + ".making";
  fs::remove_all(making, ignored);
  MakeFolders(making);
  for (const char* name : {"log.txt", "events.jsonl", "feedback.jsonl"}) {
    fs::copy_file(files_.part / name, making / name, ignored);
  }
  WriteFileAtomic(making / "run.json", ToJson(record).dump(1) + "\n");
  SealBundle(making);
  // Whoever took the key over while this process slept moved its folder away:
  // that is no failure.
  if (options_.ours && !options_.ours()) {
    fs::remove_all(making, ignored);
    return TakenOver();
  }
  MoveInto(making, files_.failed);
  // What failed by itself would fail again from its checkpoint; what was ended
  // from outside may go on.
  if (record.state == RunState::kFailed) fs::remove_all(files_.part, ignored);
  return {
      .state = record.state, .reason = record.reason, .bundle = files_.failed};
}

}  // namespace tailmark
