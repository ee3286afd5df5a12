#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tailmark {

/// What of the file system a process may use: an allow-list.
struct Allowed {
  std::vector<std::filesystem::path> readable;
  std::vector<std::filesystem::path> writable;
  /// Out of reach although they lie below one of the others: label files.
  std::vector<std::filesystem::path> hidden;

  bool everything() const { return readable.empty() && writable.empty(); }
};

/// Holds a process to an allow-list, by Landlock. Not a security boundary: it
/// keeps honest code honest and labels out of reach.
class Sandbox {
 public:
  /// Limits nothing where `allowed` is everything or the kernel has no
  /// Landlock. What is not there is left out.
  explicit Sandbox(const Allowed& allowed);
  ~Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  /// Limits the calling thread and all that it starts, for good. May be called
  /// between fork and exec. False when the kernel refuses.
  bool Enter() const;

 private:
  void Add(const std::filesystem::path& path, std::uint64_t rights);

  std::uint64_t handled_ = 0;
  int ruleset_ = -1;
};

/// "landlock-4", the interface that the kernel has, or "none": for the record.
std::string SandboxName();

/// Folders without which no program runs: /usr, /lib, /etc, /proc, ..., where
/// the libraries of this process lie, and where `program` and its Python
/// environment do ("": none).
std::vector<std::filesystem::path> SystemFolders(
    const std::filesystem::path& program);

}  // namespace tailmark
