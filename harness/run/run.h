#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "datasets/images/pipeline.h"
#include "datasets/loader/loader.h"
#include "harness/base/clock.h"
#include "harness/record/bundle.h"
#include "harness/run/events.h"
#include "harness/run/feature_cache.h"
#include "harness/run/features.h"
#include "harness/run/fit_watch.h"
#include "harness/run/run_data.h"
#include "harness/run/runner.h"
#include "harness/run/state_file.h"

namespace tailmark {

/// Batches of Predict() and of the encoder. Fixed, not an option: the size may
/// move the last bit of a score.
inline constexpr std::int64_t kPredictBatch = 64;

/// Holds a bundle folder for this process: a second worker (left over from a
/// launcher that was killed, say) is refused with a StoreError.
class FolderLock {
 public:
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int fd_;
};

/// One execution: what runner.h does, for the .cc files of this folder. Members
/// are made in the order of the phases and live to the end of the run.
class Run {
 public:
  Run(RunSpec spec, std::filesystem::path bundle, const Engine& engine,
      const RunOptions& options);

  void Execute();
  /// Records the end. `reason` is "" for a run that is done.
  void End(RunState state, const std::string& reason, int exit_code);

 private:
  // run_open.cc
  void CheckSpec();
  void Open();
  void OpenEncoder();
  void CheckNeeds() const;
  void OpenInputs();
  void MakeSources();
  void Tick();
  FeatureMaker MakeFeatureMaker();
  at::Tensor Features(const Split& split, bool flipped);
  std::unique_ptr<Loader> MakeLoader(const Split& split) const;
  /// With encoder, device and precision.
  Problem ProblemOf(const RunData& data) const;

  // run_fit.cc
  void Fit();
  void Predict();

  // run.cc
  void WriteRecord() const;
  template <class Body>
  void Phase(const std::string& name, Body body);

  const MethodInfo& info() const { return entry_->info; }

  RunSpec spec_;
  std::filesystem::path bundle_;
  const Engine& engine_;
  RunOptions options_;
  Stopwatch since_;
  FolderLock lock_;
  EventLog events_;
  FeatureCache cache_;
  RunRecord record_;
  c10::Device device_{c10::DeviceType::CPU};
  const MethodRegistry::Entry* entry_ = nullptr;
  Pipeline pipeline_;
  RunData data_;
  std::string weights_sha256_;
  std::unique_ptr<Encoder> encoder_;
  std::map<std::string, Checkpoint> inputs_;  // By role.
  std::optional<FeatureMaker> features_;
  std::unique_ptr<FitWatch> watch_;
  std::unique_ptr<TrainSource> train_;
  std::unique_ptr<TestSource> test_;
  std::unique_ptr<Method> method_;
};

}  // namespace tailmark
