#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "results/sql.h"

namespace tailmark {

/// "TMK1": by which file(1) and we know a store.
inline constexpr std::int64_t kStoreApplicationId = 0x544D4B31;

/// One step forward; there are none back.
struct Migration {
  int version = 1;       ///< That the database has afterwards.
  std::string_view sql;  ///< Statements, without BEGIN and COMMIT.
};
/// results/schema/0001.sql and so on, in order, from version 1 without gaps.
std::span<const Migration> StoreMigrations();

/// What a database is, before anything else is asked of it: its version, 0
/// when it is empty. Throws StoreError when it belongs to another program or
/// is newer than the last of `migrations`, naming both versions and the way
/// out.
int StoreVersion(const Sql& sql, std::span<const Migration> migrations);

/// Brings the database to the last version, in one transaction that another
/// process waits for; does nothing when it is there. A database that holds
/// something is copied to <file>.before-v<last> first. Foreign keys are checked
/// before the commit. Throws StoreError; the database then is as it was.
void Migrate(Sql& sql, std::span<const Migration> migrations);

}  // namespace tailmark
