#pragma once

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include "harness/base/error.h"

namespace SQLite {  // NOLINT(readability-identifier-naming): theirs
class Database;
class Statement;
}  // namespace SQLite

namespace tailmark {

/// The only door to SQLite, for the .cc files of this folder: whatever goes
/// wrong becomes a StoreError that names the file and says what to do.

/// A StoreError that remembers what SQLite said.
class SqlError : public StoreError {
 public:
  /// What happened to `file`, in words, and what to do. `code` is SQLite's
  /// extended result code, `message` its own words.
  SqlError(const std::filesystem::path& file, int code,
           std::string_view message);
  int code() const { return code_; }
  bool busy() const;  ///< Another process holds the file.

 private:
  int code_;
};

class Sql;

/// A prepared statement, of a connection that must outlive it. Columns are
/// counted from 0.
class Statement {
 public:
  ~Statement();
  Statement(Statement&&) noexcept;
  Statement(const Statement&) = delete;

  /// Starts over with these parameters in order. std::nullopt is NULL.
  template <class... Values>
  Statement& Bind(const Values&... values) {
    Reset();
    int index = 0;
    (Set(++index, values), ...);
    return *this;
  }
  /// True while there is a row.
  bool Step();
  /// Bind and step to the end: an insert, an update.
  template <class... Values>
  void Run(const Values&... values) {
    Bind(values...);
    while (Step()) {
    }
  }

  bool IsNull(int column) const;
  std::int64_t Int(int column) const;
  double Real(int column) const;
  std::string Text(int column) const;  ///< "" for NULL.
  std::optional<double> MaybeReal(int column) const;
  std::optional<int> MaybeInt(int column) const;

  /// Binds parameter `index`, from 1, after Bind().
  template <class T>
  void Set(int index, const T& value) {
    if constexpr (std::same_as<T, std::nullopt_t>) {
      SetNull(index);
    } else if constexpr (std::integral<T>) {
      SetInt(index, static_cast<std::int64_t>(value));
    } else if constexpr (std::floating_point<T>) {
      SetReal(index, value);
    } else if constexpr (std::convertible_to<const T&, std::string_view>) {
      SetText(index, value);
    } else if (value) {  // std::optional
      Set(index, *value);
    } else {
      SetNull(index);
    }
  }

 private:
  friend class Sql;
  Statement(const Sql& sql, std::unique_ptr<SQLite::Statement> statement);

  void Reset();
  void SetInt(int index, std::int64_t value);
  void SetReal(int index, double value);
  void SetText(int index, std::string_view value);
  void SetNull(int index);

  const Sql* sql_;
  std::unique_ptr<SQLite::Statement> statement_;
};

/// What a connection may do.
enum class SqlAccess : std::uint8_t {
  kRead,       ///< mode=ro.
  kImmutable,  ///< As a file on a disk that nobody can write: no locks.
  kWrite,
  kCreate
};

/// A connection: foreign keys on, busy timeout set.
class Sql {
 public:
  Sql(std::filesystem::path file, SqlAccess access, double busy_s);
  ~Sql();
  Sql(const Sql&) = delete;

  const std::filesystem::path& file() const { return file_; }
  /// Statements without parameters or rows, separated by ";".
  void Exec(const std::string& statements);
  /// What was prepared before and is no longer used is used again.
  Statement Prepare(const std::string& statement) const;
  /// First column of the first row; 0 and "" when there is none.
  std::int64_t Int(const std::string& query) const;
  std::string Text(const std::string& query) const;
  std::int64_t LastId() const;
  /// Copies the database, as this connection sees it, to a new file. Throws
  /// StoreError and leaves no half file.
  void BackupTo(const std::filesystem::path& copy) const;

  SQLite::Database& database() const { return *database_; }

 private:
  friend class Statement;
  void GiveBack(std::unique_ptr<SQLite::Statement> statement) const;

  std::filesystem::path file_;
  std::unique_ptr<SQLite::Database> database_;
  /// By their text; reset, so that they hold nothing.
  mutable std::unordered_map<std::string,
                             std::vector<std::unique_ptr<SQLite::Statement>>>
      idle_;
};

/// A connection that only reads. A database with a write-ahead log cannot be
/// read where the log's index cannot be made (a read-only disk); with nothing
/// in the log the file is all there is, and is read as immutable.
std::unique_ptr<Sql> OpenReadOnly(const std::filesystem::path& file,
                                  double busy_s);

/// BEGIN IMMEDIATE ... COMMIT; rolled back when it goes away uncommitted. Takes
/// the write lock at once, so that what was read inside is still true at the
/// end.
class Transaction {
 public:
  explicit Transaction(Sql& sql);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  void Commit();

 private:
  Sql& sql_;
  bool open_ = true;
};

/// BEGIN ... for reading: all queries see one state.
class Snapshot {
 public:
  explicit Snapshot(Sql& sql);
  ~Snapshot();
  Snapshot(const Snapshot&) = delete;

 private:
  Sql& sql_;
  bool mine_ = false;
};

}  // namespace tailmark
