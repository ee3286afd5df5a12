#include "harness/launch/key_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "harness/base/error.h"

namespace tailmark {
namespace {

/// The file that was locked is still the one that the path names: its holder
/// before us may have removed it between our open and our lock.
bool StillThere(int fd, const std::filesystem::path& path) {
  struct stat ours {};
  struct stat named {};
  return fstat(fd, &ours) == 0 && stat(path.c_str(), &named) == 0 &&
         ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
}

}  // namespace

KeyLock::KeyLock(std::filesystem::path path, int fd)
    : path_(std::move(path)), fd_(fd) {}

std::unique_ptr<KeyLock> KeyLock::Try(const std::filesystem::path& path) {
  while (true) {
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) {
      throw StoreError(StrCat(path.string(), ": ", std::strerror(errno)));
    }
    const int reason = flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
    // Without locks a lease alone says who has the key.
    const bool none = reason == ENOLCK || reason == ENOTSUP || reason == ENOSYS;
    if (reason != 0 && !none) {
      close(fd);
      if (reason == EWOULDBLOCK) return nullptr;
      if (reason == EINTR) continue;
      throw StoreError(StrCat(path.string(), ": ", std::strerror(reason)));
    }
    if (StillThere(fd, path)) {
      return std::unique_ptr<KeyLock>(new KeyLock(path, fd));
    }
    close(fd);
  }
}

bool KeyLock::IsHeld(const std::filesystem::path& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool held = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  close(fd);
  return held;
}

KeyLock::~KeyLock() {
  unlink(path_.c_str());
  close(fd_);
}

}  // namespace tailmark
