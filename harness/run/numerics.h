#pragma once

#include <c10/core/Device.h>

#include "harness/base/json.h"
#include "harness/record/run_spec.h"

namespace tailmark {

/// The switches of LibTorch that decide which bits a run gives: set from the
/// run spec, read back for the record, put back by tests. LibTorch's spelling
/// of them differs between releases, so they are touched in numerics.cc alone.

/// The device a run is to use. Throws ConfigError when the spec's words do not
/// fit together, the precision is unknown, or the device is not there.
c10::Device DeviceOf(const RunSpec& spec);

/// "cuda" when LibTorch sees a CUDA device, else "cpu": what `auto` means.
std::string BestDeviceType();

/// Sets threads, deterministic algorithms and TF32 for the whole process.
/// Throws ConfigError for a word it does not know.
void ApplyNumerics(const RunSpec& spec);

/// What is in effect now, whoever set it: threads, deterministic algorithms,
/// cuDNN's choices, TF32 for matrix products and convolutions.
Json ReadNumerics();

/// Remembers the process-wide switches and puts them back at its end.
class NumericsGuard {
 public:
  NumericsGuard();
  ~NumericsGuard();
  NumericsGuard(const NumericsGuard&) = delete;
  NumericsGuard& operator=(const NumericsGuard&) = delete;

 private:
  struct Switches {
    bool deterministic, warn_only, fill;
    bool cudnn_deterministic, cudnn_benchmark;
    bool tf32_products, tf32_convolutions;
    int threads;
  };
  static Switches Now();
  Switches before_;
};

}  // namespace tailmark
