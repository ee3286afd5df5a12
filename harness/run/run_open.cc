#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

#include "harness/base/dependency.h"
#include "harness/base/error.h"
#include "harness/base/interrupt.h"
#include "harness/record/bundle.h"
#include "harness/record/weights.h"
#include "harness/run/environment.h"
#include "harness/run/gpu_memory.h"
#include "harness/run/numerics.h"
#include "harness/run/run.h"

namespace tailmark {

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
  CheckNeeds();
  device_ = DeviceOf(spec_);
  const auto& precisions = info().abilities.precisions;
  if (std::find(precisions.begin(), precisions.end(), id.precision) ==
      precisions.end()) {
    throw ConfigError(
        StrCat("method '", id.method, "' cannot compute in ", id.precision));
  }
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

void Run::CheckNeeds() const {
  const RunIdentity& id = spec_.identity;
  std::string wanted, given;
  for (const NeededRun& each :
       NeededRuns(info().depends, entry_->options,
                  ResolveOptions(entry_->options, id.method_options))) {
    wanted += " " + each.role;
  }
  for (const RunNeed& each : id.needs) given += " " + each.role;
  if (wanted == given) return;
  throw ConfigError(StrCat(
      "with these options method '", id.method, "' starts from",
      wanted.empty() ? " nothing" : wanted, ", the run spec names",
      given.empty() ? " nothing" : given, "; let tailmark plan write it"));
}

void Run::OpenInputs() {
  for (const RunNeed& need : spec_.identity.needs) {
    const auto path = FindState(spec_.place.bundles, need.key);
    if (path.empty()) {
      throw DataError(StrCat("the run starts from ", need.role, ", key ",
                             need.key,
                             ", and there is no bundle with its "
                             "state below '",
                             spec_.place.bundles.string(),
                             "' (place.bundles of the run spec); run that one "
                             "first"));
    }
    ReadBundle(path.parent_path());  // every hash
    Checkpoint state = Checkpoint::Read(path);
    if (state.key != need.key) {
      throw DataError(StrCat(path.string(), ": is the state of run ", state.key,
                             ", expected ", need.key));
    }
    inputs_.emplace(need.role, std::move(state));
  }
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
  OpenInputs();
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
                       .tick = [this] {
                         ThrowIfInterrupted();
                         RequireGpuMemory(device_, spec_.place.gpu_bytes);
                       }});
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

// Between batches.
void Run::Tick() {
  watch_->Tick();
  RequireGpuMemory(device_, spec_.place.gpu_bytes);
}

void Run::MakeSources() {
  const SourceContext context{
      .seed = spec_.seed, .device = device_, .tick = [this] { Tick(); }};
  if (info().input == InputKind::kImages) {
    train_ = MakeImageTrainSource(data_.rows, MakeLoader(data_.train),
                                  pipeline_.size, context);
    if (!spec_.identity.scores) return;
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
    if (spec_.identity.scores) {
      test = Features(data_.test, /*flipped=*/false);
    }
  }
  train_ = MakeFeatureTrainSource(data_.rows, std::move(views), context);
  test_ = MakeFeatureTestSource(data_.test.ids, test, context);
}

Problem Run::ProblemOf(const RunData& data) const {
  Problem problem = MakeProblem(data);
  problem.encoder = encoder_.get();
  problem.device = device_;
  problem.precision = spec_.identity.precision;
  return problem;
}

}  // namespace tailmark
