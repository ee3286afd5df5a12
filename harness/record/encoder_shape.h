#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tailmark {

/// How much work the towers of a CLIP are, reckoned from the shapes of its
/// tensors. FLOP: a multiplication and an addition are two.
struct EncoderShape {
  struct Tower {
    double width = 0;    ///< Of its tokens; of a ResNet typical planes.
    double numbers = 0;  ///< Parameters.
    double tokens = 1;   ///< Of an image; of a text 1.
    double flops = 0;    ///< Forward pass of all of these tokens.
    /// What that pass keeps for a gradient, bytes in float32: fifteen numbers
    /// for each number of a token and layer, as peak memory of fits shows.
    double saved = 0;
  };
  Tower image;
  Tower text;         ///< All 0 without a text tower.
  double pixels = 0;  ///< Side of the square picture.
};

using TensorShapes = std::map<std::string, std::vector<std::int64_t>>;

/// Of tensors with OpenAI's names (OpenCLIP's are the same) or HuggingFace's,
/// of a vision transformer or a ResNet. Nothing when it is no CLIP.
std::optional<EncoderShape> EncoderShapeOf(const TensorShapes& tensors);

/// The same of a file or folder of weights, of which only headers are read.
/// Throws DataError.
std::optional<EncoderShape> EncoderShapeOf(const std::filesystem::path& path);

}  // namespace tailmark
