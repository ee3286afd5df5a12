#pragma once

#include <filesystem>

#include "harness/api/registry.h"

namespace tailmark {

/// A symbol of the shared object at `path`, which is loaded and stays so.
/// Throws DataError with the loader's words.
void* LoadSymbol(const std::filesystem::path& path, const char* symbol);

/// Adds what TM_PLUGIN() named. REQUIRES: the stamp has been looked at.
void OpenCxxPlugin(const std::filesystem::path& path, MethodRegistry& registry);

}  // namespace tailmark
