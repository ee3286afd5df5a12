#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/cli/known_weights.h"

/// A folder of weights: tensors, configuration, vocabulary, and SHA256SUMS,
/// which `sha256sum -c` reads too.
namespace tailmark {

/// What is wrong with a file of weights.
struct WeightsProblem {
  std::string file;
  std::string what;
};

/// Reads every tensor that an encoder would be made from, safetensors or
/// archives of torch, and compares each file with SHA256SUMS where there is
/// one, and with `pinned`, if not null. Empty: nothing is wrong.
std::vector<WeightsProblem> VerifyWeights(const std::filesystem::path& path,
                                          const PinnedFile* pinned);

/// SHA256SUMS over all files that an encoder is made from. Throws StoreError.
void WriteSums(const std::filesystem::path& folder);

/// The fetched vocabulary, if there is one, beside weights that have none:
/// then they read texts without further words.
void AddVocabulary(const std::filesystem::path& folder);

/// Copies a file or folder of weights to `folder`, which must not be there.
/// Throws DataError when it is no CLIP, StoreError.
void CopyWeights(const std::filesystem::path& from,
                 const std::filesystem::path& folder);

/// The pinned weights that this file is, by its hash, or null.
const PinnedFile* PinnedByHash(const std::filesystem::path& file);
const PinnedFile* PinnedByName(const std::string& name);

}  // namespace tailmark
