#include "harness/run/run.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/seeds.h"
#include "harness/run/environment.h"
#include "harness/run/gpu_memory.h"
#include "harness/run/numerics.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

std::string HostName() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

/// What an earlier process was writing when it was killed.
void RemoveTemporaries(const fs::path& folder) {
  std::error_code code;
  std::vector<fs::path> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder, code)) {
    if (entry.path().filename().string().find(".tmp.") != std::string::npos) {
      found.push_back(entry.path());
    }
  }
  for (const fs::path& path : found) fs::remove(path, code);
}

}  // namespace

FolderLock::FolderLock(const fs::path& folder)
    : fd_(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (fd_ < 0) throw StoreError(folder.string() + ": cannot be opened");
  // A file system without locks: the launcher's lease says who has the run.
  const int reason = flock(fd_, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
  const bool none = reason == ENOLCK || reason == ENOTSUP || reason == ENOSYS;
  if (reason != 0 && !none) {
    close(fd_);
    throw StoreError(folder.string() +
                     ": another worker is executing this run");
  }
}

FolderLock::~FolderLock() { close(fd_); }

Run::Run(RunSpec spec, fs::path bundle, const Engine& engine,
         const RunOptions& options)
    : spec_(std::move(spec)),
      bundle_(std::move(bundle)),
      engine_(engine),
      options_(options),
      lock_(bundle_),
      events_(bundle_ / "events.jsonl"),
      cache_(spec_.place.cache),
      feedback_(options.feedback_descriptor) {
  budget_.seconds = spec_.place.stop_after_s;
  budget_.epochs = spec_.place.stop_after_epochs;
  budget_.steps = spec_.place.stop_after_steps;
  if (spec_.build.empty()) spec_.build = engine.build.digest;
  record_.spec = spec_;
  record_.state = RunState::kRunning;
  record_.created_utc = record_.started_utc = UtcNow();
  record_.host = HostName();
  record_.build = engine.build;
  record_.command = options.command;
}

void Run::WriteRecord() const {
  WriteFileAtomic(bundle_ / "run.json", ToJson(record_).dump(2) + "\n");
}

void Run::WriteIds() const {
  std::string ids;
  for (const std::string& id : data_.test.ids) ids += id + "\n";
  WriteFileAtomic(bundle_ / "ids.txt", ids);
}

void Run::Execute() {
  RemoveTemporaries(bundle_);
  CheckSpec();
  ApplyNumerics(spec_);
  record_.environment = RunEnvironment(device_, engine_.pipeline_fingerprint());
  record_.environment_fingerprint = EnvironmentFingerprint(record_.environment);
  record_.seeds = {{"run", spec_.seed},
                   {"train/shuffle", DeriveSeed(spec_.seed, "train/shuffle")},
                   {"train/augment", DeriveSeed(spec_.seed, "train/augment")}};
  WriteRecord();
  if (device_.is_cuda()) {
    events_.WatchGpu([device = device_] { return GpuBytes(device); });
  }
  resume_ = FindCheckpoint(bundle_ / "state.safetensors", RunKey(spec_));
  events_.Phase("open");
  Phase("open", [&] {
    Open();
    return data_.train.size() + data_.test.size();
  });
  Phase("features", [&] {
    MakeFeatures();
    return features_ ? features_->encoded() : 0;
  });
  const Episodes* episodes = data_.dataset->episodes();
  if (episodes != nullptr) {
    ExecuteEpisodes(*episodes);
  } else {
    ExecuteWhole();
  }
  if (spec_.identity.scores) WriteIds();
  record_.resolved_options = method_->ResolvedOptions();
  record_.trained_parameters = method_->trained_parameters();
}

void Run::End(RunState state, const std::string& reason, int exit_code) {
  record_.state = state;
  record_.reason = reason;
  record_.exit_code = exit_code;
  record_.finished_utc = UtcNow();
  if (watch_ != nullptr && state != RunState::kDone) {
    record_.curves = watch_->curves();
  }
  WriteRecord();
  if (state == RunState::kDone) {
    if (!spec_.place.keep_state) fs::remove(bundle_ / "state.safetensors");
    SealBundle(bundle_);
  }
  events_.Say("end", {{"state", NameOf(state)}, {"reason", reason}});
}

}  // namespace tailmark
