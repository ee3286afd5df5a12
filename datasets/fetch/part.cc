#include "datasets/fetch/part.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "harness/base/error.h"

namespace tailmark::fetch {
namespace fs = std::filesystem;

std::int64_t Part::size() const {
  std::error_code error;
  const auto bytes = fs::file_size(path_, error);
  return error ? 0 : static_cast<std::int64_t>(bytes);
}

void Part::OpenAt(std::int64_t offset) {
  Close();
  const int flags =
      O_WRONLY | O_CREAT | O_CLOEXEC | (offset == 0 ? O_TRUNC : O_APPEND);
  fd_ = open(path_.c_str(), flags, 0644);
  if (fd_ < 0) failure_ = std::strerror(errno);
}

bool Part::Write(std::string_view bytes) {
  while (fd_ >= 0 && !bytes.empty()) {
    const ssize_t put = write(fd_, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      failure_ = std::strerror(errno);
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return fd_ >= 0;
}

void Part::Close() {
  if (fd_ < 0) return;
  if (fsync(fd_) != 0 && failure_.empty()) failure_ = std::strerror(errno);
  close(fd_);
  fd_ = -1;
}

void Part::Remove() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
  std::error_code ignored;
  fs::remove(path_, ignored);
}

void Part::RequireWritten() const {
  if (!failure_.empty()) {
    throw StoreError(StrCat(path_.string(), ": ", failure_));
  }
}

}  // namespace tailmark::fetch
