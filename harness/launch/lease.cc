#include "harness/launch/lease.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <fstream>
#include <optional>
#include <random>
#include <sstream>

#include "harness/base/clock.h"
#include "harness/base/error.h"
#include "harness/base/files.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

constexpr int kMissedBeats = 3;
constexpr std::size_t kLine = 160;  // one size, so that writing never cuts

/// Which kernel this is: of one start of one machine, or "-".
std::string ThisKernel() {
  std::ifstream in("/proc/sys/kernel/random/boot_id");
  std::string id;
  return in >> id && id.size() < 40 ? id : "-";
}

/// "OWNER BEAT SECONDS WORD KERNEL" and blanks.
std::string LineOf(const std::string& owner, std::int64_t beat, double seconds,
                   const std::string& word, const std::string& kernel) {
  std::string line =
      StrCat(owner, " ", beat, " ", seconds, " ", word, " ", kernel);
  line.resize(kLine - 1, ' ');
  return line + "\n";
}

struct Held {
  std::string owner;
  std::int64_t beat = 0;
  double seconds = 0;
  std::string word;
  std::string kernel;
};

/// What a lease says; a torn one says as much as can be read.
Held HeldFrom(const std::string& text) {
  Held held;
  std::istringstream in(text);
  in >> held.owner >> held.beat >> held.seconds >> held.word >> held.kernel;
  return held;
}

std::string TextOf(const fs::path& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// 0 when there is none.
std::int64_t HighestIn(const fs::path& folder) {
  std::int64_t highest = 0;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(folder, code)) {
    const std::string name = entry.path().filename().string();
    std::int64_t generation = 0;
    const auto [end, error] =
        std::from_chars(name.data(), name.data() + name.size(), generation);
    if (error == std::errc() && end == name.data() + name.size()) {
      highest = std::max(highest, generation);
    }
  }
  return highest;
}

[[noreturn]] void Fail(const fs::path& path) {
  throw StoreError(StrCat(path.string(), ": ", std::strerror(errno)));
}

void WriteAt0(int fd, const std::string& line) {
  // A beat that cannot be written is a missed one.
  if (pwrite(fd, line.data(), line.size(), 0) > 0) fsync(fd);
}

/// Locks what is a lease from now on, as long as this process lives. "-" where
/// the file system cannot, else the kernel in which the lock can be asked for.
std::string KernelAfterLock(int fd) {
  return flock(fd, LOCK_EX | LOCK_NB) == 0 ? ThisKernel() : "-";
}

/// Its holder ran under this very kernel and holds it no more: he died. Of
/// others, locks say nothing that could be relied on.
bool DiedHere(const fs::path& path, const Held& held) {
  if (held.kernel.empty() || held.kernel == "-" ||
      held.kernel != ThisKernel()) {
    return false;
  }
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool free = flock(fd, LOCK_SH | LOCK_NB) == 0;
  close(fd);
  return free;
}

/// What a lease file is made of.
struct Made {
  int fd = -1;
  std::string kernel;
};

/// The descriptor of a file that only one of all that ask for it makes; -1 for
/// the others.
Made MakeOnce(const fs::path& path, const fs::path& temporary,
              const std::string& owner, double beat_s) {
  const int fd =
      open(temporary.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) {
    if (errno == ENOENT) return {};  // Its last holder has just finished.
    Fail(temporary);
  }
  std::string kernel = KernelAfterLock(fd);
  WriteAt0(fd, LineOf(owner, 0, beat_s, "held", kernel));
  const bool linked = link(temporary.c_str(), path.c_str()) == 0;
  const int reason = errno;
  // A server's answer may be lost after it did what was asked.
  struct stat now {};
  const bool ours = linked || (fstat(fd, &now) == 0 && now.st_nlink == 2);
  unlink(temporary.c_str());
  if (ours) return {fd, kernel};
  close(fd);
  if (reason == EEXIST || reason == ENOENT) return {};
  // A file system without links.
  const int made =
      open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (made < 0 && errno != EEXIST && errno != ENOENT) Fail(path);
  if (made < 0) return {};
  kernel = KernelAfterLock(made);
  WriteAt0(made, LineOf(owner, 0, beat_s, "held", kernel));
  return {made, kernel};
}

std::string OwnerName() {
  std::array<char, 64> host{};
  gethostname(host.data(), host.size() - 1);
  for (char& c : host) {
    if (c == ' ') c = '_';
  }
  std::random_device device;
  return StrCat(host.data(), ":", getpid(), ":", device());
}

}  // namespace

Lease::Lease(fs::path folder, std::int64_t generation, std::string owner,
             std::string kernel, double beat_s, int fd)
    : folder_(std::move(folder)),
      generation_(generation),
      owner_(std::move(owner)),
      kernel_(std::move(kernel)),
      beat_s_(beat_s),
      fd_(fd),
      thread_([this] { BeatOn(); }) {}

Lease::~Lease() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  thread_.join();
  if (!finished_ && Ours()) Write("free");
  close(fd_);
}

void Lease::Write(const std::string& word) {
  WriteAt0(fd_, LineOf(owner_, ++beats_, beat_s_, word, kernel_));
}

void Lease::BeatOn() {
  std::unique_lock lock(mutex_);
  const auto until_next = std::chrono::duration<double>(beat_s_);
  while (!wake_.wait_for(lock, until_next, [this] { return ending_; })) {
    if (!Ours()) return;
    Write("held");
  }
}

bool Lease::Ours() {
  if (lost_) return false;
  const bool ours =
      HighestIn(folder_) == generation_ &&
      HeldFrom(TextOf(folder_ / std::to_string(generation_))).owner == owner_;
  if (!ours) lost_ = true;
  return ours;
}

void Lease::Finish() {
  const std::lock_guard lock(mutex_);
  finished_ = true;
  ending_ = true;
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

LeaseBook::LeaseBook(fs::path bundles, double beat_s)
    : bundles_(std::move(bundles)), beat_s_(beat_s), owner_(OwnerName()) {}

bool LeaseBook::IsStale(const std::string& key, const std::string& text) {
  const auto [at, first] = seen_.try_emplace(key);
  Seen& seen = at->second;
  const double now = MonotonicSeconds();
  if (first || seen.text != text) {
    seen = {.text = text, .at = now};
    return false;
  }
  // A holder whose disk was full wrote nothing; then our own beat counts.
  const double said = HeldFrom(text).seconds;
  const double beat = said > 0 ? std::max(said, 0.01) : beat_s_;
  // However long this process slept, one look finds one beat missed at most:
  // its holder may have slept as long.
  if (now - seen.at >= beat) {
    seen.at = now;
    ++seen.missed;
  }
  return seen.missed >= kMissedBeats;
}

std::unique_ptr<Lease> LeaseBook::Take(const std::string& key) {
  const fs::path folder = bundles_ / (key + ".leases");
  MakeFolders(folder);
  const std::int64_t last = HighestIn(folder);
  if (last > 0) {
    const fs::path path = folder / std::to_string(last);
    const std::string text = TextOf(path);
    const Held held = HeldFrom(text);
    if (held.word != "free" && !DiedHere(path, held) && !IsStale(key, text)) {
      return nullptr;
    }
  }
  const std::int64_t generation = last + 1;
  const std::string owner = StrCat(owner_, ":", ++taken_);
  const Made made = MakeOnce(folder / std::to_string(generation),
                             folder / ("making." + owner), owner, beat_s_);
  if (made.fd < 0) return nullptr;
  seen_.erase(key);
  return std::unique_ptr<Lease>(
      new Lease(folder, generation, owner, made.kernel, beat_s_, made.fd));
}

}  // namespace tailmark
