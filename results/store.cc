#include "results/store.h"

#include <chrono>
#include <thread>
#include <utility>

#include "harness/base/clock.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "results/migrate.h"
#include "results/sql.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kDatabase = "tailmark.sqlite";

/// "wal", or "delete" where other machines may have the file open too.
std::string JournalFor(const fs::path& folder, const std::string& wanted) {
  if (wanted == "wal" || wanted == "delete") return wanted;
  if (!wanted.empty()) {
    throw ConfigError(StrCat("journal '", wanted, "': expected wal or delete"));
  }
  return FileSystemKind(folder).network ? "delete" : "wal";
}

/// Asks for it and returns what SQLite made of it. The change needs the file
/// for itself for a moment, and SQLite does not wait for that by itself.
std::string SetJournal(Sql& sql, const std::string& journal, double busy_s) {
  const Stopwatch watch;
  while (true) {
    try {
      return sql.Text("PRAGMA journal_mode = " + journal);
    } catch (const SqlError& e) {
      if (!e.busy() || watch.Seconds() > busy_s) throw;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

/// Reading cannot bring an older store up to date.
void RequireVersion(const fs::path& file, int version) {
  const int expected = StoreMigrations().back().version;
  if (version == expected) return;
  throw StoreError(
      StrCat(file.string(), ": the store has version ", version,
             ", this program reads version ", expected,
             ". `tailmark db migrate` brings it up to date and keeps a copy"));
}

bool IsHex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

bool StoreExists(const fs::path& folder) {
  std::error_code ignored;
  return fs::exists(folder / kDatabase, ignored);
}

Store::Store(const fs::path& folder, const StoreOptions& options)
    : folder_(fs::absolute(folder).lexically_normal()),
      read_only_(options.read_only) {
  const fs::path file = database();
  const auto migrations = StoreMigrations();
  if (read_only_) {
    if (!StoreExists(folder_)) {
      throw StoreError(
          StrCat(file.string(),
                 ": there is no store. Name its folder with --store or "
                 "TAILMARK_STORE; `tailmark run` makes one"));
    }
    sql_ = OpenReadOnly(file, options.busy_s);
  } else {
    MakeFolders(folder_);
    sql_ = std::make_unique<Sql>(file, SqlAccess::kCreate, options.busy_s);
  }
  version_ = StoreVersion(*sql_, migrations);
  if (read_only_) {
    RequireVersion(file, version_);
  } else {
    SetJournal(*sql_, JournalFor(folder_, options.journal), options.busy_s);
  }
  journal_ = sql_->Text("PRAGMA journal_mode");
  // With the log, a power cut may undo the last runs but never tear the file,
  // and what is undone is ingested again from its bundle.
  sql_->Exec(journal_ == "wal" ? "PRAGMA synchronous = NORMAL"
                               : "PRAGMA synchronous = FULL");
  if (read_only_) return;
  Migrate(*sql_, migrations);
  version_ = migrations.back().version;
  MakeFolders(bundles());
  MakeFolders(folder_ / "blobs");
}

Store::~Store() = default;
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;

fs::path Store::database() const { return folder_ / kDatabase; }

fs::path Store::Bundle(std::string_view key) const {
  return bundles() / std::string(key);
}

fs::path Store::Blob(std::string_view sha256) const {
  TM_CHECK(sha256.size() == 64 && IsHex(sha256), sha256);
  return folder_ / "blobs" / std::string(sha256.substr(0, 2)) /
         (std::string(sha256.substr(2)) + ".npy");
}

}  // namespace tailmark
