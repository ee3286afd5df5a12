#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tailmark {

/// A tar archive (POSIX ustar) of regular files: how bundles travel. Entries
/// are sorted and carry no owner and no time, so equal folders give equal
/// bytes.

/// Writes every regular file below the folders; each folder's files stand below
/// its own name. Atomically. Throws DataError for links, names that ustar
/// cannot hold (over 255 characters) and files of 8 GiB or more; StoreError
/// when the disk fails.
void WriteTar(const std::filesystem::path& archive,
              const std::vector<std::filesystem::path>& folders);

struct TarLimits {
  std::int64_t entries = 100000;
  std::int64_t bytes = std::int64_t{64} << 30;  ///< Of all files together.
};

/// Unpacks into `folder`, which is made. Checks every header (magic, checksum,
/// octal numbers, size against what is left of the file) before it writes, and
/// refuses links, devices, absolute names and "..". Throws DataError naming
/// archive, offset and what is wrong; StoreError when the disk fails. Returns
/// the top folders' names, sorted.
std::vector<std::string> ReadTar(const std::filesystem::path& archive,
                                 const std::filesystem::path& folder,
                                 const TarLimits& limits = {});

}  // namespace tailmark
