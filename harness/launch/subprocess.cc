#include "harness/launch/subprocess.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "harness/base/clock.h"
#include "harness/base/descriptor.h"
#include "harness/base/error.h"
#include "harness/launch/fork_server.h"
#include "harness/launch/kin.h"
#include "harness/launch/process_tree.h"
#include "harness/launch/spawn.h"

namespace tailmark {
namespace {

constexpr std::size_t kTail = 4096;

/// What a child prints: the first half of the cap goes to the file as it comes,
/// the last half is kept and written at the end.
class CappedLog {
 public:
  CappedLog(const std::filesystem::path& path, std::int64_t cap)
      : half_(static_cast<std::size_t>(std::max<std::int64_t>(cap / 2, 1))) {
    if (path.empty()) return;
    file_.Reset(
        open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    if (file_.get() < 0) {
      throw StoreError(StrCat(path.string(), ": ", std::strerror(errno)));
    }
  }

  void Add(std::string_view text) {
    recent_.append(text);
    if (recent_.size() > 2 * kTail) recent_.erase(0, recent_.size() - kTail);
    const std::size_t head = std::min(text.size(), half_ - written_);
    Write(text.substr(0, head));
    written_ += head;
    kept_.append(text.substr(head));
    if (kept_.size() > 2 * half_) {
      left_out_ += kept_.size() - half_;
      kept_.erase(0, kept_.size() - half_);
    }
  }

  void Finish() {
    if (kept_.size() > half_) {
      left_out_ += kept_.size() - half_;
      kept_.erase(0, kept_.size() - half_);
    }
    if (left_out_ > 0) {
      Write(StrCat("\n[", left_out_, " bytes left out]\n"));
    }
    Write(kept_);
    kept_.clear();
  }

  std::string Tail() const {
    return recent_.size() <= kTail ? recent_
                                   : recent_.substr(recent_.size() - kTail);
  }

 private:
  // A log that cannot be written is no reason to end a run.
  void Write(std::string_view text) {
    while (file_.get() >= 0 && !text.empty()) {
      const ssize_t put = write(file_.get(), text.data(), text.size());
      if (put < 0 && errno == EINTR) continue;
      if (put <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(put));
    }
  }

  Descriptor file_;
  std::size_t half_;
  std::size_t written_ = 0;
  std::size_t left_out_ = 0;
  std::string kept_;
  std::string recent_;
};

}  // namespace

struct Subprocess::State {
  explicit State(const ProcessOptions& given)
      : options(given), log(given.log, given.log_cap) {}

  ProcessOptions options;
  CappedLog log;
  Descriptor output;
  pid_t pid = -1;  ///< -1 once it has been waited for.
  double start = 0;
  double last_sign = 0;          ///< Of life.
  std::uintmax_t lived = 0;      ///< Bytes of `life` then.
  std::optional<EndCause> ours;  ///< Why we asked it to end.
  double asked = 0;
  bool killed = false;

  void Start();
  void ReadOutput();
  void Ask(EndCause cause);
  double Grace() const;
  void ApplyLimits();
  ProcessEnd Reap();
};

void Subprocess::State::Start() {
  Kin::Ours().Prepare();
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
    throw StoreError(StrCat("no pipe: ", std::strerror(errno)));
  }
  output.Reset(ends[0]);
  const Descriptor child_end(ends[1]);
  // The child writes to it as to any pipe.
  fcntl(child_end.get(), F_SETFL, 0);

