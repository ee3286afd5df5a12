#include "datasets/fetch/json_arrays.h"

#include <fcntl.h>
#include <simdjson.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>

#include "harness/base/error.h"

namespace tailmark::fetch {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMostBytes = std::size_t{4000} << 20;
constexpr int kNoMore = -1;

bool Blank(int c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

/// A file's bytes by their places.
class Bytes {
 public:
  explicit Bytes(const fs::path& file) : name_(file.string()) {
    std::error_code error;
    const auto size = fs::file_size(file, error);
    if (error) throw DataError(StrCat(name_, ": ", error.message()));
    if (size > kMostBytes) {
      throw DataError(
          StrCat(name_, ": ", size, " bytes, expected at most ", kMostBytes));
    }
    size_ = static_cast<std::size_t>(size);
    fd_ = ::open(name_.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd_ < 0) throw DataError(StrCat(name_, ": ", std::strerror(errno)));
  }
  ~Bytes() { ::close(fd_); }
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;

  const std::string& name() const { return name_; }
  std::size_t size() const { return size_; }

  /// `count` bytes from `place` on, all within the file.
  void Read(std::size_t place, std::size_t count, char* to) const {
    while (count > 0) {
      const ssize_t got = ::pread(fd_, to, count, static_cast<off_t>(place));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) {
        throw DataError(StrCat(
            name_, ": byte ", place, ": cannot be read: ",
            got == 0 ? "the file has become shorter" : std::strerror(errno)));
      }
      place += static_cast<std::size_t>(got);
      to += got;
      count -= static_cast<std::size_t>(got);
    }
  }

  /// One byte, or kNoMore at the end.
  int At(std::size_t place) {
    if (place >= size_) return kNoMore;
    if (place < begin_ || place - begin_ >= block_.size()) {
      block_.resize(std::min<std::size_t>(size_ - place, 4096));
      begin_ = place;
      Read(place, block_.size(), block_.data());
    }
    return static_cast<unsigned char>(block_[place - begin_]);
  }

 private:
  std::string name_;
  std::size_t size_ = 0;
  int fd_ = -1;
  std::string block_;
  std::size_t begin_ = 0;
};

/// Where `text` can be cut in two, after the last "}" that a comma and "{"
/// follow; 0 where there is none.
std::size_t LastCut(std::string_view text) {
  for (auto next = text.rfind('{'); next != text.npos && next > 0;
       next = text.rfind('{', next - 1)) {
    std::size_t at = next;
    while (at > 0 && Blank(text[at - 1])) --at;
    if (at == 0 || text[at - 1] != ',') continue;
    --at;
    while (at > 0 && Blank(text[at - 1])) --at;
    if (at > 0 && text[at - 1] == '}') return at;
  }
  return 0;
}

/// Goes over the members of the object. Only arrays are given to simdjson, a
/// piece at a time between brackets of ours. Where a piece ends is a guess that
/// the parser proves: were it inside a string or a deeper value, brackets or
/// quotes would not match, and the piece is read again with more behind it.
class ArrayReader {
 public:
  ArrayReader(const fs::path& file, std::size_t piece, const ArrayTaker& taker)
      : bytes_(file), piece_(std::max<std::size_t>(piece, 1)), taker_(taker) {}

  void Read() {
    Require('{', "the beginning of an object");
    if (Next() == '}') {
      ++place_;
    } else {
      ReadMembers();
    }
    if (Next() != kNoMore) Fail("something follows the object");
  }

 private:
  void ReadMembers() {
    while (true) {
      const std::string key = Key();
      Require(':', "':' after a name");
      if (Next() == '[') {
        ++place_;
        ReadArray(key);
      } else {
        SkipValue();
      }
      if (Next() == '}') break;
      Require(',', "',' or '}' after a member");
    }
    ++place_;
  }

  [[noreturn]] void Fail(const std::string& what) const {
    throw DataError(StrCat(bytes_.name(), ": byte ", place_, ": ", what));
  }
  /// What comes after blanks.
  int Next() {
    while (Blank(bytes_.At(place_))) ++place_;
    return bytes_.At(place_);
  }
  void Require(char wanted, const char* what) {
    if (Next() != wanted) Fail(StrCat("expected ", what));
    ++place_;
  }

