#pragma once

#include <filesystem>
#include <string>

namespace tailmark {

/// What a plugin's file is, from its bytes alone; `tailmark` links this.
struct PluginKind {
  /// "cxx_plugin", "c_plugin", "process", "torchscript" or "aoti": as results
  /// name it.
  std::string name;
  /// It decodes images by itself: its results are branded `foreign`.
  bool foreign = false;
};

/// Throws DataError for a file that is no plugin of any kind.
PluginKind KindOfPlugin(const std::filesystem::path& path);

}  // namespace tailmark
