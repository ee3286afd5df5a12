#include "harness/cli/known_weights.h"

#include <algorithm>

#include "harness/base/environment.h"
#include "harness/base/error.h"
#include "harness/base/suggest.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

constexpr const char* kOurs = "nano-clip";
constexpr const char* kSchema = "tailmark-weights/1";

PinnedFile FromJson(const Json& json) {
  return {.name = json.value("name", ""),
          .summary = json.value("summary", ""),
          .file = json.at("file").get<std::string>(),
          .sha256 = json.at("sha256").get<std::string>(),
          .bytes = json.at("bytes").get<std::int64_t>(),
          .urls = json.at("urls").get<std::vector<std::string>>(),
          .model = json.value("model", Json::object())};
}

struct Known {
  std::vector<PinnedFile> weights;
  PinnedFile vocabulary;
};

Known Read() {
  const fs::path path = SharedFile("methods/clip/weights.json");
  const Json json = ReadJson(path);
  try {
    if (json.at("schema") != kSchema) {
      throw DataError(StrCat("schema ", json.at("schema").dump(),
                             ", expected \"", kSchema, "\""));
    }
    Known known;
    for (const Json& each : json.at("weights")) {
      known.weights.push_back(FromJson(each));
    }
    known.vocabulary = FromJson(json.at("vocabulary"));
    known.vocabulary.name = "vocabulary";
    known.vocabulary.summary = "CLIP's byte-pair vocabulary";
    return known;
  } catch (const std::exception& error) {
    throw DataError(StrCat(path.string(), ": ", error.what()));
  }
}

const Known& AllKnown() {
  static const Known kKnown = Read();
  return kKnown;
}

bool IsPinned(const std::string& name) {
  return std::any_of(PinnedWeights().begin(), PinnedWeights().end(),
                     [&](const PinnedFile& each) { return each.name == name; });
}

}  // namespace

const std::vector<PinnedFile>& PinnedWeights() { return AllKnown().weights; }
const PinnedFile& PinnedVocabulary() { return AllKnown().vocabulary; }

fs::path WeightsRootIfAny() {
  if (const auto given = GetEnv("TAILMARK_WEIGHTS"))
    return fs::absolute(*given);
  if (const auto home = GetEnv("HOME")) {
    return fs::path(*home) / ".local/share/tailmark/weights";
  }
  return {};
}

fs::path WeightsRoot() {
  const fs::path root = WeightsRootIfAny();
  if (root.empty()) {
    throw ConfigError(
        "neither TAILMARK_WEIGHTS nor HOME is set: there is no "
        "place for weights");
  }
  return root;
}

std::vector<std::string> InstalledWeights() {
  std::vector<std::string> names;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(WeightsRootIfAny(), code)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_directory(code) && name != PinnedVocabulary().name &&
        !name.starts_with('.')) {
      names.push_back(name);
    }
  }
  std::sort(names.begin(), names.end());
  names.insert(names.begin(), kOurs);
  return names;
}

fs::path WeightsPath(const std::string& weights) {
  if (weights == kOurs) return SharedFile("methods/clip/nano");
  const bool is_name = weights.find('/') == weights.npos;
  const auto names = InstalledWeights();
  if (is_name &&
      std::find(names.begin(), names.end(), weights) != names.end()) {
    return WeightsRoot() / weights;
  }
  if (fs::exists(weights)) return fs::absolute(weights);
  if (!is_name) throw DataError(StrCat(weights, ": no such weights"));
  if (IsPinned(weights)) {
    throw DataError(StrCat("weights '", weights,
                           "' are not here: get them with tailmark weights "
                           "fetch ",
                           weights,
                           ", take a file with tailmark weights import FILE, "
                           "or try random ones, tailmark weights random ",
                           weights));
  }
  auto known = names;
  for (const PinnedFile& each : PinnedWeights()) known.push_back(each.name);
  throw ConfigError(StrCat(UnknownName("weights", weights, known),
                           " Or give a path with a / in it."));
}

fs::path VocabularyPath(const std::string& given) {
  if (!given.empty()) {
    if (fs::exists(given)) return fs::absolute(given);
    if (given.find('/') != given.npos || given.find('.') != given.npos) {
      throw DataError(StrCat(given, ": no such vocabulary"));
    }
    return WeightsPath(given);
  }
  const fs::path root = WeightsRootIfAny();
  const PinnedFile& pinned = PinnedVocabulary();
  const fs::path path = root / pinned.name / pinned.file;
  if (root.empty() || !fs::exists(path)) {
    throw DataError(StrCat(
        "CLIP's vocabulary is not here: get it with tailmark weights fetch ",
        pinned.name, ", or give --vocab FILE"));
  }
  return path;
}

}  // namespace tailmark
