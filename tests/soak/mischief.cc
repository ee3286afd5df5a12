// Preloaded (LD_PRELOAD) into the programs under test: a disk that is full now
// and then, a clock that jumps, a file system like that of a cluster. Each only
// when its variable is set:
//   SOAK_FULL=P     one of P writes to a file fails with ENOSPC
//   SOAK_CLOCK=S    every look at the wall clock is off by up to S seconds
//   SOAK_NETWORK=1  statfs says NFS, flock fails, nothing can be mapped shared
//                   for writing

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>

namespace {

long Setting(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? 0 : std::atol(text);
}

/// The function that this file stands before.
template <typename F>
F Real(const char* name) {
  return reinterpret_cast<F>(dlsym(RTLD_NEXT, name));
}

unsigned Chance() {
  static std::atomic<unsigned> state{static_cast<unsigned>(getpid()) *
                                     2654435761U};
  unsigned x = state.fetch_add(0x9E3779B9U);
  x ^= x >> 16;
  x *= 0x85EBCA6BU;
  x ^= x >> 13;
  return x;
}

bool IsFull(int fd) {
  static const long kOneOf = Setting("SOAK_FULL");
  if (kOneOf <= 0) return false;
  struct stat info {};
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return false;
  if (Chance() % static_cast<unsigned>(kOneOf) != 0) return false;
  errno = ENOSPC;
  return true;
}

time_t Jump() {
  static const long kMost = Setting("SOAK_CLOCK");
  if (kMost <= 0) return 0;
  return static_cast<time_t>(Chance() % static_cast<unsigned>(2 * kMost)) -
         kMost;
}

bool Network() {
  static const bool kNetwork = Setting("SOAK_NETWORK") != 0;
  return kNetwork;
}

}  // namespace

extern "C" {

ssize_t write(int fd, const void* data, size_t size) {
  static const auto kReal =
      Real<ssize_t (*)(int, const void*, size_t)>("write");
  return IsFull(fd) ? -1 : kReal(fd, data, size);
}

ssize_t writev(int fd, const iovec* parts, int count) {
  static const auto kReal = Real<ssize_t (*)(int, const iovec*, int)>("writev");
  return IsFull(fd) ? -1 : kReal(fd, parts, count);
}

ssize_t pwrite(int fd, const void* data, size_t size, off_t at) {
  static const auto kReal =
      Real<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite");
  return IsFull(fd) ? -1 : kReal(fd, data, size, at);
}

ssize_t pwrite64(int fd, const void* data, size_t size, off64_t at) {
  static const auto kReal =
      Real<ssize_t (*)(int, const void*, size_t, off64_t)>("pwrite64");
  return IsFull(fd) ? -1 : kReal(fd, data, size, at);
}

int clock_gettime(clockid_t clock, timespec* now) noexcept {
  static const auto kReal =
      Real<int (*)(clockid_t, timespec*)>("clock_gettime");
  const int answer = kReal(clock, now);
  if (clock == CLOCK_REALTIME) now->tv_sec += Jump();
  return answer;
}

int gettimeofday(timeval* now, void* zone) noexcept {
  static const auto kReal = Real<int (*)(timeval*, void*)>("gettimeofday");
  const int answer = kReal(now, zone);
  now->tv_sec += Jump();
  return answer;
}

time_t time(time_t* out) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}

int statfs(const char* path, struct statfs* info) noexcept {
  static const auto kReal =
      Real<int (*)(const char*, struct statfs*)>("statfs");
  const int answer = kReal(path, info);
  if (answer == 0 && Network()) info->f_type = 0x6969;
  return answer;
}

int flock(int fd, int operation) noexcept {
  static const auto kReal = Real<int (*)(int, int)>("flock");
  if (!Network()) return kReal(fd, operation);
  errno = ENOLCK;
  return -1;
}

void* mmap(void* at, size_t size, int protection, int flags, int fd,
           off_t offset) noexcept {
  static const auto kReal =
      Real<void* (*)(void*, size_t, int, int, int, off_t)>("mmap");
  if (Network() && fd >= 0 && (flags & MAP_SHARED) != 0 &&
      (protection & PROT_WRITE) != 0) {
    errno = ENODEV;
    return MAP_FAILED;
  }
  return kReal(at, size, protection, flags, fd, offset);
}

void* mmap64(void* at, size_t size, int protection, int flags, int fd,
             off64_t offset) noexcept {
  return mmap(at, size, protection, flags, fd, offset);
}

}  // extern "C"
