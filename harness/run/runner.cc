#include "harness/run/runner.h"

#include <ATen/ATen.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <new>
#include <optional>
#include <utility>

#include "datasets/images/pipeline.h"
#include "datasets/loader/loader.h"
#include "harness/base/clock.h"
#include "harness/base/files.h"
#include "harness/base/interrupt.h"
#include "harness/base/log.h"
#include "harness/base/seeds.h"
#include "harness/record/bundle.h"
#include "harness/record/weights.h"
#include "harness/run/environment.h"
#include "harness/run/events.h"
#include "harness/run/features.h"
#include "harness/run/fit_watch.h"
#include "harness/run/numerics.h"
#include "harness/run/run_data.h"
#include "harness/run/run_errors.h"
#include "harness/run/scores.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

// Batches of Predict() and of the encoder. Fixed, not an option: the size may
// move the last bit of a score.
constexpr std::int64_t kPredictBatch = 64;

/// Holds a bundle folder for this process: a second worker (left over from a
/// launcher that was killed, say) is refused.
class FolderLock {
 public:
  explicit FolderLock(const fs::path& folder)
      : fd_(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (fd_ < 0) throw StoreError(folder.string() + ": cannot be opened");
    if (flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      close(fd_);
      throw StoreError(folder.string() +
                       ": another worker is executing this run");
    }
  }
  ~FolderLock() { close(fd_); }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int fd_;
};

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

/// One execution. Members are made in the order of the phases and live to the
/// end of the run.
class Run {
 public:
  Run(RunSpec spec, fs::path bundle, const Engine& engine,
      const RunOptions& options)
      : spec_(std::move(spec)),
        bundle_(std::move(bundle)),
        engine_(engine),
        options_(options),
        lock_(bundle_),
        events_(bundle_ / "events.jsonl"),
        cache_(spec_.place.cache) {
    if (spec_.build.empty()) spec_.build = engine.build.digest;
    record_.spec = spec_;
    record_.state = RunState::kRunning;
    record_.created_utc = record_.started_utc = UtcNow();
    record_.host = HostName();
    record_.build = engine.build;
    record_.command = options.command;
  }

  void Execute();
  /// Records the end. `reason` is "" for a run that is done.
  void End(RunState state, const std::string& reason, int exit_code);

 private:
  void CheckSpec();
  void Open();
  void OpenEncoder();
  void MakeSources();
  void Fit();
  void Predict();
  void WriteRecord() const {
    WriteFileAtomic(bundle_ / "run.json", ToJson(record_).dump(2) + "\n");
  }
  template <class Body>
  void Phase(const std::string& name, Body body);
  FeatureMaker MakeFeatureMaker();
  at::Tensor Features(const Split& split, bool flipped);
  std::unique_ptr<Loader> MakeLoader(const Split& split) const;
  const MethodInfo& info() const { return entry_->info; }

  RunSpec spec_;
  fs::path bundle_;
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
  std::optional<FeatureMaker> features_;
  std::unique_ptr<FitWatch> watch_;
  std::unique_ptr<TrainSource> train_;
  std::unique_ptr<TestSource> test_;
  std::unique_ptr<Method> method_;
};

template <class Body>
void Run::Phase(const std::string& name, Body body) {
  const Stopwatch wall;
  const double cpu = ProcessCpuSeconds();
  const std::int64_t items = body();
  record_.phases.push_back({.phase = name,
                            .wall_s = wall.Seconds(),
                            .cpu_s = ProcessCpuSeconds() - cpu,
                            .peak_rss = PeakResidentBytes(),
                            .items = items});
}

void Run::CheckSpec() {
  const RunIdentity& id = spec_.identity;
  if (spec_.build != engine_.build.digest) {
    throw ConfigError(StrCat("the run was planned for build ", spec_.build,
                             ", this worker is build ", engine_.build.digest,
                             "; plan again"));
  }
  entry_ = &engine_.methods.Find(id.method);
  if (info().version != id.method_version) {
    throw ConfigError(StrCat("method '", id.method, "' is version ",
                             info().version, " here, the run spec says ",
                             id.method_version, "; plan again"));
  }
  if (id.selection != "last") {
    throw ConfigError(
        StrCat("selection '", id.selection, "' is not one of last"));
  }
  device_ = DeviceOf(spec_);
  if (info().input == InputKind::kNone) return;
  if (id.pipeline_version != kPipelineVersion) {
    throw ConfigError(StrCat("the image pipeline is version ", kPipelineVersion,
                             " here, the run spec says ", id.pipeline_version,
                             "; plan again"));
  }
  pipeline_ = PipelineByName(id.pipeline);
}

