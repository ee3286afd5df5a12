#include "harness/cli/named_plugin.h"

#include <algorithm>
#include <vector>

#include "harness/base/error.h"
#include "harness/cli/score_rows.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

/// Sorted.
std::vector<fs::path> FilesOfType(const fs::path& folder,
                                  const std::string& extension) {
  std::vector<fs::path> files;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(folder, code)) {
    if (entry.path().extension() == extension) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

fs::path PluginIn(const fs::path& folder) {
  for (const char* name : {"method.json", "model.json"}) {
    if (fs::is_regular_file(folder / name)) return folder / name;
  }
  std::vector<fs::path> found = FilesOfType(folder / "build", ".so");
  if (found.empty()) found = FilesOfType(folder, ".so");
  if (found.empty()) found = FilesOfType(folder, ".npy");
  if (found.size() == 1) return found.front();
  const std::string where = folder.string();
  if (!found.empty()) {
    throw ConfigError(StrCat(where, ": has ", found.size(),
                             " plugins; name one: ", found.front().string()));
  }
  if (fs::is_regular_file(folder / "CMakeLists.txt")) {
    throw ConfigError(StrCat(where, ": is not built yet: cmake -S ", where,
                             " -B ", where, "/build && cmake --build ", where,
                             "/build"));
  }
  throw ConfigError(
      StrCat(where, ": has no method.json, model.json, build/*.so or *.npy",
             fs::is_regular_file(folder / "test.sh")
                 ? "; sh " + where + "/test.sh makes what is missing"
                 : ""));
}

}  // namespace

std::optional<PluginReference> NamedPlugin(const std::string& word) {
  if (auto said = ParsePluginReference(word, fs::current_path())) return said;
  fs::path path = fs::absolute(word).lexically_normal();
  if (fs::is_directory(path)) path = PluginIn(path);
  if (!fs::is_regular_file(path)) return std::nullopt;
  return PluginReference{.kind = IsScoreFile(path) ? "scores" : "plugin",
                         .path = path,
                         .method = ""};
}

}  // namespace tailmark
