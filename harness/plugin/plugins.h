#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/api/registry.h"
#include "harness/plugin/place.h"
#include "harness/plugin/stamp.h"

namespace tailmark {

/// What this program can load.
PluginStamp HostStamp();

/// SHA-256 of everything that a plugin's file is made of: what a run's key
/// holds of it. Throws DataError when a part of it is missing.
std::string ArtifactSha256(const std::filesystem::path& path);

/// Adds the methods of the plugin at `path` to `registry`, whatever its kind
/// (kind.h). The code of a shared object runs in this process from here on, and
/// is never unloaded: LibTorch keeps pointers into it. An external program is
/// started when a method is made. Throws DataError when it is no plugin or
/// cannot be loaded, ConfigError when its stamp does not fit this program or a
/// method's name is taken. Returns the names, sorted.
std::vector<std::string> OpenPlugin(const std::filesystem::path& path,
                                    MethodRegistry& registry,
                                    const PluginPlace& place = {});

}  // namespace tailmark
