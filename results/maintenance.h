#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "results/store.h"

namespace tailmark {

/// One thing wrong with a store.
struct Defect {
  std::string kind;   ///< "database", "reference", "blob", "bundle", "orphan".
  std::string what;   ///< A sentence with path, expected and found.
  bool fatal = true;  ///< An orphan only wastes space.
};

struct CheckResult {
  std::vector<Defect> defects;
  std::int64_t runs = 0;
  std::int64_t blobs = 0;  ///< Re-hashed.
  std::int64_t blob_bytes = 0;
  std::int64_t bundles = 0;  ///< Re-hashed.
  bool ok() const;           ///< No fatal finding.
};
/// Asks SQLite whether the file is sound and every reference has its target,
/// re-hashes every blob that a run names and every sealed bundle of the store,
/// and lists blobs that no run names. Changes nothing.
CheckResult CheckStore(const Store& store);

/// Removes what a process that died or a run that was removed left among the
/// blobs (files no run names, "*.tmp.*"), then lets SQLite VACUUM. Safe beside
/// other writers. Throws StoreError.
struct VacuumResult {
  std::int64_t files_removed = 0;
  std::int64_t bytes_freed = 0;  ///< Files and database together.
};
VacuumResult VacuumStore(Store& store);

/// A value as SQLite has it; monostate is NULL, a blob is its hex digits.
using SqlValue =
    std::variant<std::monostate, std::int64_t, double, std::string>;
/// "" for NULL; numbers in the shortest form that reads back the same.
std::string ToText(const SqlValue& value);

struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<SqlValue>> rows;
  bool truncated = false;  ///< There were more than `limit`.
};
/// Runs one statement of any SQL that only reads, on a connection of its own
/// that cannot write: opened mode=ro, with PRAGMA query_only, with an
/// authorizer that lets nothing but reading through (no ATTACH, no pragma that
/// sets), and refused unless SQLite itself calls the statement read-only.
/// Throws ConfigError for SQL that is wrong (SQLite's own words), would write,
/// or is more than one statement.
Table QueryStore(const Store& store, std::string_view sql,
                 std::int64_t limit = 100000);

}  // namespace tailmark
