#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/api/encoder.h"
#include "harness/api/source.h"
#include "harness/api/state.h"
#include "harness/base/options.h"

namespace tailmark {

/// What a method may know before it sees a single sample.
struct Problem {
  std::vector<std::string> class_names;  ///< C of them.
  std::vector<std::int64_t>
      train_counts;  ///< [C] positives in this training split.
  std::int64_t train_images = 0;
  /// "head" -> class indices, ...: for methods that treat groups differently.
  std::map<std::string, std::vector<std::int64_t>> groups;
  /// Not owned, outlives the method; null when the method needs none.
  Encoder* encoder = nullptr;
  c10::Device device = c10::Device(c10::DeviceType::CPU);
  /// What the run is to be computed in, one of Abilities::precisions: "fp32";
  /// "bf16" or "fp16": under methods/optim/autocast.h, parameters and steps in
  /// float32; "fp16-state": parameters, gradients and momentum in float16.
  std::string precision = "fp32";

  std::int64_t num_classes() const {
    return static_cast<std::int64_t>(class_names.size());
  }
};

class Method;

/// How the harness watches a fit and ends it. It may call method.Save() and
/// method.Predict(), which then scores with what is fitted so far.
enum class FitSignal : std::uint8_t { kContinue, kStop };
struct EpochReport {
  std::int64_t epoch = 0;                ///< Finished ones, from 1.
  std::int64_t epochs = 0;               ///< Planned.
  std::map<std::string, double> curves;  ///< "loss", "lr", ...
};
class FitObserver {
 public:
  virtual ~FitObserver() = default;
  /// Throws when a curve is not finite, and when the run has to end at once:
  /// let it pass.
  virtual FitSignal OnEpochEnd(const Method& method,
                               const EpochReport& report) = 0;
  /// How good the method is on the test split now: mAP in percent, as the
  /// recipe defines it. For published schedules that were driven by test
  /// scores, once an epoch at most and before its OnEpochEnd; each call is
  /// counted with the result. Only for a method that declares
  /// Needs::test_feedback; throws ConfigError where nobody can answer.
  virtual double TestFeedback(const Method& method);
};

/// Everything Fit() may use. There is no other source of data, time or chance:
/// no globals, no clock, no unseeded generator.
struct FitContext {
  TrainSource& train;
  TrainSource* validation;  ///< Null when the protocol grants none.
  std::uint64_t seed;       ///< Give it to DeriveSeed with a name per stream.
  FitObserver& observer;
  /// Role -> what the run needed there has saved (MethodInfo::depends). Not
  /// owned; for Fit() alone.
  std::map<std::string, const StateReader*, std::less<>> inputs{};

  /// Throws ConfigError when there is no such role.
  const StateReader& Input(std::string_view role) const;
};

/// What scores are, so that nobody ranks a saturated sigmoid by accident.
enum class ScoreScale : std::uint8_t { kLogit, kProbability, kCosine };
std::string_view NameOf(ScoreScale scale);

/// A multi-label classifier under test.
///
/// Contract, checked for every registered method by tests/contract:
///  * Same problem, options, data, seed and device: same scores, bit for bit.
///  * Save() then Load() into a fresh object: same scores, bit for bit.
///  * Stopped, saved, loaded and continued: same as never stopped.
///  * Predict() changes nothing, and a row's scores do not depend on the
///    other rows of the batch (unless Abilities says so).
///  * With Abilities::partial_labels, the value of an unknown label is never
///    looked at.
///  * The encoder's bytes are the same after Fit() (unless trains_encoder).
///
/// Not thread-safe; the harness gives each object to one thread.
class Method {
 public:
  virtual ~Method() = default;
  Method(const Method&) = delete;
  Method& operator=(const Method&) = delete;

  /// Trains until its options say enough or the observer says stop. After
  /// Load() it goes on from the epoch the checkpoint was taken at.
  virtual void Fit(FitContext& context) = 0;

  /// Scores [B, C], higher meaning more likely present, of float32 or finer in
  /// every precision: bfloat16 would tie what differs. REQUIRES: Fit() or
  /// Load() before.
  virtual at::Tensor Predict(const Batch& batch) const = 0;
  virtual ScoreScale scale() const = 0;

  virtual void Save(StateWriter& out) const = 0;
  virtual void Load(const StateReader& in) = 0;

  /// Options after defaults and "auto" values are settled: what gets recorded.
  virtual OptionMap ResolvedOptions() const = 0;
  /// Number of trained parameters, for the fairness ledger.
  virtual std::int64_t trained_parameters() const { return 0; }

 protected:
  Method() = default;
};

/// Holds what every method holds, so that a method only writes what differs.
template <OptionStruct O>
class MethodWith : public Method {
 public:
  using Options = O;
  MethodWith(O options, Problem problem)
      : options_(std::move(options)), problem_(std::move(problem)) {}
  OptionMap ResolvedOptions() const override { return ToMap(options_); }

 protected:
  const O& options() const { return options_; }
  const Problem& problem() const { return problem_; }

 private:
  O options_;
  Problem problem_;
};

}  // namespace tailmark
