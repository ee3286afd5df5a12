#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace tailmark {

/// The whole file. Throws DataError when it is missing, unreadable or larger
/// than `limit` bytes.
std::string ReadFile(const std::filesystem::path& path,
                     std::int64_t limit = std::int64_t{1} << 34);

/// Writes `path`.tmp.<pid>, fsyncs it, renames it over `path` and fsyncs the
/// folder: after a crash there is the old file or the new one, never a torn
/// one. Throws StoreError (disk full, read-only, ...) and leaves no temporary.
void WriteFileAtomic(const std::filesystem::path& path, std::string_view bytes);
/// The same with the pieces one after the other.
void WriteFileAtomic(const std::filesystem::path& path,
                     std::span<const std::string_view> pieces);

/// mkdir -p. Throws StoreError.
void MakeFolders(const std::filesystem::path& path);

/// Makes earlier renames in `folder` survive a power cut. Throws StoreError.
void SyncFolder(const std::filesystem::path& folder);

}  // namespace tailmark
