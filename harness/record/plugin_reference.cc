#include "harness/record/plugin_reference.h"

#include "harness/base/error.h"

namespace tailmark {

std::string PluginReference::Text() const {
  return StrCat(kind, ":", path.string(), method.empty() ? "" : "#", method);
}

std::optional<PluginReference> ParsePluginReference(
    std::string_view use, const std::filesystem::path& base) {
  for (const std::string_view kind : {"plugin", "process", "scores"}) {
    if (!use.starts_with(kind) || use.substr(kind.size(), 1) != ":") continue;
    const std::string_view rest = use.substr(kind.size() + 1);
    const std::size_t hash = rest.rfind('#');
    const std::string_view path = rest.substr(0, hash);
    if (path.empty()) {
      throw ConfigError(StrCat("'", use, "' names no file; write ", kind,
                               ":PATH or ", kind, ":PATH#METHOD"));
    }
    return PluginReference{
        .kind = std::string(kind),
        .path = std::filesystem::absolute(base / path).lexically_normal(),
        .method = hash == rest.npos ? "" : std::string(rest.substr(hash + 1))};
  }
  return std::nullopt;
}

}  // namespace tailmark