  /// To behind the quotes that end a string.
  void SkipString() {
    Require('"', "a string");
    for (int c = bytes_.At(place_); c != '"'; c = bytes_.At(place_)) {
      if (c == kNoMore) Fail("the file ends within a string");
      place_ += c == '\\' ? 2 : 1;
    }
    ++place_;
  }
  std::string Text(std::size_t begin, std::size_t end) const {
    std::string text(end - begin, '\0');
    bytes_.Read(begin, text.size(), text.data());
    return text;
  }
  std::string Key() {
    Next();
    const std::size_t begin = place_;
    SkipString();
    CheckSkipped(begin);
    return Text(begin + 1, place_ - 1);
  }

  /// Anything but an array.
  void SkipValue() {
    const int first = Next();
    const std::size_t begin = place_;
    if (first == '"') {
      SkipString();
    } else if (first == '{') {
      SkipObject();
    } else {
      int c = first;
      while (c != kNoMore && c != ',' && c != '}' && c != ']' && !Blank(c)) {
        c = bytes_.At(++place_);
      }
      if (place_ == begin) Fail("expected a value");
    }
    CheckSkipped(begin);
  }
  void SkipObject() {
    int depth = 0;
    do {
      const int c = Next();
      if (c == kNoMore) Fail("the file ends within an object");
      if (c == '"') {
        SkipString();
        continue;
      }
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      ++place_;
    } while (depth > 0);
  }
  /// Skipped, but not unseen: UTF-8 and what strings may have in them.
  void CheckSkipped(std::size_t begin) {
    const simdjson::padded_string text(Text(begin, place_));
    const auto error = parser_.iterate(text).error();
    if (error != simdjson::SUCCESS) Fail(simdjson::error_message(error));
  }

  void ReadArray(const std::string& key) {
    std::size_t most = piece_;
    while (true) {
      const std::size_t left = bytes_.size() - place_;
      const bool rest = most >= left;
      const std::size_t size = Load(rest ? left : most, rest);
      const std::optional<std::size_t> seen =
          rest ? ReadPiece(key, size) : TryPiece(key, size);
      if (!seen) {
        most *= 2;
        continue;
      }
      taker_.keep();
      place_ += *seen;
      if (*seen < size || rest) return;
      Require(',', "',' after an element");
      most = piece_;
    }
  }
  /// Nothing where there is no cut, or a wrong one; and for what is wrong with
  /// an element, which the last try says.
  std::optional<std::size_t> TryPiece(const std::string& key,
                                      std::size_t size) {
    if (size == 0) return std::nullopt;
    try {
      return ReadPiece(key, size);
    } catch (const DataError&) {
      return std::nullopt;
    }
  }

  /// Puts bytes from the place on between brackets; all of `most`, or as many
  /// as are whole elements if the guess is right. Their number.
  std::size_t Load(std::size_t most, bool all) {
    buffer_.resize(most + 2 + simdjson::SIMDJSON_PADDING);
    buffer_[0] = '[';
    bytes_.Read(place_, most, buffer_.data() + 1);
    const std::size_t size =
        all ? most : LastCut(std::string_view(buffer_).substr(1, most));
    buffer_[size + 1] = ']';
    std::fill_n(buffer_.begin() + static_cast<std::ptrdiff_t>(size) + 2,
                simdjson::SIMDJSON_PADDING, ' ');
    return size;
  }

  /// How many of the bytes loaded are the array's: all, or as far as what
  /// follows its end.
  std::size_t ReadPiece(const std::string& key, std::size_t size) {
    const std::string_view json(buffer_.data(), size + 2);
    try {
      const std::size_t end = taker_.read({.key = key,
                                           .json = json,
                                           .allocated = buffer_.size(),
                                           .place = place_});
      return std::min(end - 1, size);
    } catch (const DataError& wrong) {
      throw DataError(StrCat(bytes_.name(), ": ", wrong.what()));
    }
  }

  Bytes bytes_;
  std::size_t piece_;
  const ArrayTaker& taker_;
  std::size_t place_ = 0;
  std::string buffer_;
  simdjson::ondemand::parser parser_;
};

}  // namespace

void ReadArrays(const fs::path& file, std::size_t piece,
                const ArrayTaker& taker) {
  ArrayReader(file, piece, taker).Read();
}

}  // namespace tailmark::fetch
