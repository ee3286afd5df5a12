#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>

#include "methods/clip/clip_model.h"

namespace tailmark {

/// Reads a HuggingFace folder: config.json and model.safetensors, or the shards
/// that model.safetensors.index.json lists. Values are converted to `like`'s
/// type and device. Throws DataError naming the file and the tensor that is
/// missing, of the wrong shape, not a number, or not used by the configuration.
ClipModel LoadClip(const std::filesystem::path& folder,
                   const at::TensorOptions& like);

/// Writes config.json and model.safetensors, which LoadClip and transformers
/// read, with values of `type` (float16 halves the file). Equal models give
/// equal bytes. Throws StoreError.
void SaveClip(const ClipModel& model, const std::filesystem::path& folder,
              at::ScalarType type);

}  // namespace tailmark
