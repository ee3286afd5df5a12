#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace tailmark {

/// A slice of a split. Rows of all members line up.
struct Batch {
  /// What the method declared as its input: normalised pixels [B, 3, H, W] or
  /// the frozen encoder's projected features [B, D] (not L2-normalised);
  /// float32 on the run's device. Undefined for input = none.
  at::Tensor inputs;
  at::Tensor rows;  ///< [B] int64 on the CPU: positions in the split.
};

/// A batch of a split whose labels a method may see.
struct TrainBatch : Batch {
  at::Tensor labels;  ///< [B, C] float32, 0 or 1, on the run's device.
  at::Tensor known;   ///< [B, C] bool; undefined means every label is known.
};

/// One walk through a split.
struct Pass {
  std::int64_t epoch = 0;
  std::int64_t batch_size = 64;
  bool shuffle = true;  ///< Order depends on (run seed, epoch) alone.
  /// "none", "flip" (mirrored with probability 1/2), "randaugment" or
  /// "cutout-randaugment", see datasets/loader/augment.h; drawn from (run seed,
  /// epoch, row). Features can only be flipped.
  std::string augment = "none";
  bool drop_last = false;  ///< Leave out a last batch that is not full.
};

/// A split with labels: train, or the part of it held out for validation.
class TrainSource {
 public:
  virtual ~TrainSource() = default;
  virtual std::int64_t num_samples() const = 0;
  /// All labels [N, C] uint8 and, when some are unknown, known [N, C] bool, on
  /// the CPU, in the order of the split.
  virtual const at::Tensor& labels() const = 0;
  virtual const at::Tensor& known() const = 0;
  virtual const std::vector<std::string>& ids() const = 0;
  /// One a sample, or empty.
  virtual const std::vector<std::string>& captions() const = 0;
  virtual void Start(const Pass& pass) = 0;
  /// Fills `batch` and returns true, or returns false at the end of the pass.
  virtual bool Next(TrainBatch& batch) = 0;
};

/// A split to be scored. It has no labels, on purpose.
class TestSource {
 public:
  virtual ~TestSource() = default;
  virtual std::int64_t num_samples() const = 0;
  virtual const std::vector<std::string>& ids() const = 0;
  /// In the order of the split, never augmented.
  virtual void Start(std::int64_t batch_size) = 0;
  virtual bool Next(Batch& batch) = 0;
};

}  // namespace tailmark
