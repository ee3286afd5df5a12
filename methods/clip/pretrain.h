#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "harness/base/options.h"
#include "methods/clip/clip_model.h"

namespace tailmark {

/// Pictures and their captions; row i of one belongs to row i of the other.
struct PairBatch {
  at::Tensor pixels;  ///< [B, 3, H, W], normalised, float32.
  at::Tensor ids;     ///< [B, L] int64; equal rows are equal captions.
};
/// The batch of optimiser step `step`, from 0: a pure function of it. Called
/// from another thread than Pretrain's, one call at a time.
using PairMaker = std::function<PairBatch(std::int64_t step)>;

/// How a CLIP is trained from nothing. One that appears in a recipe.
struct PretrainOptions {
  std::int64_t seed = 1;
  std::int64_t steps = 4000;
  std::int64_t batch_size = 128;
  double lr = 1e-3;
  std::int64_t warm_up = 100;
  double beta1 = 0.9;
  double beta2 = 0.98;
  double eps = 1e-6;
  double weight_decay = 0.1;
  double clip_norm = 1.0;
  double most_scale = 100.0;

  static constexpr auto Fields() {
    using O = PretrainOptions;
    return std::tuple{
        Field{"seed", &O::seed, "of the initial values and of the pairs",
              NonNegative()},
        Field{"steps", &O::steps, "optimiser steps", AtLeast(1)},
        Field{"batch_size", &O::batch_size, "pairs a step", AtLeast(2)},
        Field{"lr", &O::lr, "rate at the end of the warm-up", Positive()},
        Field{"warm_up", &O::warm_up,
              "steps of linear rise; a cosine to 0 "
              "follows",
              NonNegative()},
        Field{"beta1", &O::beta1, "of AdamW", Fraction()},
        Field{"beta2", &O::beta2, "of AdamW", Fraction()},
        Field{"eps", &O::eps, "of AdamW", Positive()},
        Field{"weight_decay", &O::weight_decay,
              "on tensors of two and more dimensions", NonNegative()},
        Field{"clip_norm", &O::clip_norm, "largest norm of all gradients",
              Positive()},
        Field{"most_scale", &O::most_scale, "largest temperature factor",
              AtLeast(1)},
    };
  }
};

/// Where a pre-training leaves its traces.
struct PretrainPlaces {
  /// Read when it exists, written every `checkpoint_every` steps and when a
  /// signal arrives. Empty: none.
  std::filesystem::path checkpoint;
  std::int64_t checkpoint_every = 200;
  /// JSON lines of the first step and every `log_every`th. Empty: none.
  std::filesystem::path log;
  std::int64_t log_every = 1;
};

struct PretrainResult {
  ClipModel model;
  std::int64_t steps = 0;
  double seconds = 0;   ///< Of the steps, over all legs.
  double loss = 0;      ///< Mean of the last hundred steps.
  double accuracy = 0;  ///< In-batch, image to text, mean of the same.
};

/// The rate of step `step`, from 0.
double PretrainRate(const PretrainOptions& options, std::int64_t step);

/// Symmetric InfoNCE (CLIP's loss) of unit features, where captions that are
/// equal share the target's mass instead of being each other's negatives.
struct ContrastiveLoss {
  at::Tensor loss;      ///< [], with gradient.
  at::Tensor accuracy;  ///< [], share of images whose best text is theirs.
};
ContrastiveLoss InfoNce(const at::Tensor& image_features,
                        const at::Tensor& text_features,
                        const at::Tensor& scale, const at::Tensor& ids);

/// Trains a model of `config` with AdamW. Stopped at any step and called again
/// with the same arguments, it ends with the same bits as never stopped. Throws
/// DataError when the loss is not finite or the checkpoint is another
/// training's, Interrupted after saving when a signal has arrived.
PretrainResult Pretrain(const ClipConfig& config,
                        const PretrainOptions& options,
                        const PairMaker& make_pairs,
                        const PretrainPlaces& places);

}  // namespace tailmark
