#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/api/method.h"
#include "harness/api/source.h"
#include "harness/api/state.h"
#include "methods/hp_dval/dual_view.h"
#include "methods/hp_dval/options.h"
#include "methods/hp_dval/prompts.h"
#include "methods/hp_dval/student.h"
#include "methods/losses/named.h"
#include "methods/optim/adam.h"
#include "methods/optim/ema.h"
#include "methods/optim/one_cycle.h"

namespace tailmark {

enum class HpDvalStage : std::uint8_t { kOne, kTwo, kJoint };

/// The mathematics of one stage of HP-DVAL, step by step, without data, files
/// or epochs: what the goldens follow.
///
///   stage 1:  L_cls + kd L_kd         trains the student (P: Eq. 16)
///   stage 2:  L_cls + consistency L_sc     trains the prompts (P: Eq. 17)
///   joint:    L_cls + (kd L_kd + consistency L_sc) / 2      both (the release)
class HpDvalTrainer {
 public:
  struct Setup {
    HpDvalStage stage = HpDvalStage::kOne;
    const HpDvalOptions* options = nullptr;  ///< Outlives the trainer.
    Encoder* clip = nullptr;  ///< Teacher and text tower; not owned.
    Student student;          ///< Where training starts.
    PromptTokens tokens;
    /// Called around forward pass and loss; for mixed precision.
    std::function<std::shared_ptr<void>()> precision = [] {
      return std::shared_ptr<void>();
    };
  };
  explicit HpDvalTrainer(Setup setup);
  /// What Step() needs beside the setup, and a state to be scored does not.
  void Begin(ClassificationLoss loss, const OneCycle& schedule);

  struct Losses {
    at::Tensor total, classification, alignment;  ///< [] each.
  };
  /// One optimiser step on pixels [B, 3, H, W]; losses from before it.
  Losses Step(const at::Tensor& pixels, const at::Tensor& labels,
              const at::Tensor& known);
  /// The same terms without a step, of the trained or the averaged weights.
  Losses Evaluate(const at::Tensor& pixels, const at::Tensor& labels,
                  const at::Tensor& known, bool averaged) const;

  /// Scores [B, C], in float32 at least.
  at::Tensor Scores(const at::Tensor& pixels, bool averaged) const;

  std::int64_t steps() const { return optimiser_.steps(); }
  std::int64_t trained_parameters() const;
  /// Rate of the last step, or of the first when there was none.
  double last_rate() const;
  const Student& student(bool averaged) const {
    return averaged ? average_ : trained_;
  }

  /// Whatever Step() needs to go on: trained weights and optimiser. The
  /// averages go through SaveScored().
  void SaveTraining(StateWriter& out) const;
  void LoadTraining(const StateReader& in);
  /// What Scores(averaged) needs, texts included.
  void SaveScored(StateWriter& out) const;
  void LoadScored(const StateReader& in);

 private:
  struct Texts {
    at::Tensor global, local;  // [C, D]
  };
  std::vector<EncoderParameter> Trained(const Student& of) const;
  at::Tensor Template(const Student& of) const;
  Texts TextsOf(const Student& student) const;
  const Texts& AveragedTexts() const;
  Losses LossesOf(const Student& student, const at::Tensor& pixels,
                  const at::Tensor& labels, const at::Tensor& known) const;
  at::Tensor Distillation(const at::Tensor& pixels,
                          const at::Tensor& tokens) const;
  at::Tensor Prepared(const at::Tensor& pixels) const;
  void MakeAverage();

  Setup setup_;
  ClassificationLoss loss_;
  OneCycle schedule_;
  DualView view_;
  Student trained_;
  Student average_;
  std::vector<at::Tensor> parameters_;  // What Step() changes.
  at::Tensor template_pair_;  // [2 C, D], P^H twice, in stage 2 and joint.
  at::Tensor template_;       // [C, D], P^H where texts are frozen.
  at::Tensor placeholders_;   // [C, L, W] word embeddings.
  Adam optimiser_;
  std::optional<Ema> ema_;
  mutable std::optional<Texts> averaged_texts_;
};

}  // namespace tailmark
