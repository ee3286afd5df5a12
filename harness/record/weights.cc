#include "harness/record/weights.h"

#include <algorithm>
#include <map>

#include "harness/base/digest.h"
#include "harness/base/error.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

bool HoldsTensors(std::string_view name) {
  return name.ends_with(".safetensors") || name.ends_with(".pt");
}

/// The files of `folder` that count, by name.
std::map<std::string, fs::path> FilesThatCount(const fs::path& folder) {
  std::map<std::string, fs::path> files;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(folder, code)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_regular_file(code) && MakesAnEncoder(name)) {
      files.emplace(name, entry.path());
    }
  }
  return files;
}

}  // namespace

bool MakesAnEncoder(std::string_view name) {
  return HoldsTensors(name) || name == "model.safetensors.index.json" ||
         name == "config.json" || name == "open_clip_config.json" ||
         name == "vocab.json" || name == "merges.txt" ||
         name.starts_with("bpe_simple_vocab") || name.ends_with(".txt.gz");
}

std::string WeightsSha256(const fs::path& path) {
  std::error_code code;
  const bool is_file = fs::is_regular_file(path, code);
  if (!is_file && !fs::is_directory(path, code)) {
    throw DataError(
        StrCat(path.string(),
               ": no such weights; expected a folder with config.json and "
               "*.safetensors, or a file"));
  }
  auto files =
      FilesThatCount(is_file ? fs::absolute(path).parent_path() : path);
  if (is_file) {
    std::erase_if(files, [&](const auto& each) {
      return HoldsTensors(each.first) ||
             each.first == "model.safetensors.index.json";
    });
    if (files.empty()) return Sha256File(path);
    files.emplace(path.filename().string(), path);
  }
  if (std::none_of(files.begin(), files.end(),
                   [](const auto& each) { return HoldsTensors(each.first); }) &&
      !is_file) {
    throw DataError(
        StrCat(path.string(), ": holds no weights (*.safetensors or *.pt)"));
  }
  std::string lines;
  for (const auto& [name, file] : files) {
    lines += StrCat(Sha256File(file), "  ", name, "\n");
  }
  return Sha256Hex(lines);
}

}  // namespace tailmark
