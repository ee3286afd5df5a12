#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/base/json.h"

namespace tailmark {

/// A file with a pinned hash and where it comes from.
struct PinnedFile {
  std::string name;  ///< Of the weights; "vocabulary".
  std::string summary;
  std::string file;  ///< Name on disk.
  std::string sha256;
  std::int64_t bytes = 0;  ///< About.
  std::vector<std::string> urls;
  Json model;  ///< Sizes, for random weights (methods/clip/weights.json).
};

/// What methods/clip/weights.json knows.
const std::vector<PinnedFile>& PinnedWeights();
const PinnedFile& PinnedVocabulary();

/// Where weights are kept, one folder a name: $TAILMARK_WEIGHTS, else
/// ~/.local/share/tailmark/weights. Throws ConfigError when neither is set.
std::filesystem::path WeightsRoot();
/// The same, or nothing to look into: "".
std::filesystem::path WeightsRootIfAny();

/// Names that can be used now: nano-clip and the folders in the root.
std::vector<std::string> InstalledWeights();

/// The folder or file of "nano-clip", of a name in the root, or of a path.
/// Throws ConfigError for an unknown name, DataError for what is not there (and
/// how to get it).
std::filesystem::path WeightsPath(const std::string& weights);

/// A vocabulary's path: what was given (a path, or the name of weights), or,
/// for
/// "", the fetched one. Throws ConfigError, DataError.
std::filesystem::path VocabularyPath(const std::string& given);

}  // namespace tailmark
