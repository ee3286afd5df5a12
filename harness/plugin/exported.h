#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/api/registry.h"
#include "harness/plugin/place.h"

namespace tailmark {

/// The entry of an exported model: TorchScript (.pt) or an AOTInductor package
/// (.pt2), described by its model.json (format: README.md). It predicts only.
/// Throws DataError when model.json is not one or the model's file has another
/// SHA-256 than it says. Making the method throws ConfigError when a class of
/// the problem is not among the model's, which are found by name, or the run's
/// pipeline is another than the model was made for; DataError when this
/// LibTorch cannot load the file. Predict() throws std::runtime_error for
/// features of another width than model.json says.
MethodRegistry::Entry OpenExported(const std::filesystem::path& path,
                                   const PluginPlace& place);

/// What an exported model was made for, as its model.json says.
struct ExportedInput {
  std::vector<std::string> classes;  ///< In the order of its output.
  std::string pipeline;              ///< Of its images; "": it takes features.
  std::int64_t width = 0;  ///< Of a feature; 0: not said, or it takes images.
};
/// Throws as OpenExported() does.
ExportedInput InputOfExported(const std::filesystem::path& path);

/// SHA-256 of model.json and the model's file.
std::string ExportedSha256(const std::filesystem::path& path);

}  // namespace tailmark
