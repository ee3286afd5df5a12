#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include "harness/api/method.h"

namespace tailmark {

/// While it lives, LibTorch computes matrix products and convolutions of this
/// thread in the run's lower precision, and what needs float32 in float32
/// (autocast). With precision "fp32" or "fp16-state" it does nothing. Put it
/// around a forward pass and the loss, not around backward() or a step.
class Autocast {
 public:
  explicit Autocast(const Problem& problem);
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  c10::DeviceType device_;
  bool active_;
  bool was_enabled_ = false;
  c10::ScalarType was_type_ = c10::ScalarType::Float;
};

}  // namespace tailmark
