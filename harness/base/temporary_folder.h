#pragma once

#include <filesystem>

namespace tailmark {

/// A folder of this object's own, below $TAILMARK_SCRATCH (which a launcher
/// sets and clears, so that nothing stays behind a killed worker) or the
/// system's folder for temporary files. Made when first asked for; removed with
/// all that is in it. Not thread-safe.
class TemporaryFolder {
 public:
  TemporaryFolder() = default;
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  /// Throws StoreError when it cannot be made.
  const std::filesystem::path& path();

 private:
  std::filesystem::path path_;
};

}  // namespace tailmark
