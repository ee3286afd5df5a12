#include "harness/launch/fork_server.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "harness/base/clock.h"
#include "harness/base/descriptor.h"
#include "harness/base/environment.h"
#include "harness/base/error.h"
#include "harness/base/interrupt.h"
#include "harness/launch/kin.h"
#include "harness/launch/spawn.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

// So often without an answer, and a program is started by itself from then on.
constexpr int kFailures = 2;

constexpr std::array kReadOnLoad = {"OMP_NUM_THREADS", "MKL_NUM_THREADS",
                                    "OPENBLAS_NUM_THREADS"};

using Variables = std::map<std::string, std::string>;

Variables ReadOnLoad(const ChildStart& start) {
  Variables found;
  for (const char* name : kReadOnLoad) {
    const auto it = start.environment.find(name);
    if (it != start.environment.end()) found.insert(*it);
  }
  return found;
}

/// Reads what comes once; the number of bytes. 0: at the end, or when nothing
/// came for `patience` seconds, or until `enough`.
std::size_t ReadOnce(int fd, double patience, bool (*enough)(), void* to,
                     std::size_t size) {
  const double until = MonotonicSeconds() + patience;
  while (true) {
    // Looked at once more at the end: this process may have slept.
    const bool last = enough() || MonotonicSeconds() >= until;
    pollfd wait{.fd = fd, .events = POLLIN, .revents = 0};
    if (poll(&wait, 1, last ? 0 : 100) > 0) {
      const ssize_t got = read(fd, to, size);
      if (got < 0 && errno == EINTR) continue;
      return got < 0 ? 0 : static_cast<std::size_t>(got);
    }
    if (last) return 0;
  }
}

class ForkServer {
 public:
  /// Throws StoreError.
  ForkServer(const fs::path& program, const ChildStart& first)
      : program_(program), variables_(ReadOnLoad(first)), owner_(getpid()) {
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) !=
        0) {
      return;
    }
    socket_.Reset(ends[0]);
    const Descriptor theirs(ends[1]);
    ChildStart start;
    start.arguments = {"serve", std::to_string(theirs.get())};
    start.environment = variables_;
    start.keep_open = {theirs.get()};
    // Whoever it forks is to be ours.
    start.adopts_orphans = false;
    pid_ = Spawn(program, start);
    Kin::Ours().Keep(pid_);
  }
  ForkServer(const ForkServer&) = delete;
  ForkServer& operator=(const ForkServer&) = delete;
  ~ForkServer() {
    if (pid_ < 0 || getpid() != owner_) return;
    kill(-pid_, SIGKILL);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    Kin::Ours().Dismiss(pid_);
  }

  /// Whether it is up: to be asked once, and waits for that.
  bool Serves(double patience) {
    char hello = 0;
    const auto stop = [] { return InterruptSignal() != 0; };
    return pid_ >= 0 &&
           ReadOnce(socket_.get(), patience, stop, &hello, sizeof hello) == 1;
  }

  bool Suits(const fs::path& program, const ChildStart& start) const {
    return program_ == program && variables_ == ReadOnLoad(start) &&
           owner_ == getpid();
  }

  std::optional<pid_t> Fork(const ChildStart& start, double patience) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
    const Descriptor answer(ends[0]);
    Descriptor theirs(ends[1]);
    if (!SendForkRequest(socket_.get(), start, theirs.get())) {
      return std::nullopt;
    }
    // So that the end is seen when nobody answers.
    theirs.Close();
    pid_t child = -1;
    // It takes milliseconds, and leaves nobody behind who answered.
    const auto never = [] { return false; };
    const auto got =
        ReadOnce(answer.get(), patience, never, &child, sizeof child);
    return got == sizeof child ? std::optional(child) : std::nullopt;
  }

 private:
  fs::path program_;
  Variables variables_;
  pid_t owner_;  // A fork of this process has no server.
  pid_t pid_ = -1;
  Descriptor socket_;
};

}  // namespace

Variables ThreadVariables(std::int64_t threads) {
  Variables variables;
  for (const char* name : kReadOnLoad) {
    variables[name] = std::to_string(threads);
  }
  return variables;
}

std::optional<pid_t> ForkLoaded(const fs::path& program,
                                const ChildStart& start,
                                const ForkPatience& patience) try {
  static std::unique_ptr<ForkServer> server;
  static std::map<fs::path, int> failures;  // Since the last fork.
  int& failed = failures[program];
  // Who is asked to stop has nothing more to load.
  if (failed >= kFailures || InterruptSignal() != 0) return std::nullopt;
  std::optional<pid_t> child;
  if (server && server->Suits(program, start)) {
    child = server->Fork(start, patience.fork_s);
  } else {
    server.reset();
    server = std::make_unique<ForkServer>(program, start);
    if (server->Serves(patience.load_s)) {
      child = server->Fork(start, patience.fork_s);
    }
  }
  failed = child ? 0 : failed + 1;
  if (!child) {
    server.reset();
    // One that was forked and is too late.
    Kin::Ours().EndStrays();
  }
  return child;
} catch (const StoreError&) {
  return std::nullopt;  // Spawn() says the same.
}

}  // namespace tailmark
