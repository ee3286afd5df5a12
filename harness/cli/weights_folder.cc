#include "harness/cli/weights_folder.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <sstream>

#include "harness/base/digest.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/safetensors.h"
#include "harness/base/torch_archive.h"
#include "harness/record/weights.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

constexpr const char* kSums = "SHA256SUMS";

bool HoldsTensors(const fs::path& file) {
  return file.extension() == ".safetensors" || file.extension() == ".pt";
}

std::vector<fs::path> FilesIn(const fs::path& path) {
  if (!fs::is_directory(path)) return {path};
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(path)) {
    if (entry.is_regular_file() &&
        MakesAnEncoder(entry.path().filename().string())) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

template <class T>
bool AllFinite(std::span<const std::byte> bytes, T exponent) {
  for (std::size_t at = 0; at + sizeof(T) <= bytes.size(); at += sizeof(T)) {
    T bits;
    std::memcpy(&bits, bytes.data() + at, sizeof(T));
    if ((bits & exponent) == exponent) return false;
  }
  return true;
}

bool AllFinite(const TensorView& view) {
  switch (view.dtype) {
    case DType::kFloat16:
      return AllFinite<std::uint16_t>(view.bytes, 0x7C00);
    case DType::kBfloat16:
      return AllFinite<std::uint16_t>(view.bytes, 0x7F80);
    case DType::kFloat32:
      return AllFinite<std::uint32_t>(view.bytes, 0x7F800000U);
    case DType::kFloat64:
      return AllFinite<std::uint64_t>(view.bytes, 0x7FF0000000000000U);
    default:
      return true;
  }
}

/// Throws DataError for a file that holds no tensors or broken ones.
std::vector<std::string> CheckedNames(const fs::path& file) {
  std::vector<std::string> names;
  const auto look = [&](const Safetensors::Tensors& tensors) {
    for (const auto& [name, view] : tensors) {
      if (!AllFinite(view)) {
        throw DataError(StrCat(file.string(), ": tensor '", name,
                               "' holds values that are not finite"));
      }
      names.push_back(name);
    }
  };
  if (file.extension() == ".pt") {
    look(TorchArchive::Open(file).tensors());
  } else {
    look(Safetensors::Open(file).tensors());
  }
  return names;
}

std::map<std::string, std::string> SumsIn(const fs::path& folder) {
  std::map<std::string, std::string> sums;
  if (!fs::exists(folder / kSums)) return sums;
  std::istringstream lines(ReadFile(folder / kSums));
  for (std::string sum, name; lines >> sum >> name;) sums[name] = sum;
  return sums;
}

void RequireClip(const std::vector<std::string>& names, const fs::path& from) {
  for (const char* one : {"visual.conv1.weight",
                          "vision_model.embeddings.patch_embedding.weight"}) {
    if (std::find(names.begin(), names.end(), one) != names.end()) return;
  }
  throw DataError(
      StrCat(from.string(),
             ": is no CLIP: neither 'visual.conv1.weight' (OpenAI, "
             "OpenCLIP) nor 'vision_model.embeddings.patch_embedding.weight' "
             "(HuggingFace) is among its ",
             names.size(), " tensors"));
}

}  // namespace

std::vector<WeightsProblem> VerifyWeights(const fs::path& path,
                                          const PinnedFile* pinned) {
  std::vector<WeightsProblem> problems;
  auto sums = SumsIn(path);
  std::size_t with_tensors = 0;
  for (const fs::path& file : FilesIn(path)) {
    const std::string name = file.filename().string();
    const auto add = [&](const std::string& what) {
      problems.push_back({name, what});
    };
    std::string expected = sums.contains(name) ? sums[name] : "";
    sums.erase(name);
    if (pinned != nullptr && name == pinned->file) expected = pinned->sha256;
    try {
      const std::string found = Sha256File(file);
      if (!expected.empty() && found != expected) {
        add(StrCat("SHA-256 is ", found, ", expected ", expected));
      }
      if (!HoldsTensors(file)) continue;
      ++with_tensors;
      CheckedNames(file);
    } catch (const DataError& error) {
      add(error.what());
    }
  }
  // Notes and logs that were there when the sums were made.
  for (const auto& [name, sum] : sums) {
    if (!fs::exists(path / name)) {
      problems.push_back({name, "is missing"});
    } else if (const auto found = Sha256File(path / name); found != sum) {
      problems.push_back(
          {name, StrCat("SHA-256 is ", found, ", expected ", sum)});
    }
  }
  if (with_tensors == 0) {
    problems.push_back({".", "no weights (*.safetensors or *.pt)"});
  }
  return problems;
}

void WriteSums(const fs::path& folder) {
  std::string lines;
  for (const fs::path& file : FilesIn(folder)) {
    lines += StrCat(Sha256File(file), "  ", file.filename().string(), "\n");
  }
  WriteFileAtomic(folder / kSums, lines);
}

void AddVocabulary(const fs::path& folder) {
  const PinnedFile& pinned = PinnedVocabulary();
  const fs::path from = WeightsRoot() / pinned.name / pinned.file;
  const bool has_one =
      fs::exists(folder / "vocab.json") || fs::exists(folder / pinned.file);
  if (!has_one && fs::exists(from)) {
    WriteFileAtomic(folder / pinned.file, ReadFile(from));
  }
}

void CopyWeights(const fs::path& from, const fs::path& folder) {
  if (!fs::exists(from)) {
    throw DataError(StrCat(from.string(), ": no such file or folder"));
  }
  std::vector<std::string> names;
  const auto files = FilesIn(from);
  for (const fs::path& file : files) {
    if (!HoldsTensors(file)) continue;
    const auto more = CheckedNames(file);
    names.insert(names.end(), more.begin(), more.end());
  }
  RequireClip(names, from);
  if (fs::exists(folder)) {
    throw ConfigError(StrCat(folder.string(),
                             ": is there already; give another --name, or "
                             "remove it"));
  }
  // Whole or not at all.
  const fs::path desk = StrCat(folder.string(), ".tmp.", ::getpid());
  MakeFolders(desk);
  try {
    for (const fs::path& file : files) {
      fs::copy_file(file, desk / file.filename());
    }
    AddVocabulary(desk);
    WriteSums(desk);
    fs::rename(desk, folder);
  } catch (const fs::filesystem_error& error) {
    std::error_code ignored;
    fs::remove_all(desk, ignored);
    throw StoreError(error.what());
  }
  SyncFolder(folder.parent_path());
}

const PinnedFile* PinnedByHash(const fs::path& file) {
  if (!fs::is_regular_file(file)) return nullptr;
  const std::string found = Sha256File(file);
  for (const PinnedFile& each : PinnedWeights()) {
    if (each.sha256 == found) return &each;
  }
  return nullptr;
}

const PinnedFile* PinnedByName(const std::string& name) {
  for (const PinnedFile& each : PinnedWeights()) {
    if (each.name == name) return &each;
  }
  return nullptr;
}

}  // namespace tailmark
