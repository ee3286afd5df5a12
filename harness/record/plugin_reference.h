#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace tailmark {

/// A method that is not built in, as recipes and the command line name it:
/// "plugin:build/libfancy.so#fancy" (a shared object, or the model.json of an
/// exported model), "process:tools/fancy/method.json" (an external program),
/// "scores:other_lab/fancy.json" (scores somebody else made). What follows the
/// # is the method of that file; without it, its only one.
struct PluginReference {
  std::string kind;  ///< "plugin", "process" or "scores".
  std::filesystem::path path;
  std::string method;  ///< "" for the only one.

  /// "plugin:/abs/libfancy.so#fancy"
  std::string Text() const;
};

/// Nothing for a plain method name. A relative path is taken from `base`.
/// Throws ConfigError for a reference without a path.
std::optional<PluginReference> ParsePluginReference(
    std::string_view use, const std::filesystem::path& base);

}  // namespace tailmark