  const ChildStart child{.arguments = options.arguments,
                         .environment = options.environment,
                         .output = child_end.get(),
                         .keep_open = options.keep_open,
                         .cores = options.cores,
                         .address_bytes = options.address_bytes};
  std::optional<pid_t> forked;
  if (options.fork_loaded) forked = ForkLoaded(options.program, child);
  pid = forked ? *forked : Spawn(options.program, child);
  Kin::Ours().Add(pid);
  start = last_sign = MonotonicSeconds();
}

void Subprocess::State::ReadOutput() {
  std::array<char, 65536> buffer{};
  while (output.get() >= 0) {
    const ssize_t got = read(output.get(), buffer.data(), buffer.size());
    if (got > 0) {
      last_sign = MonotonicSeconds();
      log.Add({buffer.data(), static_cast<std::size_t>(got)});
    } else if (got < 0 && errno == EINTR) {
      continue;
    } else {
      if (got == 0 || errno != EAGAIN) output.Close();
      return;
    }
  }
}

void Subprocess::State::Ask(EndCause cause) {
  if (ours || pid < 0) return;
  ours = cause;
  asked = MonotonicSeconds();
  kill(-pid, SIGTERM);
}

double Subprocess::State::Grace() const {
  switch (ours.value_or(EndCause::kStopped)) {
    case EndCause::kWallTime:
      return std::min(options.grace_s, options.wall_s);
    case EndCause::kCpuTime:
      return std::min(options.grace_s, options.cpu_s);
    case EndCause::kSilence:
      return std::min(options.grace_s, options.silence_s);
    default:
      return options.grace_s;
  }
}

void Subprocess::State::ApplyLimits() {
  const double now = MonotonicSeconds();
  if (options.wall_s > 0 && now - start > options.wall_s) {
    Ask(EndCause::kWallTime);
  }
  ProcessTree tree;
  if (options.rss_bytes > 0 || options.cpu_s > 0) tree = LookAtTree(pid);
  if (options.cpu_s > 0 && tree.cpu_s > options.cpu_s) {
    Ask(EndCause::kCpuTime);
  }
  if (options.silence_s > 0) {
    std::error_code code;
    const std::uintmax_t size = std::filesystem::file_size(options.life, code);
    if (!code && size != lived) {
      lived = size;
      last_sign = now;
    }
    if (now - last_sign > options.silence_s) Ask(EndCause::kSilence);
  }
  if (options.rss_bytes > 0 && tree.resident > options.rss_bytes) {
    Ask(EndCause::kMemory);
    // It may be on its way to taking the machine down.
    asked = -1e9;
  }
  if (ours && !killed && now - asked > Grace()) {
    kill(-pid, SIGKILL);
    killed = true;
  }
}

ProcessEnd Subprocess::State::Reap() {
  // Not yet waited for, so its number still names this group and no other.
  kill(-pid, SIGKILL);
  int status = 0;
  rusage usage{};
  while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  Kin::Ours().Remove(pid);
  ReadOutput();
  log.Finish();
  ProcessEnd end;
  end.wall_s = MonotonicSeconds() - start;
  end.peak_rss = static_cast<std::int64_t>(usage.ru_maxrss) * 1024;
  end.tail = log.Tail();
  if (WIFSIGNALED(status)) {
    end.signal = WTERMSIG(status);
    end.cause = EndCause::kSignal;
  } else {
    end.exit_code = WEXITSTATUS(status);
    end.cause = EndCause::kExit;
  }
  // A run that finished before the signal came is finished.
  if (ours && end.exit_code != 0) end.cause = *ours;
  pid = -1;
  return end;
}

Subprocess::Subprocess(const ProcessOptions& options)
    : state_(std::make_unique<State>(options)) {
  state_->Start();
}

Subprocess::~Subprocess() {
  if (state_->pid >= 0) {
    kill(-state_->pid, SIGKILL);
    state_->Reap();
  }
}

std::optional<ProcessEnd> Subprocess::Poll() {
  TM_CHECK(state_->pid >= 0, "polled after its end");
  state_->ReadOutput();
  siginfo_t info{};
  const int waited = waitid(P_PID, static_cast<id_t>(state_->pid), &info,
                            WEXITED | WNOHANG | WNOWAIT);
  if (waited == 0 && info.si_pid == state_->pid) return state_->Reap();
  state_->ApplyLimits();
  return std::nullopt;
}

void Subprocess::Stop() { state_->Ask(EndCause::kStopped); }
int Subprocess::pid() const { return state_->pid; }
double Subprocess::seconds() const {
  return MonotonicSeconds() - state_->start;
}
std::int64_t Subprocess::rss() const {
  return state_->pid < 0 ? 0 : LookAtTree(state_->pid).resident;
}

void Subprocess::WaitForAny(std::span<Subprocess* const> processes,
                            double seconds) {
  std::vector<pollfd> waits;
  for (const Subprocess* process : processes) {
    const int fd = process->state_->output.get();
    // Closed its output but still runs: only time will tell.
    if (fd < 0) seconds = std::min(seconds, 0.01);
    if (fd >= 0) waits.push_back({.fd = fd, .events = POLLIN, .revents = 0});
  }
  poll(waits.data(), waits.size(), static_cast<int>(seconds * 1000));
}

}  // namespace tailmark
