#include "harness/record/ustar.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <set>

#include "harness/base/error.h"
#include "harness/base/files.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kBlock = 512;
using Block = std::array<char, kBlock>;

// Where the fields of a header lie (POSIX.1-1988, "ustar").
struct FieldAt {
  std::size_t offset, size;
};
constexpr FieldAt kName{0, 100}, kMode{100, 8}, kUid{108, 8}, kGid{116, 8},
    kSize{124, 12}, kTime{136, 12}, kSum{148, 8}, kType{156, 1}, kMagic{257, 8},
    kPrefix{345, 155};
constexpr std::string_view kUstar("ustar\00000", 8);
constexpr std::int64_t kLargest =
    (std::int64_t{1} << 33) - 1;  // 11 octal digits

void Put(Block& block, FieldAt field, std::string_view text) {
  std::copy_n(text.begin(), std::min(text.size(), field.size),
              block.begin() + static_cast<std::ptrdiff_t>(field.offset));
}

void PutOctal(Block& block, FieldAt field, std::uint64_t value) {
  for (std::size_t i = field.size - 1; i-- > 0; value /= 8) {
    block[field.offset + i] = static_cast<char>('0' + value % 8);
  }
}

std::string_view Get(const Block& block, FieldAt field) {
  const std::string_view all(block.data() + field.offset, field.size);
  return all.substr(0, std::min(all.find('\0'), all.size()));
}

/// Octal digits, blanks around them; nothing for anything else.
std::optional<std::int64_t> GetOctal(const Block& block, FieldAt field) {
  std::string_view text = Get(block, field);
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  if (text.empty() || text.size() > 12) return std::nullopt;
  std::int64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '7') return std::nullopt;
    value = value * 8 + (c - '0');
  }
  return value;
}

std::uint64_t Checksum(const Block& block) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kBlock; ++i) {
    const bool own = i >= kSum.offset && i < kSum.offset + kSum.size;
    sum += own ? ' ' : static_cast<unsigned char>(block[i]);
  }
  return sum;
}

Block HeaderOf(const std::string& path, std::int64_t size) {
  Block block{};
  std::string_view name = path;
  std::string_view prefix;
  if (name.size() > kName.size) {
    // The name is cut at a slash: the part before it goes to the prefix.
    const auto slash = path.find('/', path.size() - kName.size - 1);
    if (slash == path.npos || slash > kPrefix.size) {
      throw DataError(StrCat(path, ": too long a name for a tar archive"));
    }
    prefix = name.substr(0, slash);
    name = name.substr(slash + 1);
  }
  if (size > kLargest) {
    throw DataError(StrCat(path, ": too large for a tar archive"));
  }
  Put(block, kName, name);
  Put(block, kPrefix, prefix);
  PutOctal(block, kMode, 0644);
  PutOctal(block, kUid, 0);
  PutOctal(block, kGid, 0);
  PutOctal(block, kSize, static_cast<std::uint64_t>(size));
  PutOctal(block, kTime, 0);
  Put(block, kType, "0");
  Put(block, kMagic, kUstar);
  PutOctal(block, kSum, Checksum(block));
  return block;
}

