#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "datasets/loader/loader.h"
#include "harness/api/source.h"

namespace tailmark {

/// Labels and names of a training split, ready for methods.
struct TrainRows {
  std::vector<std::string> ids;
  std::vector<std::string> captions;  ///< Empty when there are none.
  at::Tensor labels;                  ///< [N, C] uint8 on the CPU.
  at::Tensor known;                   ///< [N, C] bool, or undefined: all.
};

/// Those rows [n] of a split, in that order.
TrainRows TakeRows(const TrainRows& rows,
                   const std::vector<std::int64_t>& take);

/// What both kinds of source need beside their data.
struct SourceContext {
  std::uint64_t seed = 0;  ///< Of the run.
  c10::Device device = c10::Device(c10::DeviceType::CPU);
  /// Called before each batch; may throw (Interrupted) to end the walk.
  std::function<void()> tick = [] {};
  /// Called for each batch that a TrainSource gave.
  std::function<void()> drawn = [] {};
};

/// What a method of input `features` or `none` walks through: rows of a matrix
/// [N, D] on the CPU or the device, undefined for `none`. Any other shape
/// [N, ...] will do: pixels in memory are served alike.
struct FeatureViews {
  at::Tensor plain;
  /// Features of the mirrored images, asked for once, when first needed.
  std::function<at::Tensor()> flipped;
};
std::unique_ptr<TrainSource> MakeFeatureTrainSource(TrainRows rows,
                                                    FeatureViews views,
                                                    SourceContext context);
std::unique_ptr<TestSource> MakeFeatureTestSource(std::vector<std::string> ids,
                                                  at::Tensor features,
                                                  SourceContext context);

/// What a method of input `images` walks through. The loader must walk the
/// split of the same rows, and have the run's seed.
std::unique_ptr<TrainSource> MakeImageTrainSource(
    TrainRows rows, std::unique_ptr<Loader> loader, int image_size,
    SourceContext context);
std::unique_ptr<TestSource> MakeImageTestSource(std::vector<std::string> ids,
                                                std::unique_ptr<Loader> loader,
                                                int image_size,
                                                SourceContext context);

}  // namespace tailmark
