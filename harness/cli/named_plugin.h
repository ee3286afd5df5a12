#pragma once

#include <optional>
#include <string>

#include "harness/record/plugin_reference.h"

namespace tailmark {

/// The plugin that a word on the command line names: a reference
/// ("plugin:FILE#NAME"), a file, or a folder such as `tailmark plugin new`
/// writes. Nothing when it is none of these: then it is a name. Throws
/// ConfigError for a folder that has no plugin, with how to build one, or
/// several.
std::optional<PluginReference> NamedPlugin(const std::string& word);

}  // namespace tailmark
