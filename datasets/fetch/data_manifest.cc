#include "datasets/fetch/data_manifest.h"

#include <utility>

#include "datasets/fetch/annotations.h"
#include "datasets/fetch/workers.h"
#include "datasets/images/decode.h"
#include "harness/base/digest.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/json.h"
#include "harness/base/json_integer.h"
#include "harness/base/progress.h"

namespace tailmark::fetch {
namespace fs = std::filesystem;
namespace {

constexpr const char* kManifestSchema = "tailmark-data/1";
constexpr const char* kFile = "tailmark-manifest.json";

std::string WhatIsWrong(const fs::path& file, const std::string& path,
                        const PictureFacts* known) {
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) return kMissing;
  try {
    const PictureFacts now = LookAtFile(file, path);
    return known == nullptr ? "" : Difference(*known, now);
  } catch (const DataError& error) {
    const std::string what = error.what();
    const std::string prefix = path + ": ";
    return what.starts_with(prefix) ? what.substr(prefix.size()) : what;
  }
}

}  // namespace

DataManifest DataManifest::Load(const fs::path& root) {
  DataManifest manifest;
  const fs::path file = root / kFile;
  if (!fs::exists(file)) return manifest;
  try {
    const Json json = ReadJson(file);
    if (json.at("schema") != kManifestSchema) {
      throw DataError(StrCat("schema ", json.at("schema").dump(), ", expected ",
                             kManifestSchema));
    }
    for (const auto& [path, entry] : json.at("files").items()) {
      manifest.Add(
          path, {.size = IntegerOf<std::int64_t>(entry.at("size"), "size", 0),
                 .sha256 = entry.at("sha256").get<std::string>(),
                 .width = IntegerOf<int>(entry.at("width"), "width", 0),
                 .height = IntegerOf<int>(entry.at("height"), "height", 0)});
    }
  } catch (const std::exception& error) {
    throw DataError(StrCat(file.string(),
                           ": no manifest of Tailmark: ", error.what(),
                           "; move it away to trust the files as they are"));
  }
  return manifest;
}

void DataManifest::Save(const fs::path& root) const {
  Json files = Json::object();
  for (const auto& [path, facts] : files_) {
    files[path] = {{"size", facts.size},
                   {"sha256", facts.sha256},
                   {"width", facts.width},
                   {"height", facts.height}};
  }
  WriteFileAtomic(
      root / kFile,
      Json{{"schema", kManifestSchema}, {"files", files}}.dump(1) + "\n");
}

const PictureFacts* DataManifest::Find(const std::string& path) const {
  const auto it = files_.find(path);
  return it == files_.end() ? nullptr : &it->second;
}

void DataManifest::Add(const std::string& path, PictureFacts facts) {
  files_[path] = std::move(facts);
}

bool IsAnnotation(std::string_view path) {
  return path.ends_with(".xml") || path.ends_with(".json");
}

PictureFacts LookAtBytes(std::string_view bytes, std::string_view name) {
  PictureFacts facts{.size = static_cast<std::int64_t>(bytes.size()),
                     .sha256 = Sha256Hex(bytes)};
  if (IsAnnotation(name)) {
    RequireVocAnnotation(bytes, std::string(name));
    return facts;
  }
  const Image image = DecodeImage(bytes, name);
  facts.width = image.width;
  facts.height = image.height;
  return facts;
}

PictureFacts LookAtFile(const fs::path& file, std::string_view name) {
  if (!name.ends_with(".json")) {
    return LookAtBytes(ReadFile(file, kMostPictureBytes), name);
  }
  return {.size = static_cast<std::int64_t>(fs::file_size(file)),
          .sha256 = Sha256File(file)};
}

std::string Difference(const PictureFacts& known, const PictureFacts& now) {
  if (known == now) return "";
  if (known.width != now.width || known.height != now.height) {
    return StrCat("a picture of ", now.width, " x ", now.height,
                  ", the manifest has ", known.width, " x ", known.height);
  }
  if (known.size != now.size) {
    return StrCat(now.size, " bytes, the manifest has ", known.size);
  }
  return StrCat("SHA-256 ", now.sha256, ", the manifest has ", known.sha256);
}

std::vector<Problem> VerifyFiles(const fs::path& root,
                                 const std::vector<std::string>& paths,
                                 const DataManifest& manifest, int threads) {
  std::vector<std::string> wrong(paths.size());
  Progress progress("verify", static_cast<std::int64_t>(paths.size()),
                    "images");
  RunWorkers(
      paths.size(), threads,
      [&](std::size_t i, int) {
        wrong[i] =
            WhatIsWrong(root / paths[i], paths[i], manifest.Find(paths[i]));
      },
      [&](std::size_t done) {
        progress.Update(static_cast<std::int64_t>(done));
      });
  progress.Finish();
  std::vector<Problem> problems;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (!wrong[i].empty()) problems.push_back({paths[i], wrong[i]});
  }
  return problems;
}

}  // namespace tailmark::fetch
