#include "results/migrate.h"

#include "harness/base/error.h"

namespace tailmark {
namespace {

/// Tables can only be rebuilt while references are not enforced, and SQLite
/// changes that setting outside a transaction alone.
class ForeignKeysOff {
 public:
  explicit ForeignKeysOff(Sql& sql) : sql_(sql) {
    sql_.Exec("PRAGMA foreign_keys = OFF");
  }
  ~ForeignKeysOff() {
    try {
      sql_.Exec("PRAGMA foreign_keys = ON");
    } catch (const StoreError&) {
      // The connection is unusable; whoever uses it next is told.
    }
  }
  ForeignKeysOff(const ForeignKeysOff&) = delete;

 private:
  Sql& sql_;
};

void CheckReferences(const Sql& sql) {
  Statement broken = sql.Prepare("PRAGMA foreign_key_check");
  if (broken.Step()) {
    throw StoreError(
        StrCat(sql.file().string(), ": after the migration a row of table '",
               broken.Text(0), "' refers to a row of '", broken.Text(2),
               "' that is not there. The database was left as it was"));
  }
}

}  // namespace

int StoreVersion(const Sql& sql, std::span<const Migration> migrations) {
  const std::int64_t id = sql.Int("PRAGMA application_id");
  const auto version = static_cast<int>(sql.Int("PRAGMA user_version"));
  const bool empty = sql.Int("SELECT count(*) FROM sqlite_schema") == 0;
  if (id == 0 && version == 0 && empty) return 0;
  if (id != kStoreApplicationId) {
    throw StoreError(StrCat(
        sql.file().string(), ": a database of another program (application id ",
        id, ", expected ", kStoreApplicationId,
        "). Name another folder with --store, or move the file away"));
  }
  const int known = migrations.back().version;
  if (version > known) {
    throw StoreError(StrCat(
        sql.file().string(), ": the store has version ", version,
        ", this program knows versions up to ", known,
        ". Use a newer Tailmark, or another folder with --store; copies of "
        "older versions are called ",
        sql.file().filename().string(), ".before-v*"));
  }
  return version;
}

void Migrate(Sql& sql, std::span<const Migration> migrations) {
  const int last = migrations.back().version;
  if (StoreVersion(sql, migrations) == last) return;
  const ForeignKeysOff off(sql);
  Transaction transaction(sql);
  // Another process may have done it while we waited for the lock.
  const int version = StoreVersion(sql, migrations);
  if (version == last) return;
  if (version > 0) {
    // A second connection reads what was last committed; our lock keeps others
    // from adding to it.
    const Sql reader(sql.file(), SqlAccess::kRead, 0);
    reader.BackupTo(StrCat(sql.file().string(), ".before-v", last));
  }
  for (const Migration& step : migrations) {
    if (step.version > version) sql.Exec(std::string(step.sql));
  }
  CheckReferences(sql);
  sql.Exec(StrCat("PRAGMA application_id = ", kStoreApplicationId));
  sql.Exec(StrCat("PRAGMA user_version = ", last));
  transaction.Commit();
}

}  // namespace tailmark
