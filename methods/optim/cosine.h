#pragma once

#include <cstdint>

namespace tailmark {

/// Half a cosine from `lr` down to `min_lr` over `epochs`, with a warm-up. Two
/// forms are in use:
///  * kLinear (MAE's half-cycle cosine, HP-DVAL's release): from 0 to lr over
///    `warm_up` epochs, the cosine over what is left;
///  * kConstant (CoOp's): `warm_up_lr` during `warm_up` epochs, then the cosine
///    as if it had run from the start.
struct Cosine {
  enum class WarmUp : std::uint8_t { kLinear, kConstant };

  double lr = 2e-3;
  double epochs = 50;
  double warm_up = 0;  ///< Epochs.
  WarmUp form = WarmUp::kLinear;
  double warm_up_lr = 1e-5;
  double min_lr = 0;

  /// The rate at `epoch`, from 0, which may be a fraction. Past the end it
  /// stays.
  double At(double epoch) const;
};

}  // namespace tailmark
