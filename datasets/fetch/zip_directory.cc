#include "datasets/fetch/zip_directory.h"

#include "harness/base/error.h"

namespace tailmark::fetch {
namespace {

constexpr std::uint32_t kEndMark = 0x06054b50;
constexpr std::uint32_t kEntryMark = 0x02014b50;
constexpr std::uint32_t kHeaderMark = 0x04034b50;
constexpr std::size_t kEndLength = 22;
constexpr std::size_t kEntryLength = 46;
constexpr std::uint32_t kInZip64 = 0xFFFFFFFF;

std::uint32_t Number(std::string_view bytes, std::size_t at, int width) {
  std::uint32_t number = 0;
  for (int i = width - 1; i >= 0; --i) {
    number = number << 8 |
             static_cast<std::uint8_t>(bytes[at + static_cast<std::size_t>(i)]);
  }
  return number;
}

[[noreturn]] void Fail(const std::string& name, std::string_view what) {
  throw DataError(StrCat(name, ": ", what));
}

}  // namespace

ZipEnd ReadZipEnd(std::string_view tail, std::int64_t total,
                  const std::string& name) {
  if (tail.size() < kEndLength) Fail(name, "too short for a zip archive");
  std::size_t at = tail.size() - kEndLength;
  while (Number(tail, at, 4) != kEndMark) {
    if (at == 0) Fail(name, "no zip archive: its end is not there");
    --at;
  }
  const std::uint32_t bytes = Number(tail, at + 12, 4);
  const std::uint32_t first = Number(tail, at + 16, 4);
  if (bytes == kInZip64 || first == kInZip64) {
    Fail(name, "an archive of the zip64 kind, which is not read");
  }
  if (std::int64_t{first} + bytes > total) {
    Fail(name, "its directory lies beyond its end");
  }
  return {.directory = first, .directory_bytes = bytes};
}

ZipEntry FindZipEntry(std::string_view directory, std::string_view member,
                      const std::string& name) {
  std::size_t at = 0;
  while (at + kEntryLength <= directory.size()) {
    if (Number(directory, at, 4) != kEntryMark) break;
    const std::size_t length = Number(directory, at + 28, 2);
    const std::size_t more =
        Number(directory, at + 30, 2) + Number(directory, at + 32, 2);
    if (at + kEntryLength + length > directory.size()) break;
    if (directory.substr(at + kEntryLength, length) == member) {
      const std::uint32_t way = Number(directory, at + 10, 2);
      if ((way != 0 && way != 8) || (Number(directory, at + 8, 2) & 1U) != 0) {
        Fail(name, StrCat(member, " is packed in a way that is not read"));
      }
      return {.header = Number(directory, at + 42, 4),
              .packed = Number(directory, at + 20, 4),
              .bytes = Number(directory, at + 24, 4),
              .crc = Number(directory, at + 16, 4),
              .deflated = way == 8};
    }
    at += kEntryLength + length + more;
  }
  if (at != directory.size()) Fail(name, "its directory is damaged");
  Fail(name, StrCat("has no ", member));
}

std::int64_t ZipHeaderLength(std::string_view header, const std::string& name) {
  if (header.size() < static_cast<std::size_t>(kZipHeaderBytes) ||
      Number(header, 0, 4) != kHeaderMark) {
    Fail(name, "no file begins where the directory says");
  }
  return kZipHeaderBytes + Number(header, 26, 2) + Number(header, 28, 2);
}

}  // namespace tailmark::fetch
