#include "datasets/lists/manifest.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>

#include "harness/base/digest.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/json.h"
#include "harness/base/json_integer.h"
#include "harness/base/log.h"

namespace tailmark::lists {
namespace fs = std::filesystem;
namespace {

constexpr const char* kHashesSchema = "tailmark-file-hashes/1";

/// What is known of a file's content, and by what it shows that it changed.
struct FileFacts {
  std::int64_t size = 0;
  std::int64_t changed_ns = 0;
  std::string sha256;
};
using Facts = std::map<std::string, FileFacts>;

FileFacts Look(const fs::path& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) {
    throw DataError(StrCat(path.string(), ": ", std::strerror(errno)));
  }
  if (!S_ISREG(info.st_mode)) {
    throw DataError(StrCat(path.string(), ": not a regular file"));
  }
  return {.size = info.st_size,
          .changed_ns = std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 +
                        info.st_mtim.tv_nsec,
          .sha256 = ""};
}

// One sidecar for each root, named by its path.
fs::path SidecarOf(const fs::path& root, const fs::path& cache) {
  const std::string where = fs::absolute(root).lexically_normal().string();
  return cache / ("file-hashes-" + Sha256Hex(where).substr(0, 16) + ".json");
}

// A sidecar is an optimisation: a broken one is as good as none.
Facts ReadSidecar(const fs::path& path) {
  Facts facts;
  if (!fs::exists(path)) return facts;
  try {
    const Json json = ReadJson(path);
    if (json.at("schema") != kHashesSchema) return facts;
    for (const auto& [name, file] : json.at("files").items()) {
      facts[name] = {.size = IntegerOf<std::int64_t>(file.at("size"), "size"),
                     .changed_ns = IntegerOf<std::int64_t>(
                         file.at("changed_ns"), "changed_ns"),
                     .sha256 = file.at("sha256").get<std::string>()};
    }
  } catch (const std::exception& error) {
    LogWarning(StrCat(path.string(),
                      ": cannot be used and is made again: ", error.what()));
    facts.clear();
  }
  return facts;
}

void WriteSidecar(const fs::path& path, const Facts& facts) {
  Json files = Json::object();
  for (const auto& [name, file] : facts) {
    files[name] = {{"size", file.size},
                   {"changed_ns", file.changed_ns},
                   {"sha256", file.sha256}};
  }
  try {
    MakeFolders(path.parent_path());
    WriteFileAtomic(path,
                    Json{{"schema", kHashesSchema}, {"files", files}}.dump());
  } catch (const StoreError& error) {
    LogWarning(StrCat("hashes of image files are not kept: ", error.what()));
  }
}

// Sizes and hashes of every image; those of `facts` that still hold are taken
// from there, the others put there. True when any was.
bool Update(const ListedFiles& files, const fs::path& root, Facts& facts) {
  bool changed = false;
  for (const Split* split : files.splits) {
    for (const std::string& id : split->ids) {
      FileFacts now = Look(root / id);
      FileFacts& kept = facts[id];
      if (kept.size == now.size && kept.changed_ns == now.changed_ns &&
          !kept.sha256.empty()) {
        continue;
      }
      now.sha256 = Sha256File(root / id);
      kept = now;
      changed = true;
    }
  }
  return changed;
}

void RequireStated(const ListedFiles& files, const fs::path& root,
                   const std::string& id, const FileFacts& found) {
  if (files.stated == nullptr) return;
  const auto stated = files.stated->find(id);
  if (stated == files.stated->end() || stated->second == found.sha256) return;
  throw DataError(StrCat((root / id).string(), ": expected SHA-256 ",
                         stated->second, " as listed, found ", found.sha256,
                         " (", found.size,
                         " bytes); get the file again or correct the list"));
}

}  // namespace

std::string ManifestSha256(const ListedFiles& files, const fs::path& root,
                           const fs::path& cache) {
  const fs::path sidecar = cache.empty() ? fs::path() : SidecarOf(root, cache);
  Facts facts = cache.empty() ? Facts() : ReadSidecar(sidecar);
  if (Update(files, root, facts) && !cache.empty()) {
    WriteSidecar(sidecar, facts);
  }
  std::vector<std::string> ids;
  for (const Split* split : files.splits) {
    ids.insert(ids.end(), split->ids.begin(), split->ids.end());
  }
  std::sort(ids.begin(), ids.end());
  // An image may be in several supports.
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  Sha256 digest;
  for (const std::string& id : ids) {
    const FileFacts& file = facts.at(id);
    RequireStated(files, root, id, file);
    digest.Update(StrCat(id, "\t", file.size, "\t", file.sha256, "\n"));
  }
  for (const ClassInfo& each : files.classes) {
    digest.Update(
        StrCat("class\t", each.name, "\t", each.train_positives, "\n"));
  }
  return digest.Hex();
}

}  // namespace tailmark::lists
