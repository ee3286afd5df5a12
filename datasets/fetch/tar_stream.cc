#include "datasets/fetch/tar_stream.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "harness/base/error.h"

namespace tailmark::fetch {
namespace {

constexpr std::int64_t kBlock = 512;
constexpr std::int64_t kMostNameBytes = 1 << 16;
// Fields of a header: offset and length.
constexpr std::size_t kName = 0, kNameSize = 100;
constexpr std::size_t kSize = 124, kNumberSize = 12;
constexpr std::size_t kChecksum = 148, kChecksumSize = 8;
constexpr std::size_t kType = 156;
constexpr std::size_t kMagic = 257;
constexpr std::size_t kPrefix = 345, kPrefixSize = 155;

std::string TextAt(std::string_view header, std::size_t at, std::size_t size) {
  const std::string_view field = header.substr(at, size);
  return std::string(field.substr(0, std::min(field.find('\0'), size)));
}

// Octal text, blanks around it; -1 for anything else.
std::int64_t OctalAt(std::string_view header, std::size_t at,
                     std::size_t size) {
  std::string_view field = header.substr(at, size);
  while (!field.empty() && field.front() == ' ') field.remove_prefix(1);
  while (!field.empty() && (field.back() == ' ' || field.back() == '\0')) {
    field.remove_suffix(1);
  }
  std::int64_t value = -1;
  const auto [end, error] =
      std::from_chars(field.data(), field.data() + field.size(), value, 8);
  return error == std::errc() && end == field.data() + field.size() ? value
                                                                    : -1;
}

std::int64_t SumOf(std::string_view header) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < header.size(); ++i) {
    const bool own = i >= kChecksum && i < kChecksum + kChecksumSize;
    sum += own ? ' ' : static_cast<unsigned char>(header[i]);
  }
  return sum;
}

// "27 path=a/long/name\n" among the records of a pax header.
std::string PaxPath(std::string_view records) {
  const auto at = records.find(" path=");
  if (at == records.npos) return "";
  const auto begin = at + std::string_view(" path=").size();
  const auto end = std::min(records.find('\n', begin), records.size());
  return std::string(records.substr(begin, end - begin));
}

}  // namespace

TarStream::TarStream(std::string name, Calls calls, std::int64_t most_bytes)
    : name_(std::move(name)),
      calls_(std::move(calls)),
      most_bytes_(most_bytes) {}

void TarStream::StartAt(std::int64_t boundary) {
  TM_CHECK(position_ == 0 && boundary % kBlock == 0);
  position_ = boundary_ = boundary;
}

void TarStream::Fail(std::string_view what) const {
  throw DataError(StrCat(name_, ": byte ", position_, ": ", what));
}

void TarStream::Header() {
  if (header_.find_first_not_of('\0') == header_.npos) {
    finished_ = true;
    return;
  }
  if (std::string_view(header_).substr(kMagic, 5) != "ustar") {
    Fail("no header of a tar archive");
  }
  if (OctalAt(header_, kChecksum, kChecksumSize) != SumOf(header_)) {
    Fail("a header whose checksum is wrong");
  }
  const std::int64_t size = OctalAt(header_, kSize, kNumberSize);
  if (size < 0) Fail("a header without a size");
  type_ = header_[kType];
  const bool names = type_ == 'L' || type_ == 'x';
  if (names && size > kMostNameBytes) Fail("a name that is too long");
  if (!names) {
    const std::string prefix = TextAt(header_, kPrefix, kPrefixSize);
    entry_ = prefix.empty() || !long_name_.empty() ? "" : prefix + "/";
    entry_ +=
        long_name_.empty() ? TextAt(header_, kName, kNameSize) : long_name_;
    long_name_.clear();
  }
  const bool regular = type_ == '0' || type_ == '\0';
  keep_ = names || (regular && calls_.wanted(entry_, size));
  if (keep_ && size > most_bytes_) {
    Fail(StrCat(entry_, " has ", size, " bytes, expected at most ",
                most_bytes_));
  }
  body_.clear();
  body_left_ = size;
  padding_left_ = (kBlock - size % kBlock) % kBlock;
}

void TarStream::EndOfEntry() {
  if (type_ == 'L') {
    long_name_ = body_.substr(0, std::min(body_.find('\0'), body_.size()));
    return;  // It belongs to the header that follows.
  }
  if (type_ == 'x') {
    long_name_ = PaxPath(body_);
    return;
  }
  if (keep_) calls_.file(entry_, std::move(body_));
  body_.clear();
  boundary_ = position_;
}

void TarStream::Feed(std::string_view bytes) {
  const auto take = [&](std::int64_t most) {
    const auto n =
        std::min<std::size_t>(bytes.size(), static_cast<std::size_t>(most));
    const std::string_view taken = bytes.substr(0, n);
    bytes.remove_prefix(n);
    position_ += static_cast<std::int64_t>(n);
    return taken;
  };
  while (!bytes.empty() && !finished_) {
    if (body_left_ > 0) {
      const std::string_view piece = take(body_left_);
      body_left_ -= static_cast<std::int64_t>(piece.size());
      if (keep_) body_ += piece;
    } else if (padding_left_ > 0) {
      padding_left_ -= static_cast<std::int64_t>(take(padding_left_).size());
    } else {
      header_ += take(kBlock - static_cast<std::int64_t>(header_.size()));
      if (static_cast<std::int64_t>(header_.size()) < kBlock) return;
      Header();
      header_.clear();
      if (finished_) return;
    }
    if (header_.empty() && body_left_ == 0 && padding_left_ == 0) EndOfEntry();
  }
}

}  // namespace tailmark::fetch
