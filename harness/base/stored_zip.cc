#include "harness/base/stored_zip.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "harness/base/error.h"

namespace tailmark {
namespace {

// APPNOTE.TXT 6.3.9, sections 4.3.7 to 4.3.16 and 4.5.3.
constexpr std::uint32_t kLocalSignature = 0x04034B50;
constexpr std::uint32_t kCentralSignature = 0x02014B50;
constexpr std::uint32_t kEndSignature = 0x06054B50;
constexpr std::uint32_t kEnd64Signature = 0x06064B50;
constexpr std::uint32_t kLocator64Signature = 0x07064B50;
constexpr std::size_t kLocalSize = 30;
constexpr std::size_t kCentralSize = 46;
constexpr std::size_t kEndSize = 22;
constexpr std::size_t kLocator64Size = 20;
constexpr std::uint16_t kZip64Extra = 1;
constexpr std::uint32_t kInExtra = 0xFFFFFFFF;
constexpr std::size_t kLongestComment = 0xFFFF;

class ZipReader {
 public:
  ZipReader(std::span<const std::byte> bytes, std::string_view name)
      : bytes_(bytes), name_(name) {}

  std::map<std::string, std::span<const std::byte>, std::less<>> Read() const {
    std::map<std::string, std::span<const std::byte>, std::less<>> members;
    auto [at, count] = Directory();
    for (std::uint64_t i = 0; i < count; ++i) {
      if (Get<std::uint32_t>(at) != kCentralSignature) {
        Fail("the directory is damaged");
      }
      const auto name_length = Get<std::uint16_t>(at + 28);
      const auto extra_length = Get<std::uint16_t>(at + 30);
      const auto comment_length = Get<std::uint16_t>(at + 32);
      std::string member(Text(at + kCentralSize, name_length));
      const auto data = Member(at, member, name_length, extra_length);
      if (!members.emplace(member, data).second) {
        Fail(StrCat("member '", member, "' is there twice"));
      }
      at += kCentralSize + name_length + extra_length + comment_length;
    }
    return members;
  }

 private:
  [[noreturn]] void Fail(std::string_view what) const {
    throw DataError(StrCat(name_, ": zip archive: ", what));
  }

  template <class T>
  T Get(std::uint64_t at) const {
    if (at > bytes_.size() || bytes_.size() - at < sizeof(T)) {
      Fail("ends too early");
    }
    T value;
    std::memcpy(&value, bytes_.data() + at, sizeof(T));
    return value;
  }

  std::string_view Text(std::uint64_t at, std::size_t length) const {
    if (at > bytes_.size() || bytes_.size() - at < length) {
      Fail("ends too early");
    }
    return {reinterpret_cast<const char*>(bytes_.data()) + at, length};
  }

  /// Where the directory begins and how many members it has.
  std::pair<std::uint64_t, std::uint64_t> Directory() const {
    if (bytes_.size() < kEndSize) Fail("too short to be one");
    const std::size_t last = bytes_.size() - kEndSize;
    const std::size_t first = last - std::min(last, kLongestComment);
    for (std::size_t at = last + 1; at-- > first;) {
      if (Get<std::uint32_t>(at) != kEndSignature) continue;
      if (at >= kLocator64Size &&
          Get<std::uint32_t>(at - kLocator64Size) == kLocator64Signature) {
        const auto end64 = Get<std::uint64_t>(at - kLocator64Size + 8);
        if (Get<std::uint32_t>(end64) != kEnd64Signature) {
          Fail("its end is damaged");
        }
        return {Get<std::uint64_t>(end64 + 48), Get<std::uint64_t>(end64 + 32)};
      }
      return {Get<std::uint32_t>(at + 16), Get<std::uint16_t>(at + 10)};
    }
    Fail("has no end record (not a zip archive, or a truncated one)");
  }

  std::span<const std::byte> Member(std::uint64_t at, std::string_view member,
                                    std::size_t name_length,
                                    std::size_t extra_length) const {
    if ((Get<std::uint16_t>(at + 8) & 1U) != 0 ||
        Get<std::uint16_t>(at + 10) != 0) {
      // torch.jit.save packs long code, which nobody here looks at.
      if (member.find("/code/") != member.npos) return {};
      Fail(StrCat("member '", member, "' is compressed or encrypted"));
    }
    std::uint64_t size = Get<std::uint32_t>(at + 24);
    const std::uint64_t packed = Get<std::uint32_t>(at + 20);
    std::uint64_t local = Get<std::uint32_t>(at + 42);
    std::uint64_t extra = at + kCentralSize + name_length;
    const std::uint64_t end = extra + extra_length;
    while (extra + 4 <= end) {
      const auto length = Get<std::uint16_t>(extra + 2);
      if (Get<std::uint16_t>(extra) == kZip64Extra) {
        std::uint64_t field = extra + 4;
        const auto take = [&](std::uint64_t& value, bool wanted) {
          if (!wanted) return;
          value = Get<std::uint64_t>(field);
          field += sizeof(std::uint64_t);
        };
        std::uint64_t ignored = 0;
        take(size, size == kInExtra);
        take(ignored, packed == kInExtra);
        take(local, local == kInExtra);
      }
      extra += 4U + length;
    }
    if (Get<std::uint32_t>(local) != kLocalSignature) {
      Fail(StrCat("member '", member, "' does not lie where it should"));
    }
    const std::uint64_t data = local + kLocalSize +
                               Get<std::uint16_t>(local + 26) +
                               Get<std::uint16_t>(local + 28);
    if (data > bytes_.size() || bytes_.size() - data < size) {
      Fail(StrCat("member '", member, "' reaches beyond the end"));
    }
    return bytes_.subspan(data, size);
  }

  std::span<const std::byte> bytes_;
  std::string_view name_;
};

}  // namespace

std::map<std::string, std::span<const std::byte>, std::less<>> ReadStoredZip(
    std::span<const std::byte> bytes, std::string_view name) {
  return ZipReader(bytes, name).Read();
}

}  // namespace tailmark
