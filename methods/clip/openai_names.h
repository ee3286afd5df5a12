#pragma once

#include <string>
#include <string_view>

#include "harness/base/safetensors.h"
#include "methods/clip/config.h"

/// Weights under the names that OpenAI gave them, which OpenCLIP keeps.
namespace tailmark {

/// Whether these are such names.
bool HasOpenAiNames(const Safetensors::Tensors& tensors);

/// The sizes, read from the tensors' shapes: what such files have instead of a
/// configuration. Heads are width / 64, of a ResNet 32 x width / 64; the
/// activation is OpenAI's, QuickGELU. Throws DataError that begins with `name`.
ClipConfig ConfigFromShapes(const Safetensors::Tensors& tensors,
                            std::string_view name);

/// A parameter of ClipModel in such files.
struct OpenAiName {
  std::string name;
  bool transposed = false;  ///< Projections: [W, D] there, [D, W] here.
};
OpenAiName ToOpenAiName(const std::string& parameter);

/// Numbers that such files carry beside the parameters and no model needs.
bool IsOpenAiExtra(std::string_view name);

}  // namespace tailmark
