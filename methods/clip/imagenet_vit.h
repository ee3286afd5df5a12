#pragma once

#include <filesystem>
#include <memory>

#include "harness/api/encoder.h"

namespace tailmark {

/// `clip` with another image tower: a plain ViT trained on ImageNet, of the
/// same sizes, from a safetensors file with timm's names
/// ("blocks.0.attn.qkv.weight"). Unlike CLIP's it has no norm before its
/// blocks, GELU, eps 1e-6, and a patch bias, which is added to the positions
/// here; its classifier is left out and the projection stays CLIP's, which
/// means nothing to it: use EncodeImageStates(). Texts are shared with `clip`.
/// Throws ConfigError when `clip` is no CLIP with a vision transformer,
/// DataError when the file does not fit.
std::unique_ptr<Encoder> WithImageNetTower(const Encoder& clip,
                                           const std::filesystem::path& path);

}  // namespace tailmark
