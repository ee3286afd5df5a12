#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

#include "harness/base/dependency.h"
#include "harness/base/error.h"
#include "harness/base/interrupt.h"
#include "harness/base/suggest.h"
#include "harness/record/bundle.h"
#include "harness/record/weights.h"
#include "harness/run/environment.h"
#include "harness/run/gpu_memory.h"
#include "harness/run/numerics.h"
#include "harness/run/run.h"

namespace tailmark {
namespace {

// Resized pictures kept from epoch to epoch: all of COCO-LT's at 224 pixels.
constexpr std::int64_t kKeptPictures = std::int64_t{512} << 20;

void CheckSelection(const RunIdentity& id) {
  const std::vector<std::string> known = {"last", "validation", "best_on_test"};
  if (std::find(known.begin(), known.end(), id.selection) == known.end()) {
    throw ConfigError(UnknownName("selection", id.selection, known));
  }
  if (id.validation < 0 || id.validation > 0.5) {
    throw ConfigError(StrCat("validation = ", id.validation,
                             " is outside [0, 0.5]: the share of the training "
                             "images that is held out"));
  }
  if (id.selection_every < 1 ||
      (id.selection_every > 1 && id.selection != "best_on_test")) {
    throw ConfigError(StrCat("selection_every = ", id.selection_every,
                             ": at least 1, and 1 unless selection is "
                             "best_on_test"));
  }
  if (id.selection == "validation" && id.validation == 0) {
    throw ConfigError(
        "selection 'validation' needs held-out images: validation > 0");
  }
}

/// What the needed run left. Throws DataError when it is another run's.
Checkpoint ReadInput(const RunNeed& need, const std::filesystem::path& path) {
  Checkpoint state = Checkpoint::Read(path);
  if (state.key != need.key) {
    throw DataError(StrCat(path.string(), ": is the state of run ", state.key,
                           ", expected ", need.key));
  }
  return state;
}

}  // namespace

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
  CheckSelection(id);
  if (info().needs.test_feedback &&
      AllHold(*info().needs.test_feedback, entry_->options,
              ResolveOptions(entry_->options, id.method_options)) &&
      !feedback_.open()) {
    throw ConfigError(StrCat(
        "with these options method '", id.method,
        "' asks how good it is on the test split after each epoch, and there "
        "is nobody to answer: a worker started by hand knows no test label. "
        "Run it with tailmark run, which counts each look"));
  }
  CheckNeeds();
  device_ = DeviceOf(spec_);
  const auto& precisions = info().abilities.precisions;
  if (std::find(precisions.begin(), precisions.end(), id.precision) ==
      precisions.end()) {
    throw ConfigError(
        StrCat("method '", id.method, "' cannot compute in ", id.precision));
  }
  input_ = InputOf(info(), entry_->options, id.method_options);
  if (input_ == InputKind::kNone) return;
  if (id.pipeline_version != kPipelineVersion) {
    throw ConfigError(StrCat("the image pipeline is version ", kPipelineVersion,
                             " here, the run spec says ", id.pipeline_version,
                             "; plan again"));
  }
  pipeline_ = PipelineByName(id.pipeline);
}

