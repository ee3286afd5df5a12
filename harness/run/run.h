#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "datasets/episodes.h"
#include "datasets/images/pipeline.h"
#include "datasets/loader/loader.h"
#include "harness/base/clock.h"
#include "harness/record/bundle.h"
#include "harness/run/events.h"
#include "harness/run/feature_cache.h"
#include "harness/run/features.h"
#include "harness/run/feedback.h"
#include "harness/run/fit_watch.h"
#include "harness/run/gpu_memory.h"
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
  /// What one fit is made on: the whole run, or, of a few-shot protocol, the
  /// base classes ("base") or an episode ("episode-3").
  struct Part {
    std::string name;  ///< "": the whole run.
    std::uint64_t seed = 0;
    /// Columns of the data set that the method's classes are; empty: all.
    std::vector<std::int64_t> columns;
    Problem problem;
    Split split, held;    ///< Of the images to fit on, and those held out.
    TrainRows held_rows;  ///< Of `held`.
    std::unique_ptr<TrainSource> train;
    std::unique_ptr<TrainSource> validation;  ///< Null when nothing is held.
    std::unique_ptr<TestSource> held_images;  ///< The same, to be scored.
  };

  // run_open.cc
  void CheckSpec();
  void CheckNeeds() const;
  bool WantsCaptions() const;
  bool StartsFromBase() const;
  void CheckBase() const;
  void Open();
  void OpenEncoder();
  void OpenInputs();
  void OpenEpisodeInputs(const std::string& name);
  std::filesystem::path InputFolder(const RunNeed& need) const;
  void MakeFeatures();
  /// Between batches.
  void Tick();
  FeatureMaker MakeFeatureMaker();
  at::Tensor Features(const Split& split, bool flipped);
  std::unique_ptr<Loader> MakeLoader(const Split& split,
                                     std::uint64_t seed) const;

  // run_parts.cc
  std::unique_ptr<Part> WholePart();
  std::unique_ptr<Part> BasePart(const Episodes& episodes);
  std::unique_ptr<Part> EpisodePart(const Episodes& episodes,
                                    const Episode& episode);
  void FillPart(Part& part, const TrainRows& rows);
  void MakeSources(Part& part, const TrainRows& rows, const Split& all,
                   const std::vector<std::int64_t>& taken);
  std::unique_ptr<TestSource> MakeTestSource();

  // run_fit.cc
  void ExecuteWhole();
  void ExecuteEpisodes(const Episodes& episodes);
  void FitBase(const Episodes& episodes);
  void KeepEpisode(const std::string& name) const;
  void FitPart(Part& part);
  void MakeWatch(const Part& part);
  /// Scores of the test split, as scores/<name>.npy.
  ScoreFile Score(const Method& method, const Part& part,
                  const std::string& name, bool show);
  double ValidationMap(const Method& method, const Part& part);
  double AskTest(const Method& method, const Part& part, std::int64_t epoch);

  // run.cc
  void WriteRecord() const;
  template <class Body>
  void Phase(const std::string& name, Body body);
  void WriteIds() const;

  const MethodInfo& info() const { return entry_->info; }

  RunSpec spec_;
  std::filesystem::path bundle_;
  const Engine& engine_;
  RunOptions options_;
  FolderLock lock_;
  EventLog events_;
  FeatureCache cache_;
  FeedbackChannel feedback_;
  Budget budget_;
  RunRecord record_;
  c10::Device device_{c10::DeviceType::CPU};
  const MethodRegistry::Entry* entry_ = nullptr;
  InputKind input_ = InputKind::kNone;  // Under these options.
  Pipeline pipeline_;
  RunData data_;
  std::string weights_sha256_;
  std::unique_ptr<Encoder> encoder_;
  std::map<std::string, Checkpoint> inputs_;                    // By role.
  std::map<std::string, std::filesystem::path> input_folders_;  // By role.
  std::optional<FeatureMaker> features_;
  std::map<std::string, at::Tensor> made_;  // Features of a split and view.
  at::Tensor test_features_;
  std::unique_ptr<TestSource> test_;
  std::optional<Checkpoint> resume_;  // Until its part goes on from it.
  std::unique_ptr<FitWatch> watch_;   // Of the part under way.
  std::unique_ptr<Method> method_;
};

template <class Body>
void Run::Phase(const std::string& name, Body body) {
  const Stopwatch wall;
  const double cpu = ProcessCpuSeconds();
  const std::int64_t items = body();
  RequireGpuMemory(device_, spec_.place.gpu_bytes);
  record_.phases.push_back({.phase = name,
                            .wall_s = wall.Seconds(),
                            .cpu_s = ProcessCpuSeconds() - cpu,
                            .peak_rss = PeakResidentBytes(),
                            .items = items});
}

}  // namespace tailmark
