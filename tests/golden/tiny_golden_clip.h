#pragma once

#include <unistd.h>
#include <filesystem>
#include <memory>
#include <string>

#include "methods/clip/clip_encoder.h"
#include "methods/clip/weights.h"
#include "methods/torch_pch.h"
#include "tests/golden/golden.h"

namespace tailmark {

/// The tiny CLIP `letter` ("a", "b") of the golden folder "methods", whose
/// texts are `tokenizer`'s (null: none); null when it is not there.
inline std::unique_ptr<ClipEncoder> TinyGoldenClip(
    const std::string& letter, at::ScalarType type,
    std::shared_ptr<const Tokenizer> tokenizer = nullptr) {
  const auto path =
      GoldenFolder("methods") / ("tiny_clip_" + letter + ".safetensors");
  if (!std::filesystem::exists(path)) return nullptr;
  // The file carries a map of its words, which no model has.
  const auto file = Safetensors::Open(path);
  Safetensors::Tensors tensors = file.tensors();
  tensors.erase("vocab_map");
  const auto copy =
      std::filesystem::temp_directory_path() /
      ("tiny_clip_" + letter + "." + std::to_string(getpid()) + ".safetensors");
  WriteSafetensors(copy, tensors);
  ClipModel model = LoadClip(copy, at::TensorOptions(type));
  std::filesystem::remove(copy);
  return std::make_unique<ClipEncoder>(std::move(model), std::move(tokenizer),
                                       "tiny_clip_" + letter);
}

}  // namespace tailmark
