#include "methods/optim/autocast.h"

#include <ATen/autocast_mode.h>

#include "methods/torch_pch.h"

namespace tailmark {

Autocast::Autocast(const Problem& problem)
    : device_(problem.device.type()),
      active_(problem.precision == "bf16" || problem.precision == "fp16") {
  if (!active_) return;
  was_enabled_ = at::autocast::is_autocast_enabled(device_);
  was_type_ = at::autocast::get_autocast_dtype(device_);
  at::autocast::set_autocast_enabled(device_, true);
  at::autocast::set_autocast_dtype(
      device_, problem.precision == "bf16" ? at::kBFloat16 : at::kHalf);
  at::autocast::increment_nesting();
}

Autocast::~Autocast() {
  if (!active_) return;
  // The outermost one forgets the casts of the parameters: the next step moves
  // them.
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(device_, was_enabled_);
  at::autocast::set_autocast_dtype(device_, was_type_);
}

}  // namespace tailmark
