#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tailmark::fetch {

/// Where the directory of a zip archive lies.
struct ZipEnd {
  std::int64_t directory = 0;        ///< First byte.
  std::int64_t directory_bytes = 0;  ///< How many.
};

/// What the directory says of one file.
struct ZipEntry {
  std::int64_t header = 0;  ///< First byte of its own header.
  std::int64_t packed = 0;  ///< Bytes in the archive.
  std::int64_t bytes = 0;   ///< Bytes of the file.
  std::uint32_t crc = 0;
  bool deflated = false;  ///< Else stored.
};

/// The longest end of an archive: its record and the longest comment.
inline constexpr std::int64_t kZipEndBytes = 22 + 65535;
/// The head of a file's own header; name and extra field follow.
inline constexpr std::int64_t kZipHeaderBytes = 30;

/// Reads the end of an archive of `total` bytes; `tail` are its last ones.
/// Archives of more than 4 GB (zip64) are refused. These three throw DataError
/// "NAME: ...".
ZipEnd ReadZipEnd(std::string_view tail, std::int64_t total,
                  const std::string& name);
/// Finds `member` in the bytes of the directory.
ZipEntry FindZipEntry(std::string_view directory, std::string_view member,
                      const std::string& name);
/// Bytes from the beginning of a file's own header to its content.
std::int64_t ZipHeaderLength(std::string_view header, const std::string& name);

}  // namespace tailmark::fetch
