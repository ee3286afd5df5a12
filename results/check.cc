#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "harness/base/digest.h"
#include "harness/base/error.h"
#include "harness/record/bundle.h"
#include "results/maintenance.h"
#include "results/sql.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

void CheckDatabase(const Sql& sql, CheckResult& result) {
  const auto add = [&](std::string kind, std::string what) {
    result.defects.push_back(
        {.kind = std::move(kind), .what = std::move(what), .fatal = true});
  };
  try {
    Statement sound = sql.Prepare("PRAGMA integrity_check");
    while (sound.Step()) {
      if (sound.Text(0) == "ok") continue;
      add("database", StrCat(sql.file().string(), ": ", sound.Text(0)));
    }
    Statement broken = sql.Prepare("PRAGMA foreign_key_check");
    while (broken.Step()) {
      add("reference",
          StrCat(sql.file().string(), ": row ", broken.Text(1), " of table '",
                 broken.Text(0), "' refers to a row of '", broken.Text(2),
                 "' that is not there"));
    }
    result.runs = sql.Int("SELECT count(*) FROM run");
  } catch (const StoreError& error) {
    add("database", error.what());
  }
}

/// SHA-256 -> the run that names it, for messages.
std::map<std::string, std::string> NamedBlobs(const Sql& sql) {
  std::map<std::string, std::string> named;
  Statement find = sql.Prepare(
      "SELECT s.sha256, min(r.key) FROM score s JOIN run r ON r.id = s.run_id "
      "GROUP BY s.sha256");
  while (find.Step()) named[find.Text(0)] = find.Text(1);
  return named;
}

void CheckBlobs(const Store& store,
                const std::map<std::string, std::string>& named,
                CheckResult& result) {
  for (const auto& [sha256, key] : named) {
    const fs::path path = store.Blob(sha256);
    std::string wrong;
    try {
      const std::string found = Sha256File(path);
      if (found != sha256)
        wrong = StrCat(path.string(), ": SHA-256 is ", found);
      std::error_code ignored;
      result.blob_bytes +=
          static_cast<std::int64_t>(fs::file_size(path, ignored));
    } catch (const DataError& error) {
      wrong = error.what();
    }
    ++result.blobs;
    if (wrong.empty()) continue;
    result.defects.push_back(
        {.kind = "blob",
         .what = StrCat(wrong, ", expected the scores ", sha256, " of run ",
                        key, ". Import its bundle again"),
         .fatal = true});
  }
}

/// Files below blobs/ that nothing refers to, sorted.
std::vector<fs::path> Orphans(const Store& store,
                              const std::map<std::string, std::string>& named) {
  std::set<fs::path> wanted;
  for (const auto& each : named) wanted.insert(store.Blob(each.first));
  std::vector<fs::path> orphans;
  std::error_code code;
  fs::recursive_directory_iterator it(store.folder() / "blobs", code);
  for (; !code && it != fs::recursive_directory_iterator();
       it.increment(code)) {
    if (it->is_directory() || wanted.contains(it->path())) continue;
    orphans.push_back(it->path());
  }
  std::sort(orphans.begin(), orphans.end());
  return orphans;
}

void CheckBundles(const Store& store, CheckResult& result) {
  std::vector<fs::path> folders;
  std::error_code code;
  for (fs::directory_iterator it(store.bundles(), code);
       !code && it != fs::directory_iterator(); it.increment(code)) {
    // Without DONE it is a run at work or one that died, not a result.
    if (fs::exists(it->path() / "DONE")) folders.push_back(it->path());
  }
  std::sort(folders.begin(), folders.end());
  for (const fs::path& folder : folders) {
    ++result.bundles;
    try {
      (void)ReadBundle(folder);
    } catch (const Error& error) {
      // Nothing makes the record of a failure again.
      const char* const mend =
          folder.extension() == ".failed"
              ? ". It is the record of an attempt that failed; remove the "
                "folder"
              : ". `tailmark run --force` makes it again";
      result.defects.push_back({.kind = "bundle",
                                .what = StrCat(error.what(), mend),
                                .fatal = true});
    }
  }
}

std::int64_t DatabaseBytes(const Store& store) {
  std::int64_t bytes = 0;
  for (const char* suffix : {"", "-wal"}) {
    std::error_code missing;
    const auto size =
        fs::file_size(store.database().string() + suffix, missing);
    if (!missing) bytes += static_cast<std::int64_t>(size);
  }
  return bytes;
}

}  // namespace

bool CheckResult::ok() const {
  return std::none_of(defects.begin(), defects.end(),
                      [](const Defect& each) { return each.fatal; });
}

CheckResult CheckStore(const Store& store) {
  CheckResult result;
  CheckDatabase(store.sql(), result);
  try {
    const auto named = NamedBlobs(store.sql());
    CheckBlobs(store, named, result);
    for (const fs::path& orphan : Orphans(store, named)) {
      result.defects.push_back(
          {.kind = "orphan",
           .what = StrCat(orphan.string(),
                          ": no run has these scores; `tailmark db vacuum` "
                          "removes them"),
           .fatal = false});
    }
  } catch (const StoreError& error) {
    result.defects.push_back(
        {.kind = "database", .what = error.what(), .fatal = true});
  }
  CheckBundles(store, result);
  return result;
}

VacuumResult VacuumStore(Store& store) {
  VacuumResult result;
  const std::int64_t before = DatabaseBytes(store);
  {
    // Blobs come under the same lock: none is between its file and its row.
    Transaction transaction(store.sql());
    for (const fs::path& orphan : Orphans(store, NamedBlobs(store.sql()))) {
      std::error_code failed;
      const auto bytes = fs::file_size(orphan, failed);
      if (!fs::remove(orphan, failed) || failed) continue;
      ++result.files_removed;
      result.bytes_freed += static_cast<std::int64_t>(bytes);
    }
    transaction.Commit();
  }
  store.sql().Exec("VACUUM");
  if (store.journal() == "wal") {
    (void)store.sql().Text("PRAGMA wal_checkpoint(TRUNCATE)");
  }
  result.bytes_freed += before - DatabaseBytes(store);
  return result;
}

}  // namespace tailmark
