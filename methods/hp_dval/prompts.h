#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "harness/api/encoder.h"

namespace tailmark {

/// The texts of HP-DVAL (Eq. 3, 6, 7): the template "a photo of a NAME." and,
/// for the learnt prompts, the same positions with M placeholders, "X X X X
/// NAME.". C classes, L positions.
struct PromptTokens {
  at::Tensor templates;     ///< [C, L] int64
  at::Tensor placeholders;  ///< [C, L] int64
};
/// Throws ConfigError when a text does not fit into the encoder's context.
PromptTokens TokenisePrompts(const Encoder& encoder,
                             const std::vector<std::string>& class_names,
                             std::int64_t context_tokens);

/// Word embeddings [C, L, W] of the placeholders with the M context vectors
/// `context` [M, W], which all classes share, in place of positions 1..M.
at::Tensor WithContext(const at::Tensor& embeddings, const at::Tensor& context);

/// The four word embeddings of "a photo of a", [4, W].
at::Tensor PhotoWords(Encoder& encoder);

}  // namespace tailmark
