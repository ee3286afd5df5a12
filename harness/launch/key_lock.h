#pragma once

#include <filesystem>
#include <memory>
#include <optional>

namespace tailmark {

/// The right to run one key in one store: an flock on bundles/<key>.lock. A
/// child that inherits descriptor() keeps it too, so it is free only when both
/// are gone. Locks of one machine; several machines use leases, which stand
/// alone on a file system that has no locks.
class KeyLock {
 public:
  /// Nothing when somebody else has it. Throws StoreError when the file cannot
  /// be made.
  static std::unique_ptr<KeyLock> Try(const std::filesystem::path& path);
  /// Whether somebody holds it now.
  static bool IsHeld(const std::filesystem::path& path);

  /// Removes the file and lets go.
  ~KeyLock();
  KeyLock(const KeyLock&) = delete;
  KeyLock& operator=(const KeyLock&) = delete;
  int descriptor() const { return fd_; }

 private:
  KeyLock(std::filesystem::path path, int fd);
  std::filesystem::path path_;
  int fd_;
};

}  // namespace tailmark
