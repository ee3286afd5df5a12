#pragma once

#include <filesystem>

#include "harness/api/registry.h"

namespace tailmark {

/// Adds the methods of a shared object in C (tailmark_plugin_c.h). Throws
/// DataError when it cannot be loaded, ConfigError when its table is of a
/// version that is not known here. REQUIRES: the stamp has been looked at.
void OpenCPlugin(const std::filesystem::path& path, MethodRegistry& registry);

}  // namespace tailmark
