#pragma once

#include <filesystem>
#include <string>

#include "harness/api/registry.h"
#include "harness/plugin/place.h"

namespace tailmark {

/// The entry of an exported model: TorchScript (.pt) or an AOTInductor package
/// (.pt2), described by its model.json (format: README.md). It predicts only.
/// Throws DataError when model.json is not one or the model's file has another
/// SHA-256 than it says. Making the method throws ConfigError when a class of
/// the problem is not among the model's, which are found by name, or the run's
/// pipeline is another than the model was made for; DataError when this
/// LibTorch cannot load the file.
MethodRegistry::Entry OpenExported(const std::filesystem::path& path,
                                   const PluginPlace& place);

/// SHA-256 of model.json and the model's file.
std::string ExportedSha256(const std::filesystem::path& path);

}  // namespace tailmark
