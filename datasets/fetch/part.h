#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace tailmark::fetch {

/// The beginning of a file, kept on disk until the rest has come. What goes
/// wrong is remembered, since sinks may not throw.
class Part {
 public:
  explicit Part(std::filesystem::path path) : path_(std::move(path)) {}
  ~Part() { Close(); }
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;

  std::int64_t size() const;
  /// Goes on there; at 0 from nothing.
  void OpenAt(std::int64_t offset);
  bool Write(std::string_view bytes);
  void Close();
  void Remove();
  /// Throws StoreError when the disk failed.
  void RequireWritten() const;

 private:
  std::filesystem::path path_;
  int fd_ = -1;
  std::string failure_;
};

}  // namespace tailmark::fetch