/// Files below `folder`, as "folder/sub/file", sorted.
std::vector<std::pair<std::string, fs::path>> FilesBelow(
    const fs::path& folder) {
  std::vector<std::pair<std::string, fs::path>> files;
  const fs::path above = folder.lexically_normal().parent_path();
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_symlink()) {
      throw DataError(
          StrCat(entry.path().string(), ": is a link, which does not travel"));
    }
    if (entry.is_regular_file()) {
      files.emplace_back(
          entry.path().lexically_normal().lexically_relative(above).string(),
          entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::size_t Padding(std::int64_t size) {
  return (kBlock - static_cast<std::size_t>(size) % kBlock) % kBlock;
}

class TarReader {
 public:
  TarReader(const fs::path& archive, const TarLimits& limits)
      : archive_(archive), limits_(limits), in_(archive, std::ios::binary) {
    std::error_code code;
    left_ = static_cast<std::int64_t>(fs::file_size(archive, code));
    if (code || !in_) {
      throw DataError(StrCat(archive.string(), ": cannot be read"));
    }
  }

  struct Entry {
    std::string path;
    char type = '0';
    std::int64_t size = 0;
  };

  /// The next header; nothing at the end.
  std::optional<Entry> Next() {
    Block block{};
    if (left_ == 0) Fail("ends without its end mark");
    ReadBlock(block);
    if (std::all_of(block.begin(), block.end(),
                    [](char c) { return c == 0; })) {
      return std::nullopt;
    }
    if (Get(block, {kMagic.offset, 5}) != "ustar") {
      Fail("is no ustar header");
    }
    const auto sum = GetOctal(block, kSum);
    if (!sum || static_cast<std::uint64_t>(*sum) != Checksum(block)) {
      Fail("has a wrong checksum");
    }
    Entry entry;
    const std::string prefix(Get(block, kPrefix));
    entry.path =
        (prefix.empty() ? "" : prefix + "/") + std::string(Get(block, kName));
    entry.type = block[kType.offset];
    const auto size = GetOctal(block, kSize);
    if (!size || *size > left_) {
      Fail(StrCat("says that ", entry.path, " has more bytes than are left"));
    }
    entry.size = *size;
    bytes_ += entry.size;
    if (++entries_ > limits_.entries || bytes_ > limits_.bytes) {
      Fail("goes beyond what may be unpacked");
    }
    return entry;
  }

  void Copy(const Entry& entry, const fs::path& to) {
    std::ofstream out(to, std::ios::binary | std::ios::trunc);
    std::array<char, 65536> buffer{};
    for (std::int64_t left = entry.size; left > 0;) {
      const auto want = std::min<std::int64_t>(left, buffer.size());
      Read(buffer.data(), want);
      out.write(buffer.data(), want);
      left -= want;
    }
    if (!out.flush()) {
      throw StoreError(
          StrCat(to.string(), ": cannot be written: ", std::strerror(errno)));
    }
    Block rest{};
    Read(rest.data(), static_cast<std::int64_t>(Padding(entry.size)));
  }

  [[noreturn]] void Fail(std::string_view what) const {
    throw DataError(
        StrCat(archive_.string(), ": the header at byte ", at_, " ", what));
  }

 private:
  void ReadBlock(Block& block) {
    at_ = static_cast<std::int64_t>(in_.tellg());
    Read(block.data(), kBlock);
  }
  void Read(char* to, std::int64_t size) {
    if (size > left_ || !in_.read(to, size)) {
      throw DataError(StrCat(archive_.string(), ": is cut off"));
    }
    left_ -= size;
  }

  fs::path archive_;
  TarLimits limits_;
  std::ifstream in_;
  std::int64_t left_ = 0;
  std::int64_t at_ = 0;
  std::int64_t entries_ = 0;
  std::int64_t bytes_ = 0;
};

/// A relative name that stays inside and has no empty part.
bool IsSafe(const std::string& path) {
  if (path.empty() || path.front() == '/') return false;
  const fs::path p(path);
  return std::none_of(p.begin(), p.end(), [](const fs::path& part) {
    return part == ".." || part == ".";
  });
}

}  // namespace

void WriteTar(const fs::path& archive, const std::vector<fs::path>& folders) {
  const fs::path temporary = StrCat(archive.string(), ".tmp.", getpid());
  const auto fail = [&] {
    const std::string reason = std::strerror(errno);
    std::error_code ignored;
    fs::remove(temporary, ignored);
    throw StoreError(StrCat(archive.string(), ": cannot be written: ", reason));
  };
  {
    std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
    if (!out) fail();
    for (const fs::path& folder : folders) {
      for (const auto& [name, path] : FilesBelow(folder)) {
        const std::string bytes = ReadFile(path);
        const auto size = static_cast<std::int64_t>(bytes.size());
        const Block header = HeaderOf(name, size);
        out.write(header.data(), kBlock);
        out.write(bytes.data(), size);
        out << std::string(Padding(size), '\0');
      }
    }
    out << std::string(2 * kBlock, '\0');
    if (!out.flush()) fail();
  }
  if (rename(temporary.c_str(), archive.c_str()) != 0) fail();
  SyncFolder(archive.parent_path());
}

std::vector<std::string> ReadTar(const fs::path& archive,
                                 const fs::path& folder,
                                 const TarLimits& limits) {
  TarReader reader(archive, limits);
  MakeFolders(folder);
  std::set<std::string> tops;
  while (const auto entry = reader.Next()) {
    if (entry->type == '5' && entry->size == 0) continue;  // a folder
    if (entry->type != '0' && entry->type != '\0') {
      reader.Fail(StrCat("is of ", entry->path,
                         ", which is neither a file nor a folder"));
    }
    if (!IsSafe(entry->path)) {
      reader.Fail(StrCat("names '", entry->path, "', which leads elsewhere"));
    }
    const fs::path to = folder / entry->path;
    MakeFolders(to.parent_path());
    if (fs::exists(to)) reader.Fail(StrCat("names ", entry->path, " again"));
    reader.Copy(*entry, to);
    tops.insert(fs::path(entry->path).begin()->string());
  }
  return {tops.begin(), tops.end()};
}

}  // namespace tailmark
