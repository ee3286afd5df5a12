#include "results/sql.h"

#include <SQLiteCpp/Backup.h>
#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cctype>
#include <utility>

#include "harness/base/error.h"
#include "harness/base/files.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

// Prepared statements kept for the next use: of one text (a statement may run
// while another of its text does), and texts.
constexpr std::size_t kIdleOfOne = 2;
constexpr std::size_t kIdleTexts = 100;

std::string Trouble(const fs::path& file, int code, std::string_view message) {
  const auto say = [&](std::string_view what, std::string_view advice) {
    return StrCat(file.string(), ": ", what, " (", message, ", SQLite ", code,
                  "). ", advice);
  };
  switch (code & 0xff) {
    case SQLITE_FULL:
      return say("the disk or its quota is full",
                 "Nothing of this step was stored, what was there is whole; "
                 "make room and run the same command again");
    case SQLITE_IOERR:
      return say("the file cannot be read or written",
                 "Nothing of this step was stored, what was there is whole; "
                 "look at free space, quota, file size limit and the disk, "
                 "then run the same command again");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return say("another process holds the store",
                 "Nothing of this step was stored; wait until it is done and "
                 "run the same command again");
    case SQLITE_CORRUPT:
      return say(
          "the database is damaged",
          "Put a copy back (tailmark.sqlite.before-v*), or move the file "
          "away and import the bundles again");
    case SQLITE_NOTADB:
      return say("this is no SQLite database",
                 "Name another folder with --store, or move the file away");
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return say("the file may not be written",
                 "Look at its owner and permissions and those of its folder");
    case SQLITE_CANTOPEN:
      return say("the file cannot be opened",
                 "Look at its folder: does it exist, and may you write there?");
    default:
      return say("SQLite refused",
                 "Run `tailmark db check`; if it finds nothing, this is a "
                 "mistake in Tailmark");
  }
}

[[noreturn]] void Throw(const fs::path& file, const SQLite::Exception& e) {
  const int code = e.getExtendedErrorCode() > 0 ? e.getExtendedErrorCode()
                                                : e.getErrorCode();
  throw SqlError(file, code, e.what());
}

/// Calls `f`; SQLite's exceptions leave as ours.
template <class F>
auto Guard(const fs::path& file, const F& f) {
  try {
    return f();
  } catch (const SQLite::Exception& e) {
    Throw(file, e);
  }
}

/// A path as the path of a file: URI.
std::string UriOf(const fs::path& file, std::string_view query) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string uri = "file:";
  for (const char c : file.string()) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '/' || c == '.' || c == '-' ||
        c == '_') {
      uri += c;
    } else {
      uri += '%';
      uri += kHex[byte >> 4];
      uri += kHex[byte & 15];
    }
  }
  return uri.append("?").append(query);
}

std::unique_ptr<SQLite::Database> Open(const fs::path& file, SqlAccess access,
                                       double busy_s) {
  const int busy_ms = static_cast<int>(busy_s * 1000);
  // Our own objects are for one thread each.
  const auto open = [&](std::string_view query, int flags) {
    return std::make_unique<SQLite::Database>(
        UriOf(file, query), flags | SQLite::OPEN_URI | SQLite::OPEN_NOMUTEX,
        busy_ms);
  };
  switch (access) {
    case SqlAccess::kRead:
      return open("mode=ro", SQLite::OPEN_READONLY);
    case SqlAccess::kImmutable:
      return open("immutable=1", SQLite::OPEN_READONLY);
    case SqlAccess::kWrite:
      return open("mode=rw", SQLite::OPEN_READWRITE);
    case SqlAccess::kCreate:
      break;
  }
  return open("mode=rwc", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
}

}  // namespace

SqlError::SqlError(const fs::path& file, int code, std::string_view message)
    : StoreError(Trouble(file, code, message)), code_(code) {}

bool SqlError::busy() const {
  return (code_ & 0xff) == SQLITE_BUSY || (code_ & 0xff) == SQLITE_LOCKED;
}

Statement::Statement(const Sql& sql,
                     std::unique_ptr<SQLite::Statement> statement)
    : sql_(&sql), statement_(std::move(statement)) {}
Statement::~Statement() {
  if (statement_) sql_->GiveBack(std::move(statement_));
}
Statement::Statement(Statement&&) noexcept = default;

bool Statement::Step() {
  return Guard(sql_->file(), [&] { return statement_->executeStep(); });
}

void Statement::Reset() {
  // A failed step is reported by the step; reset would only repeat it.
  (void)statement_->tryReset();
  statement_->clearBindings();
}

void Statement::SetInt(int index, std::int64_t value) {
  Guard(sql_->file(), [&] { statement_->bind(index, value); });
}
void Statement::SetReal(int index, double value) {
  Guard(sql_->file(), [&] { statement_->bind(index, value); });
}
void Statement::SetText(int index, std::string_view value) {
  Guard(sql_->file(), [&] { statement_->bind(index, std::string(value)); });
}
void Statement::SetNull(int index) {
  Guard(sql_->file(), [&] { statement_->bind(index); });
}

