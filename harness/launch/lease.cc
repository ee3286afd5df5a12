#include "harness/launch/lease.h"

#include <fcntl.h>
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

/// "OWNER BEAT SECONDS WORD" and blanks.
std::string LineOf(const std::string& owner, std::int64_t beat, double seconds,
                   const std::string& word) {
  std::string line = StrCat(owner, " ", beat, " ", seconds, " ", word);
  line.resize(kLine - 1, ' ');
  return line + "\n";
}

struct Held {
  std::string owner;
  std::int64_t beat = 0;
  double seconds = 0;
  std::string word;
};

/// What a lease says; a torn one says as much as can be read.
Held HeldFrom(const std::string& text) {
  Held held;
  std::istringstream in(text);
  in >> held.owner >> held.beat >> held.seconds >> held.word;
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

/// The descriptor of a file that only one of all that ask for it makes; -1 for
/// the others.
int MakeOnce(const fs::path& path, const fs::path& temporary,
             const std::string& line) {
  const int fd =
      open(temporary.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) {
    if (errno == ENOENT) return -1;  // Its last holder has just finished.
    Fail(temporary);
  }
  WriteAt0(fd, line);
  const bool linked = link(temporary.c_str(), path.c_str()) == 0;
  const int reason = errno;
  // A server's answer may be lost after it did what was asked.
  struct stat now {};
  const bool ours = linked || (fstat(fd, &now) == 0 && now.st_nlink == 2);
  unlink(temporary.c_str());
  if (ours) return fd;
  close(fd);
  if (reason == EEXIST || reason == ENOENT) return -1;
  // A file system without links.
  const int made =
      open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (made < 0 && errno != EEXIST && errno != ENOENT) Fail(path);
  if (made >= 0) WriteAt0(made, line);
  return made;
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
             double beat_s, int fd)
    : folder_(std::move(folder)),
      generation_(generation),
      owner_(std::move(owner)),
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
  WriteAt0(fd_, LineOf(owner_, ++beats_, beat_s_, word));
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
  Seen& seen = seen_[key];
  const double now = MonotonicSeconds();
  if (seen.text != text || text.empty()) {
    seen = {.text = text, .at = now};
    return false;
  }
  const double beat = std::max(HeldFrom(text).seconds, 0.01);
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
    const std::string text = TextOf(folder / std::to_string(last));
    if (HeldFrom(text).word != "free" && !IsStale(key, text)) return nullptr;
  }
  const std::int64_t generation = last + 1;
  const std::string owner = StrCat(owner_, ":", ++taken_);
  const int fd =
      MakeOnce(folder / std::to_string(generation),
               folder / ("making." + owner), LineOf(owner, 0, beat_s_, "held"));
  if (fd < 0) return nullptr;
  seen_.erase(key);
  return std::unique_ptr<Lease>(
      new Lease(folder, generation, owner, beat_s_, fd));
}

}  // namespace tailmark
