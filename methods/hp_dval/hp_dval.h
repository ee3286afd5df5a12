#pragma once

#include <optional>
#include <string>

#include "harness/api/registry.h"
#include "methods/hp_dval/options.h"
#include "methods/hp_dval/trainer.h"

namespace tailmark {

/// Presets and profiles of HP-DVAL.
std::vector<Preset> HpDvalPresets();
/// The 17 places where paper and release differ.
std::vector<Deviation> HpDvalDeviations();
/// What a run takes, by options and data.
Cost HpDvalCost();

/// HP-DVAL (Huang, Yan, Liu, Liu, Hong, IEEE TIP 2025): a copy of CLIP's image
/// tower is fine-tuned so that its class token and its best patches agree with
/// the class texts, beside a frozen teacher (stage 1); then two small prompts,
/// one a view, are learnt on the frozen student (stage 2).
class HpDval final : public MethodWith<HpDvalOptions> {
 public:
  /// Throws ConfigError when options contradict each other.
  HpDval(HpDvalOptions options, Problem problem);
  static MethodInfo Info();

  void Fit(FitContext& context) override;
  at::Tensor Predict(const Batch& batch) const override;
  ScoreScale scale() const override;
  void Save(StateWriter& out) const override;
  void Load(const StateReader& in) override;
  std::int64_t trained_parameters() const override {
    return trainer_ ? trainer_->trained_parameters() : 0;
  }

 private:
  /// What this fit goes by: of the base classes, the options base_*.
  const HpDvalOptions& used() const {
    return base_fit_ ? *base_fit_ : options();
  }
  void BecomeBaseFit();
  std::int64_t epochs() const;
  void MakeTrainer(Student student);
  Student Start(FitContext& context) const;
  void StartContexts(std::uint64_t seed, Student& student) const;
  Student EmptyCopy() const;
  ClassificationLoss Loss(const TrainSource& train) const;
  OneCycle Schedule(std::int64_t samples) const;
  double TrainEpoch(TrainSource& train, EpochReport& report);

  HpDvalStage stage_;
  std::int64_t epoch_ = 0;
  std::optional<HpDvalOptions> base_fit_;  // Set: this fit is to them.
  std::optional<HpDvalTrainer> trainer_;
};

}  // namespace tailmark
