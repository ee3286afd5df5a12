#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/api/method.h"
#include "methods/optim/ema.h"
#include "methods/optim/optimiser.h"
#include "methods/optim/plateau.h"

namespace tailmark {

/// The words of a method's option `schedule`.
inline constexpr std::string_view kScheduleNames =
    "constant|cosine|cosine-epoch|one-cycle|plateau|plateau-test";

/// How a fit goes through the training images, apart from what it trains.
struct FitPlan {
  std::int64_t epochs = 50;
  std::int64_t batch_size = 64;
  std::string augment = "flip";
  std::string optimiser = "sgd";
  double lr = 5e-4;
  /// constant; cosine: to 0, step by step, `warm_up` epochs linear;
  /// cosine-epoch: CoOp's, epoch by epoch, `warm_up` epochs at 1e-5; one-cycle:
  /// PyTorch's, `warm_up` the part of the steps on the way up; plateau: a tenth
  /// when the training loss has not improved for 6 epochs; plateau-test: the
  /// same by the test split's mAP, which the harness is asked for.
  std::string schedule = "plateau";
  double warm_up = 0;
  bool drop_last = false;  ///< Leave out a last batch that is not full.
  /// Decay of a running average of all parameters, updated after each step; 0:
  /// none.
  double ema = 0;
};

/// Positives of each class among the known labels of a split, [C].
std::vector<std::int64_t> PositivesOf(const TrainSource& train);

/// float16 and bfloat16 as float32; anything else as it is.
at::Tensor Widened(const at::Tensor& value);

/// The loop that methods share: batches, gradients, steps, schedule, curves,
/// and a state from which it goes on bit by bit.
class FitLoop {
 public:
  struct StepLoss {
    at::Tensor loss;  ///< A scalar.
    /// Further curves, scalars, averaged over the epoch like the loss.
    std::map<std::string, at::Tensor> parts;
  };
  /// Parameters come as leaves in the order of Add(), float32 when they are
  /// kept in float16.
  using Loss = std::function<StepLoss(const TrainBatch& batch,
                                      std::span<const at::Tensor> parameters)>;

  /// `problem` says device and precision: with "fp16-state" parameters are kept
  /// in float16, and so are their gradients and momentum; with "bf16" and
  /// "fp16" the loss is computed under Autocast.
  FitLoop(FitPlan plan, const Problem& problem);

  /// A trained tensor, its own from now on: Step() changes it in place. One
  /// that requires gradients is handed to the loss as it is.
  void Add(std::string name, at::Tensor value, double weight_decay,
           double lr_factor = 1.0);
  /// As it is now. REQUIRES: Add() of that name.
  const at::Tensor& Get(std::string_view name) const;
  /// All of them as they are now, in the order of Add(), float32 when kept in
  /// float16.
  std::vector<at::Tensor> Values() const;
  std::int64_t numbers() const;  ///< Of all parameters.
  /// The running averages, or Values() where there are none.
  std::vector<at::Tensor> Averages() const;
  /// Steps of an epoch over so many samples, at least 1.
  static std::int64_t StepsOf(const FitPlan& plan, std::int64_t samples);

  /// Trains from the epoch it is at until the plan's last or the observer's
  /// stop. `changed` is called whenever parameters have moved.
  void Run(
      FitContext& context, const Method& method, const Loss& loss,
      const std::function<void()>& changed = [] {});

  std::int64_t epoch() const { return epoch_; }

  /// Parameters, optimiser, schedule and epoch. Load() wants the same Add()s
  /// before, of any values.
  void Save(StateWriter& out) const;
  void Load(const StateReader& in);

 private:
  struct Parameter {
    std::string name;
    at::Tensor value;
  };
  struct Rate {
    double lr;
    std::optional<double> momentum;
  };
  Rate RateAt(std::int64_t step, std::int64_t steps_an_epoch) const;
  std::map<std::string, double> TrainEpoch(TrainSource& train, const Loss& loss,
                                           std::int64_t steps);

  FitPlan plan_;
  const Problem& problem_;
  std::vector<Parameter> parameters_;
  std::unique_ptr<Optimiser> optimiser_;
  bool half_state_;
  std::optional<Ema> ema_;  // Started with the first step.
  Plateau plateau_;
  std::int64_t epoch_ = 0;
};

}  // namespace tailmark
