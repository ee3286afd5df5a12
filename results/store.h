#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace tailmark {

class Sql;

/// What a path lies on. SQLite's write-ahead log needs memory that all users
/// of the file share, which network file systems do not give.
struct FileSystem {
  std::string name;      ///< "ext4", "nfs", "lustre", ... or "unknown (0x...)".
  bool network = false;  ///< Shared between machines, or it may be (FUSE).
};
/// Of the nearest existing parent of `path`. Throws StoreError.
FileSystem FileSystemKind(const std::filesystem::path& path);
/// The rule behind it: what statfs(2) calls `magic`.
FileSystem FileSystemOfMagic(std::uint64_t magic);

struct StoreOptions {
  /// Nothing is ever written: no migration, no log file beside the database
  /// unless a writer already has one. A missing store is an error.
  bool read_only = false;
  /// How long to wait for another writer before a StoreError.
  double busy_s = 30;
  /// "wal", "delete" or "" for what the file system allows.
  std::string journal;
};

/// A folder that keeps results:
///
///     tailmark.sqlite             every run, number and where it comes from
///     blobs/ab/cdef....npy        score matrices, named by their SHA-256
///     bundles/<key>/              what workers wrote
///     cache/                      frozen-encoder features; may be deleted
///
/// Opened by several processes at once; one object is for one thread. Schema
/// and queries for people: results/README.md.
class Store {
 public:
  /// Creates the folder and an empty database where there is none, and brings
  /// an older one up to date, keeping a copy (tailmark.sqlite.before-vN).
  /// Throws StoreError for a store of a newer version, a file that is no
  /// Tailmark database, a damaged one, a read-only or full disk.
  explicit Store(const std::filesystem::path& folder,
                 const StoreOptions& options = {});
  ~Store();
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;

  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path database() const;
  std::filesystem::path bundles() const { return folder_ / "bundles"; }
  std::filesystem::path cache() const { return folder_ / "cache"; }
  /// Where the bundle of a key lies, whether or not it is there.
  std::filesystem::path Bundle(std::string_view key) const;
  /// Where a score matrix lies. REQUIRES: 64 hex digits.
  std::filesystem::path Blob(std::string_view sha256) const;

  int version() const { return version_; }  ///< Of the schema.
  bool read_only() const { return read_only_; }
  const std::string& journal() const { return journal_; }  ///< As read back.

  /// For the .cc files of this folder.
  Sql& sql() const { return *sql_; }

 private:
  std::filesystem::path folder_;
  std::unique_ptr<Sql> sql_;
  std::string journal_;
  int version_ = 0;
  bool read_only_ = false;
};

/// True when `folder` holds a database file, of whatever kind.
bool StoreExists(const std::filesystem::path& folder);

}  // namespace tailmark
