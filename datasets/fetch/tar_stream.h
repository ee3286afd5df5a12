#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace tailmark::fetch {

/// Reads a tar archive (ustar, and GNU's and pax's long names) as its bytes
/// come in, so that no copy of it is needed.
class TarStream {
 public:
  struct Calls {
    /// A regular file is about to come; true: keep it.
    std::function<bool(const std::string& name, std::int64_t size)> wanted;
    /// A file that was kept, whole.
    std::function<void(const std::string& name, std::string bytes)> file;
  };
  /// Files to be kept that are larger are an error.
  TarStream(std::string name, Calls calls, std::int64_t most_bytes);

  /// The next bytes. Throws DataError "NAME: byte N: ..." for what is no tar
  /// archive.
  void Feed(std::string_view bytes);

  /// The archive's end came.
  bool finished() const { return finished_; }
  /// Bytes fed so far.
  std::int64_t position() const { return position_; }
  /// Where one may begin to read again: the last header that was not yet seen
  /// whole with its file.
  std::int64_t boundary() const { return boundary_; }
  /// To begin there. REQUIRES: nothing was fed.
  void StartAt(std::int64_t boundary);

 private:
  void Header();
  void EndOfEntry();
  [[noreturn]] void Fail(std::string_view what) const;

  std::string name_;
  Calls calls_;
  std::int64_t most_bytes_;
  std::int64_t position_ = 0;
  std::int64_t boundary_ = 0;
  std::string header_;
  std::int64_t body_left_ = 0;
  std::int64_t padding_left_ = 0;
  char type_ = 0;
  bool keep_ = false;
  bool finished_ = false;
  std::string entry_;
  std::string body_;
  std::string long_name_;
};

}  // namespace tailmark::fetch
