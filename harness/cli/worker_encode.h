#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tailmark {

/// `encode` and `tokenize`: encoders and tokenizers for other programs.

/// What both take texts or files from.
struct InputOptions {
  std::vector<std::string> given;  ///< On the command line.
  std::string list;                ///< A file with one a line; "-": stdin.
};

struct EncodeOptions {
  InputOptions inputs;  ///< Paths of pictures, or texts.
  std::string weights;  ///< A folder or a file.
  std::string out;      ///< The .npy file.
  /// "" is the crop to the size that the weights were trained with.
  std::string pipeline;
  /// Of weights and computation: float32, float16, bfloat16. The file has the
  /// same type, but float32 for bfloat16, which .npy does not know.
  std::string dtype = "float32";
  std::string device = "cpu";
  int threads = 1;
  int batch = 32;
  bool all_tokens = false;  ///< Every token's projection, not the feature.
  bool raw = false;         ///< Leave the norm as it is.
  bool truncate = false;    ///< Cut texts that are too long.
};

/// Writes [N, D], or [N, T, D] with all tokens: of a ViT class token and
/// patches, of a ResNet the pooled feature and every place of the last map, of
/// texts every position. A row of length 1 unless `raw`. Pictures that cannot
/// be decoded are named, a line each; then there is no file and the answer is
/// false. Throws ConfigError, DataError, StoreError.
bool EncodeImagesTo(const EncodeOptions& options);
void EncodeTextsTo(const EncodeOptions& options);

struct TokenizeOptions {
  InputOptions inputs;
  /// CLIP's vocabulary (file or folder), or weights with a tokenizer of their
  /// own.
  std::string vocabulary;
  bool truncate = false;
  bool json = false;
};

/// Prints a row of ids for each text: JSON, or a line of numbers. Throws
/// ConfigError for a text that is too long, DataError.
void PrintTokens(const TokenizeOptions& options);

}  // namespace tailmark