void Run::OpenEncoder() {
  if (info().input != InputKind::kFeatures && !info().needs.text &&
      !info().abilities.trains_encoder) {
    return;
  }
  const RunIdentity& id = spec_.identity;
  if (spec_.place.weights.empty()) {
    throw ConfigError(StrCat("method '", id.method,
                             "' needs an encoder, and the run spec names no "
                             "weights (place.weights)"));
  }
  const std::string found = WeightsSha256(spec_.place.weights);
  if (!id.weights_sha256.empty() && id.weights_sha256 != found) {
    throw DataError(StrCat(spec_.place.weights.string(), ": SHA-256 is ", found,
                           ", the run spec says ", id.weights_sha256,
                           "; these are not the weights it was planned for"));
  }
  weights_sha256_ = found;
  encoder_ = engine_.open_encoder(spec_.place.weights, device_);
}

void Run::Open() {
  data_ = OpenRunData(spec_, engine_.datasets, info().abilities.trains);
  if (data_.rows.known.defined() && !info().abilities.partial_labels) {
    throw ConfigError(StrCat("some training labels of '",
                             spec_.identity.dataset, "' are unknown, and ",
                             "method '", info().name, "' needs all of them"));
  }
  if (info().needs.captions && data_.rows.captions.empty()) {
    throw ConfigError(StrCat("method '", info().name, "' needs captions, and '",
                             spec_.identity.dataset, "' has none"));
  }
  OpenEncoder();
}

FeatureMaker Run::MakeFeatureMaker() {
  const RunIdentity& id = spec_.identity;
  const Json environment = RunEnvironment(device_, "");
  FeatureKey key{.weights_sha256 = weights_sha256_,
                 .pipeline = NameOf(pipeline_),
                 .pipeline_version = kPipelineVersion,
                 .manifest_sha256 = data_.dataset->manifest_sha256(),
                 .device_type = id.device_type,
                 .numerics = EnvironmentFingerprint(environment),
                 .batch_size = kPredictBatch};
  return FeatureMaker({.dataset = *data_.dataset,
                       .encoder = *encoder_,
                       .cache = cache_,
                       .events = events_,
                       .pipeline = pipeline_,
                       .threads = spec_.place.threads,
                       .key = std::move(key),
                       .tick = ThrowIfInterrupted});
}

std::unique_ptr<Loader> Run::MakeLoader(const Split& split) const {
  LoaderOptions options{.pipeline = pipeline_, .seed = spec_.seed};
  options.threads = spec_.place.threads > 1 ? spec_.place.threads - 1 : 0;
  return std::make_unique<Loader>(*data_.dataset, split, options);
}

// On the device as a whole: picking rows there spares a copy a batch.
at::Tensor Run::Features(const Split& split, bool flipped) {
  return features_->Make(split, flipped).to(device_);
}

void Run::MakeSources() {
  const SourceContext context{.seed = spec_.seed,
                              .device = device_,
                              .tick = [this] { watch_->Tick(); }};
  if (info().input == InputKind::kImages) {
    train_ = MakeImageTrainSource(data_.rows, MakeLoader(data_.train),
                                  pipeline_.size, context);
    test_ = MakeImageTestSource(data_.test.ids, MakeLoader(data_.test),
                                pipeline_.size, context);
    return;
  }
  FeatureViews views;
  at::Tensor test;
  if (info().input == InputKind::kFeatures) {
    features_.emplace(MakeFeatureMaker());
    // A method that trains on nothing needs no features of training images.
    if (info().abilities.trains) {
      views.plain = Features(data_.train, /*flipped=*/false);
    }
    views.flipped = [this] { return Features(data_.train, /*flipped=*/true); };
    test = Features(data_.test, /*flipped=*/false);
  }
  train_ = MakeFeatureTrainSource(data_.rows, std::move(views), context);
  test_ = MakeFeatureTestSource(data_.test.ids, test, context);
}

void Run::Fit() {
  method_ = entry_->create(spec_.identity.method_options,
                           MakeProblem(data_, encoder_.get(), device_));
  const std::int64_t before = watch_->Resume(*method_);
  if (watch_->fitted()) return;
  events_.Phase("fit", 0, "epochs", before);
  FitContext context{.train = *train_,
                     .validation = nullptr,
                     .seed = spec_.seed,
                     .observer = *watch_};
  method_->Fit(context);
  watch_->Finish(*method_);
}