void Run::OpenEncoder() {
  // One that wants images in place of features encodes them itself.
  if (input_ != InputKind::kFeatures && info().input != InputKind::kFeatures &&
      !info().needs.text && !info().abilities.trains_encoder) {
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

bool Run::WantsCaptions() const {
  const auto& unless = info().needs.captions_unless;
  return info().needs.captions &&
         !(unless && AllHold(*unless, entry_->options,
                             ResolveOptions(entry_->options,
                                            spec_.identity.method_options)));
}

bool Run::StartsFromBase() const {
  const auto& base = info().needs.base_fit;
  return base && AllHold(*base, entry_->options,
                         ResolveOptions(entry_->options,
                                        spec_.identity.method_options));
}

void Run::CheckBase() const {
  if (!StartsFromBase()) return;
  if (data_.dataset->episodes() == nullptr) {
    throw ConfigError(StrCat("with these options method '", info().name,
                             "' goes on from a fit to base classes, and '",
                             spec_.identity.dataset, "' has no episodes"));
  }
  if (data_.train.size() == 0) {
    throw ConfigError(StrCat("with these options method '", info().name,
                             "' first fits the base classes, and '",
                             spec_.identity.dataset,
                             "' was opened without their images: set its "
                             "option base to with"));
  }
}

/// The folder of a bundle that is as it was sealed, every hash.
std::filesystem::path Run::InputFolder(const RunNeed& need) const {
  const auto& bundles = spec_.place.bundles;
  const auto whole = FindWholeState(bundles, need.key);
  if (!whole.empty()) return whole.parent_path();
  const auto found = FindState(bundles, need.key);
  if (!found.empty()) {
    ReadBundle(found.parent_path());  // says what is wrong
    return found.parent_path();       // or its state does
  }
  throw DataError(StrCat("the run starts from ", need.role, ", key ", need.key,
                         ", and there is no bundle with its state below '",
                         bundles.string(),
                         "' (place.bundles of the run spec); run that one "
                         "first"));
}

void Run::OpenInputs() {
  for (const RunNeed& need : spec_.identity.needs) {
    const auto& folder =
        input_folders_.emplace(need.role, InputFolder(need)).first->second;
    inputs_.emplace(need.role, ReadInput(need, folder / "state.safetensors"));
  }
}

void Run::OpenEpisodeInputs(const std::string& name) {
  for (const RunNeed& need : spec_.identity.needs) {
    inputs_.insert_or_assign(need.role,
                             ReadInput(need, input_folders_.at(need.role) /
                                                 StrCat(name, ".safetensors")));
  }
}

void Run::Open() {
  data_ = OpenRunData(spec_, engine_.datasets, info().abilities.trains);
  const bool episodes = data_.dataset->episodes() != nullptr;
  if (episodes && (spec_.identity.selection == "validation" ||
                   spec_.identity.validation > 0)) {
    throw ConfigError(StrCat("the episodes of '", spec_.identity.dataset,
                             "' have no image to spare for validation; use "
                             "selection last or best_on_test"));
  }
  if (data_.rows.known.defined() && !episodes &&
      !info().abilities.partial_labels) {
    throw ConfigError(StrCat("some training labels of '",
                             spec_.identity.dataset, "' are unknown, and ",
                             "method '", info().name, "' needs all of them"));
  }
  if (WantsCaptions() && data_.rows.captions.empty()) {
    throw ConfigError(StrCat("method '", info().name, "' needs captions, and '",
                             spec_.identity.dataset, "' has none"));
  }
  CheckBase();
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

std::unique_ptr<Loader> Run::MakeLoader(const Split& split,
                                        std::uint64_t seed) const {
  LoaderOptions options{
      .pipeline = pipeline_, .seed = seed, .cache_bytes = kKeptPictures};
  options.threads = spec_.place.threads > 1 ? spec_.place.threads - 1 : 0;
  return std::make_unique<Loader>(*data_.dataset, split, options);
}

// On the device as a whole: picking rows there spares a copy a batch.
at::Tensor Run::Features(const Split& split, bool flipped) {
  at::Tensor& kept = made_[IdsHash(split) + (flipped ? "/flip" : "/plain")];
  if (!kept.defined()) kept = features_->Make(split, flipped).to(device_);
  return kept;
}

// Between batches.
void Run::Tick() {
  watch_->Tick();
  RequireGpuMemory(device_, spec_.place.gpu_bytes);
}

void Run::MakeFeatures() {
  if (input_ == InputKind::kFeatures) {
    features_.emplace(MakeFeatureMaker());
    // Known here, so that the phase of that name has most of the work. A method
    // that trains on nothing needs no features of training images.
    if (info().abilities.trains && data_.dataset->episodes() == nullptr) {
      Features(data_.train, /*flipped=*/false);
    }
    if (spec_.identity.scores) {
      test_features_ = Features(data_.test, /*flipped=*/false);
    }
  }
  if (spec_.identity.scores) test_ = MakeTestSource();
}

}  // namespace tailmark
