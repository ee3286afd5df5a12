#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "harness/base/json.h"

namespace tailmark {

/// Full-size weights that hold nothing but numbers, so that everything can run
/// where the real files are not: OpenAI's names and shapes, float32, by a
/// recipe that any program can repeat.
///
///   key = FNV-1a-64 of "tailmark-clip-full-SEED/MODEL/TENSOR"
///   z_i = output i (from 0) of splitmix64 with state key
///   u_i = (z_i >> 40) / 2^24
///   x_i = float32(lo + (hi - lo) u_i), in float64, C order
///
/// TENSOR is OpenAI's name; lo and hi depend on what the tensor is (the table
/// in random_weights.cc): symmetric, with standard deviation gain /
/// sqrt(inputs) for products, so that features have a sensible size at full
/// depth. running_var takes u^3; logit_scale is 4.6052; num_batches_tracked is
/// 1000.
///
/// `model` is the entry's "model" of methods/clip/weights.json. Throws
/// StoreError; equal arguments give equal bytes.
void WriteRandomWeights(const std::string& name, const Json& model,
                        std::uint64_t seed, const std::filesystem::path& file);

}  // namespace tailmark
