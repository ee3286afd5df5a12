#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>

#include "methods/clip/clip_model.h"

namespace tailmark {

/// Reads what WeightFiles finds at `path`: with HuggingFace's names, by the
/// config.json beside them; with OpenAI's, which OpenCLIP shares, by the
/// tensors' shapes. Values are converted to `like`'s type and device. Throws
/// DataError naming the file and the tensor that is missing, of the wrong
/// shape, not a number, or not used by the configuration.
ClipModel LoadClip(const std::filesystem::path& path,
                   const at::TensorOptions& like);

/// Writes config.json and model.safetensors, which LoadClip and transformers
/// read, with values of `type` (float16 halves the file). Equal models give
/// equal bytes. Throws StoreError.
void SaveClip(const ClipModel& model, const std::filesystem::path& folder,
              at::ScalarType type);

}  // namespace tailmark
