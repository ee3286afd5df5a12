#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>

#include "datasets/dataset.h"
#include "datasets/images/pipeline.h"
#include "harness/api/encoder.h"
#include "harness/run/events.h"
#include "harness/run/feature_cache.h"

namespace tailmark {

/// Turns the images of splits into the frozen encoder's features [N, D],
/// float32 on the CPU, from the cache where it can. Everything referred to must
/// outlive it.
class FeatureMaker {
 public:
  struct Context {
    const Dataset& dataset;
    Encoder& encoder;
    const FeatureCache& cache;
    EventLog& events;
    Pipeline pipeline;
    int threads = 1;
    /// The parts of the key that are the same for all splits and views.
    FeatureKey key;
    std::function<void()> tick = [] {};
  };
  explicit FeatureMaker(Context context) : context_(std::move(context)) {}

  /// `flipped`: of the mirrored images. Throws ConfigError when the encoder's
  /// features depend on their batch: such features are not a function of the
  /// image.
  at::Tensor Make(const Split& split, bool flipped);

  /// Images encoded so far, that is, not found in the cache.
  std::int64_t encoded() const { return encoded_; }

 private:
  at::Tensor Encode(const Split& split, bool flipped);

  Context context_;
  std::int64_t encoded_ = 0;
};

}  // namespace tailmark
