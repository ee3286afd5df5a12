#include "harness/record/weights.h"

#include <map>

#include "harness/base/digest.h"
#include "harness/base/error.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

bool HoldsTensors(const std::string& name) {
  return name.ends_with(".safetensors") || name.ends_with(".pt");
}

bool MakesAnEncoder(const std::string& name) {
  return HoldsTensors(name) || name == "config.json" || name == "vocab.json" ||
         name == "merges.txt" || name.ends_with(".txt.gz");
}

}  // namespace

std::string WeightsSha256(const fs::path& path) {
  std::error_code code;
  if (fs::is_regular_file(path, code)) return Sha256File(path);
  if (!fs::is_directory(path, code)) {
    throw DataError(
        StrCat(path.string(),
               ": no such weights; expected a folder with config.json and "
               "*.safetensors, or a file"));
  }
  std::map<std::string, fs::path> files;
  bool tensors = false;
  for (const auto& entry : fs::directory_iterator(path, code)) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_regular_file(code) || !MakesAnEncoder(name)) continue;
    files.emplace(name, entry.path());
    tensors = tensors || HoldsTensors(name);
  }
  if (!tensors) {
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