void Run::Predict() {
  ScoreCollector scores(info().name, data_.test.ids,
                        MakeProblem(data_, nullptr, device_).class_names);
  events_.Phase("predict", data_.test.size(), "images");
  test_->Start(kPredictBatch);
  std::int64_t done = 0;
  const at::NoGradGuard no_graph;
  for (Batch batch; test_->Next(batch);) {
    scores.Add(batch, method_->Predict(batch));
    done += batch.rows.size(0);
    events_.Progress(done);
  }
  record_.scores.push_back(scores.Write(bundle_, "test", method_->scale()));
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
  watch_ = std::make_unique<FitWatch>(
      FitWatch::Options{.checkpoint = bundle_ / "state.safetensors",
                        .key = RunKey(spec_),
                        .checkpoint_every_s = options_.checkpoint_every_s,
                        .stop_after_s = spec_.place.stop_after_s,
                        .since = since_},
      events_);
  events_.Phase("open");
  Phase("open", [&] {
    Open();
    return data_.train.size() + data_.test.size();
  });
  Phase("features", [&] {
    MakeSources();
    return features_ ? features_->encoded() : 0;
  });
  Phase("fit", [&] {
    Fit();
    return data_.train.size();
  });
  Phase("predict", [&] {
    Predict();
    return data_.test.size();
  });
  record_.curves = watch_->curves();
  record_.resolved_options = method_->ResolvedOptions();
  record_.trained_parameters = method_->trained_parameters();
}

void Run::End(RunState state, const std::string& reason, int exit_code) {
  record_.state = state;
  record_.reason = reason;
  record_.exit_code = exit_code;
  record_.finished_utc = UtcNow();
  if (watch_ != nullptr && record_.curves.empty()) {
    record_.curves = watch_->curves();
  }
  WriteRecord();
  if (state == RunState::kDone) SealBundle(bundle_);
  events_.Say("end", {{"state", NameOf(state)}, {"reason", reason}});
}

struct Outcome {
  RunState state = RunState::kDone;
  std::string reason;
  int exit_code = kExitDone;
};

/// Runs `body` and says in what shape it ended.
template <class Body>
Outcome Guarded(Body body) {
  try {
    body();
    return {};
  } catch (const Interrupted& error) {
    return {RunState::kKilled, StrCat("interrupted by signal ", error.signal()),
            kExitInterrupted + error.signal()};
  } catch (const StoppedEarly& error) {
    return {RunState::kKilled, error.what(), kExitStopped};
  } catch (const StoreError& error) {
    return {RunState::kFailed, error.what(), kExitDisk};
  } catch (const ConfigError& error) {
    return {RunState::kFailed, error.what(), kExitBadInput};
  } catch (const DataError& error) {
    return {RunState::kFailed, error.what(), kExitBadInput};
  } catch (const c10::OutOfMemoryError& error) {
    return {RunState::kOom, error.what_without_backtrace(), kExitFailed};
  } catch (const std::bad_alloc&) {
    return {RunState::kOom, "out of memory", kExitFailed};
  } catch (const c10::Error& error) {
    return {RunState::kFailed, error.what_without_backtrace(), kExitFailed};
  } catch (const std::exception& error) {
    return {RunState::kFailed, error.what(), kExitFailed};
  }
}

bool IsAlreadyDone(const RunSpec& spec, const fs::path& bundle) {
  return IsSealed(bundle) && RunKey(ReadBundle(bundle).spec) == RunKey(spec);
}

}  // namespace

int ExecuteRun(const RunSpec& spec, const fs::path& bundle,
               const Engine& engine, const RunOptions& options) {
  const NumericsGuard put_back;
  std::optional<Run> run;
  const Outcome begun = Guarded([&] {
    MakeFolders(bundle);
    RunSpec meant = spec;
    if (meant.build.empty()) meant.build = engine.build.digest;
    if (IsAlreadyDone(meant, bundle)) {
      LogInfo(bundle.string() + ": already done");
      return;
    }
    std::error_code code;
    fs::remove(bundle / "DONE", code);
    run.emplace(std::move(meant), bundle, engine, options);
  });
  if (!run) {
    if (begun.exit_code != kExitDone) LogError(begun.reason);
    return begun.exit_code;
  }
  Outcome outcome = Guarded([&] { run->Execute(); });
  const Outcome written = Guarded(
      [&] { run->End(outcome.state, outcome.reason, outcome.exit_code); });
  if (outcome.exit_code == kExitDone) outcome = written;
  if (outcome.exit_code != kExitDone) LogError(outcome.reason);
  return outcome.exit_code;
}

}  // namespace tailmark
