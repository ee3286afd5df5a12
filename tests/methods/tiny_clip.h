#pragma once

#include "methods/clip/clip_model.h"
#include "methods/torch_pch.h"

namespace tailmark {

/// A CLIP of a few thousand parameters: milliseconds to make, load or train.
inline ClipConfig TinyConfig() {
  ClipConfig config;
  config.vision = {.width = 12, .mlp = 20, .layers = 2, .heads = 3};
  config.text = {.width = 8, .mlp = 16, .layers = 2, .heads = 2};
  config.joint_width = 6;
  config.image_size = 16;
  config.patch_size = 8;
  config.vocabulary = 11;
  config.context_length = 7;
  config.end.id = 10;
  config.tokenizer = "words";
  return config;
}

/// Random weights, biases and norms included, so that none is without effect.
inline ClipModel TinyClip(std::uint64_t seed = 3) {
  const at::NoGradGuard no_grad;
  ClipModel model(TinyConfig(), at::TensorOptions(at::kFloat));
  at::Generator chance = at::detail::createCPUGenerator(seed);
  for (const NamedTensor& parameter : model.Parameters()) {
    if (parameter.name.ends_with("bias")) {
      parameter.tensor.normal_(0.0, 0.1, chance);
    } else if (parameter.tensor.dim() == 1) {
      parameter.tensor.normal_(1.0, 0.1, chance);
    } else if (parameter.tensor.dim() > 1) {
      parameter.tensor.normal_(0.0, 0.3, chance);
    }
  }
  model.logit_scale.fill_(2.0);
  return model;
}

inline const std::vector<std::string> kTinyWords = {
    "<pad>", "<unk>", ",",     ".",       "a",    "dog",
    "mug",   "of",    "photo", "<start>", "<end>"};

}  // namespace tailmark
