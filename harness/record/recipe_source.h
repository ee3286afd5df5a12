#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "harness/record/sourced_json.h"

namespace tailmark {

/// The recipe file laid over the files it includes, earlier includes lowest.
/// Throws ConfigError for a cycle or a wrong schema, DataError for a file that
/// cannot be read.
SourcedJson ReadRecipeSource(const std::filesystem::path& path);

/// Applies "a.b=1" of the command line. A method or data set written as a bare
/// string becomes an object first. Throws ConfigError with the nearest name.
void ApplySet(SourcedJson& source, std::span<const std::string> settings);

}  // namespace tailmark
