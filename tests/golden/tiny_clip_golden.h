#pragma once

#include <algorithm>
#include <filesystem>

#include "harness/base/safetensors.h"
#include "methods/clip/clip_encoder.h"
#include "methods/clip/openai_names.h"
#include "methods/clip/tensor_file.h"
#include "methods/torch_pch.h"
#include "tests/golden/golden.h"

namespace tailmark {

/// A tensor under OpenAI's name, turned round where ours is.
inline at::Tensor FromOpenAi(const at::Tensor& tensor, const OpenAiName& name) {
  return name.transposed ? tensor.t() : tensor;
}

/// "tiny_clip_a" or "tiny_clip_b" of the golden folder methods, without a
/// tokenizer. Ends are the largest ids.
inline ClipModel TinyGoldenClip(const std::string& name, at::ScalarType type) {
  const at::NoGradGuard no_grad;
  const auto file =
      Safetensors::Open(GoldenFolder("methods") / (name + ".safetensors"));
  ClipModel model(ConfigFromShapes(file.tensors(), name),
                  at::TensorOptions(type));
  for (const NamedTensor& each : model.Parameters()) {
    const OpenAiName theirs = ToOpenAiName(each.name);
    each.tensor.copy_(FromOpenAi(ToTensor(file.At(theirs.name)), theirs));
  }
  return model;
}

}  // namespace tailmark