bool Statement::IsNull(int column) const {
  return statement_->isColumnNull(column);
}
std::int64_t Statement::Int(int column) const {
  return statement_->getColumn(column).getInt64();
}
double Statement::Real(int column) const {
  return statement_->getColumn(column).getDouble();
}
std::string Statement::Text(int column) const {
  return statement_->getColumn(column).getString();
}
std::optional<double> Statement::MaybeReal(int column) const {
  if (IsNull(column)) return std::nullopt;
  return Real(column);
}
std::optional<int> Statement::MaybeInt(int column) const {
  if (IsNull(column)) return std::nullopt;
  return static_cast<int>(Int(column));
}

Sql::Sql(fs::path file, SqlAccess access, double busy_s)
    : file_(std::move(file)) {
  Guard(file_, [&] {
    database_ = Open(file_, access, busy_s);
    sqlite3_extended_result_codes(database_->getHandle(), 1);
    database_->exec("PRAGMA foreign_keys = ON");
  });
}
Sql::~Sql() = default;

void Sql::Exec(const std::string& statements) {
  Guard(file_, [&] { database_->exec(statements); });
}

Statement Sql::Prepare(const std::string& statement) const {
  if (const auto it = idle_.find(statement);
      it != idle_.end() && !it->second.empty()) {
    Statement again(*this, std::move(it->second.back()));
    it->second.pop_back();
    return again;
  }
  return Guard(file_, [&] {
    return Statement(
        *this, std::make_unique<SQLite::Statement>(*database_, statement));
  });
}

void Sql::GiveBack(std::unique_ptr<SQLite::Statement> statement) const {
  // A failed step was reported by the step; reset would only repeat it.
  (void)statement->tryReset();
  try {
    statement->clearBindings();
    const std::string& text = statement->getQuery();
    if (idle_.size() >= kIdleTexts && !idle_.contains(text)) return;
    auto& idle = idle_[text];
    if (idle.size() < kIdleOfOne) idle.push_back(std::move(statement));
  } catch (const std::exception&) {
    // Then it is prepared anew.
  }
}

std::int64_t Sql::Int(const std::string& query) const {
  Statement statement = Prepare(query);
  return statement.Step() ? statement.Int(0) : 0;
}

std::string Sql::Text(const std::string& query) const {
  Statement statement = Prepare(query);
  return statement.Step() ? statement.Text(0) : "";
}

std::int64_t Sql::LastId() const { return database_->getLastInsertRowid(); }

void Sql::BackupTo(const fs::path& copy) const {
  const fs::path temporary = StrCat(copy.string(), ".tmp.", getpid());
  std::error_code ignored;
  fs::remove(temporary, ignored);
  try {
    Guard(temporary, [&] {
      SQLite::Database target(temporary,
                              SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
      SQLite::Backup backup(target, *database_);
      backup.executeStep(-1);
    });
    fs::rename(temporary, copy);
  } catch (const fs::filesystem_error& e) {
    fs::remove(temporary, ignored);
    throw StoreError(StrCat(copy.string(), ": ", e.code().message()));
  } catch (const StoreError&) {
    fs::remove(temporary, ignored);
    throw;
  }
  SyncFolder(copy.parent_path());
}

std::unique_ptr<Sql> OpenReadOnly(const fs::path& file, double busy_s) {
  std::error_code ignored;
  const fs::path log = file.string() + "-wal";
  try {
    auto sql = std::make_unique<Sql>(file, SqlAccess::kRead, busy_s);
    (void)sql->Int("PRAGMA user_version");
    return sql;
  } catch (const StoreError&) {
    if (fs::exists(log, ignored) && fs::file_size(log, ignored) > 0) throw;
  }
  return std::make_unique<Sql>(file, SqlAccess::kImmutable, busy_s);
}

Transaction::Transaction(Sql& sql) : sql_(sql) { sql_.Exec("BEGIN IMMEDIATE"); }

Transaction::~Transaction() {
  // A full disk makes SQLite roll back by itself; then there is nothing to do.
  if (open_ && sqlite3_get_autocommit(sql_.database().getHandle()) == 0) {
    (void)sql_.database().tryExec("ROLLBACK");
  }
}

void Transaction::Commit() {
  sql_.Exec("COMMIT");
  open_ = false;
}

Snapshot::Snapshot(Sql& sql) : sql_(sql) {
  mine_ = sqlite3_get_autocommit(sql_.database().getHandle()) != 0;
  if (mine_) sql_.Exec("BEGIN");
}

Snapshot::~Snapshot() {
  if (mine_) (void)sql_.database().tryExec("COMMIT");
}

}  // namespace tailmark
