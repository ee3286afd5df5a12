#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>

#include "harness/base/error.h"
#include "results/maintenance.h"
#include "results/sql.h"

namespace tailmark {
namespace {

/// Pragmas that tell and, without an argument, cannot set anything.
constexpr std::array<std::string_view, 12> kTellingPragmas = {
    "table_info",   "table_xinfo",      "table_list",   "index_list",
    "index_info",   "foreign_key_list", "user_version", "application_id",
    "journal_mode", "page_count",       "page_size",    "compile_options"};
/// Those of them whose argument names what to tell about.
constexpr std::size_t kWithArgument = 6;

bool MayRun(const char* pragma, const char* argument) {
  const auto end = argument == nullptr
                       ? kTellingPragmas.end()
                       : kTellingPragmas.begin() + kWithArgument;
  return std::find(kTellingPragmas.begin(), end, pragma) != end;
}

int Authorize(void* /*user*/, int action, const char* first, const char* second,
              const char* /*database*/, const char* /*trigger*/) {
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
      return SQLITE_OK;
    case SQLITE_FUNCTION:
      return std::string_view(second) == "load_extension" ? SQLITE_DENY
                                                          : SQLITE_OK;
    case SQLITE_PRAGMA:
      return MayRun(first, second) ? SQLITE_OK : SQLITE_DENY;
    default:
      return SQLITE_DENY;
  }
}

/// SQLite declares these table-valued functions when they are first used, and
/// asks the authorizer as if a table were made. Using them once beforehand
/// saves letting that through.
void DeclareFunctions(Sql& sql) {
  for (const char* call :
       {"json_each('[]')", "json_tree('[]')", "pragma_table_info('run')",
        "pragma_table_list", "pragma_index_list('run')",
        "pragma_foreign_key_list('run')"}) {
    (void)sql.Text(StrCat("SELECT 1 FROM ", call, " LIMIT 0"));
  }
}

struct Finalize {
  void operator()(sqlite3_stmt* statement) const {
    sqlite3_finalize(statement);
  }
};
using Prepared = std::unique_ptr<sqlite3_stmt, Finalize>;

ConfigError OnlyReading() {
  return ConfigError(
      "the store can only be read here: one SELECT, WITH, VALUES, EXPLAIN or a "
      "PRAGMA that tells, without ATTACH. Tables: results/README.md");
}

Prepared Prepare(sqlite3* db, std::string_view sql, const char** tail) {
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v2(db, sql.data(),
                                      static_cast<int>(sql.size()), &raw, tail);
  Prepared statement(raw);
  if (code == SQLITE_AUTH) throw OnlyReading();
  if (code != SQLITE_OK) {
    throw ConfigError(StrCat("SQL: ", sqlite3_errmsg(db)));
  }
  return statement;
}

SqlValue ValueAt(sqlite3_stmt* statement, int column) {
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_NULL:
      return std::monostate{};
    case SQLITE_INTEGER:
      return std::int64_t{sqlite3_column_int64(statement, column)};
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement, column);
    default:
      break;
  }
  const bool blob = sqlite3_column_type(statement, column) == SQLITE_BLOB;
  const auto* bytes =
      static_cast<const unsigned char*>(sqlite3_column_blob(statement, column));
  const auto size =
      static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
  if (!blob) return std::string(bytes, bytes + size);
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string hex;
  for (std::size_t i = 0; i < size; ++i) {
    hex += kHex[bytes[i] >> 4];
    hex += kHex[bytes[i] & 15];
  }
  return hex;
}

Table ReadRows(const Sql& sql, sqlite3_stmt* statement, std::int64_t limit) {
  Table table;
  const int columns = sqlite3_column_count(statement);
  for (int i = 0; i < columns; ++i) {
    table.columns.emplace_back(sqlite3_column_name(statement, i));
  }
  int code = SQLITE_ROW;
  while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
    if (static_cast<std::int64_t>(table.rows.size()) >= limit) {
      table.truncated = true;
      return table;
    }
    auto& row = table.rows.emplace_back();
    for (int i = 0; i < columns; ++i) row.push_back(ValueAt(statement, i));
  }
  if (code == SQLITE_DONE) return table;
  const char* what = sqlite3_errmsg(sql.database().getHandle());
  if ((code & 0xff) == SQLITE_ERROR || (code & 0xff) == SQLITE_TOOBIG) {
    throw ConfigError(StrCat("SQL: ", what));
  }
  throw SqlError(sql.file(), code, what);
}

}  // namespace

std::string ToText(const SqlValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* whole = std::get_if<std::int64_t>(&value)) {
    return std::to_string(*whole);
  }
  const auto* real = std::get_if<double>(&value);
  if (real == nullptr) return "";
  std::array<char, 32> digits{};
  const auto end =
      std::to_chars(digits.data(), digits.data() + digits.size(), *real);
  return {digits.data(), end.ptr};
}

Table QueryStore(const Store& store, std::string_view sql, std::int64_t limit) {
  constexpr int kLongestValue = 1 << 26;
  const auto reader = OpenReadOnly(store.database(), 5);
  reader->Exec("PRAGMA query_only = ON");
  DeclareFunctions(*reader);
  sqlite3* db = reader->database().getHandle();
  sqlite3_limit(db, SQLITE_LIMIT_LENGTH, kLongestValue);
  sqlite3_set_authorizer(db, Authorize, nullptr);
  const char* tail = nullptr;
  const Prepared statement = Prepare(db, sql, &tail);
  if (!statement) throw ConfigError("SQL: there is no statement");
  // What follows may be space, comments or ";", but nothing that does anything.
  std::string_view rest =
      sql.substr(static_cast<std::size_t>(tail - sql.data()));
  while (!rest.empty()) {
    const char* next = nullptr;
    if (Prepare(db, rest, &next)) {
      throw ConfigError("SQL: one statement at a time");
    }
    rest.remove_prefix(static_cast<std::size_t>(next - rest.data()));
  }
  if (sqlite3_stmt_readonly(statement.get()) == 0) throw OnlyReading();
  return ReadRows(*reader, statement.get(), limit);
}

}  // namespace tailmark
