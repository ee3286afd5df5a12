#include "harness/plugin/child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <new>
#include <stdexcept>
#include <thread>

#include "harness/base/clock.h"
#include "harness/base/environment.h"
#include "harness/base/error.h"
#include "harness/base/interrupt.h"
#include "harness/base/log.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

constexpr int kReadAt = 3, kWriteAt = 4;
// A message is a few lines of numbers at most; matrices go through files.
constexpr std::size_t kLongestMessage = std::size_t{64} << 20;

struct Pipe {
  int read = -1, write = -1;
};

Pipe MakePipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw std::runtime_error(StrCat("no pipe: ", std::strerror(errno)));
  }
  // Out of the way of the numbers that the child is given.
  for (int& end : ends) {
    const int high = fcntl(end, F_DUPFD_CLOEXEC, 10);
    close(end);
    end = high;
  }
  return {ends[0], ends[1]};
}

std::string FindProgram(const std::string& program, const fs::path& folder) {
  if (program.find('/') != program.npos) {
    return fs::absolute(folder / program).string();
  }
  std::string paths = GetEnv("PATH").value_or("/usr/bin:/bin");
  for (std::size_t at = 0; at <= paths.size();) {
    const std::size_t end = std::min(paths.find(':', at), paths.size());
    const fs::path found = fs::path(paths.substr(at, end - at)) / program;
    if (access(found.c_str(), X_OK) == 0) return found.string();
    at = end + 1;
  }
  throw ConfigError(StrCat("there is no program '", program, "' in PATH"));
}

std::vector<char*> Pointers(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Child::Child(ChildOptions options) : options_(std::move(options)) { Start(); }

void Child::Start() {
  const std::string program =
      FindProgram(options_.command.at(0), options_.folder);
  std::vector<std::string> arguments = options_.command;
  std::vector<std::string> environment =
      MergedEnvironment(options_.environment);
  const std::vector<char*> argv = Pointers(arguments);
  const std::vector<char*> envp = Pointers(environment);
  Allowed allowed = options_.allowed;
  if (!allowed.everything()) {
    for (fs::path& each : SystemFolders(program)) {
      allowed.readable.push_back(std::move(each));
    }
  }
  const Sandbox sandbox(allowed);
  const Pipe in = MakePipe(), out = MakePipe(), failed = MakePipe();
  const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) {
    // Only what is allowed between fork and exec of a program with threads.
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    const bool good = prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 &&
                      getppid() == parent && dup2(nothing, 0) >= 0 &&
                      dup2(2, 1) >= 0 && dup2(in.read, kReadAt) >= 0 &&
                      dup2(out.write, kWriteAt) >= 0 &&
                      chdir(options_.folder.c_str()) == 0 && sandbox.Enter();
    if (good) {
      // All but 0 to 4 and the pipe that says so, which exec closes.
      const int last = failed.write;
      for (int fd = kWriteAt + 1; fd < last; ++fd) close(fd);
      close_range(static_cast<unsigned>(last) + 1, ~0U, 0);
      execve(program.c_str(), argv.data(), envp.data());
    }
    const int why = errno;
    [[maybe_unused]] const auto said = write(failed.write, &why, sizeof why);
    _exit(127);
  }
  for (const int fd : {in.read, out.write, failed.write, nothing}) close(fd);
  to_ = in.write;
  from_ = out.read;
  int why = 0;
  const bool wrong = read(failed.read, &why, sizeof why) > 0;
  close(failed.read);
  if (pid_ < 0 || wrong) {
    if (pid_ > 0) waitpid(pid_, nullptr, 0);
    pid_ = -1;
    close(to_);
    close(from_);
    throw ConfigError(
        StrCat(program, ": cannot be started: ", std::strerror(why)));
  }
  fcntl(from_, F_SETFL, O_NONBLOCK);
}

Child::~Child() {
  if (pid_ > 0) {
    constexpr std::string_view kBye = "{\"type\":\"bye\"}\n";
    [[maybe_unused]] const auto said = write(to_, kBye.data(), kBye.size());
    const double until = MonotonicSeconds() + options_.grace_s;
    while (waitpid(pid_, nullptr, WNOHANG) == 0) {
      if (MonotonicSeconds() > until) {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
        break;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }
  close(to_);
  close(from_);
}

std::string Child::HowItEnded() {
  if (pid_ < 0) return "has ended";
  int status = 0;
  const double until = MonotonicSeconds() + options_.grace_s;
  while (waitpid(pid_, &status, WNOHANG) == 0) {
    if (MonotonicSeconds() > until) {
      kill(pid_, SIGKILL);
      waitpid(pid_, &status, 0);
      pid_ = -1;
      return "closed its end of the conversation";
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  pid_ = -1;
  if (WIFSIGNALED(status)) {
    const char* name = sigabbrev_np(WTERMSIG(status));
    return StrCat("ended by signal ", WTERMSIG(status), " (SIG",
                  name == nullptr ? "?" : name, ")");
  }
  return StrCat("ended with exit code ", WEXITSTATUS(status));
}

void Child::Fail(const std::string& what) {
  throw std::runtime_error(StrCat(options_.name, " ", what));
}

void Child::Say(const Json& message) {
  if (pid_ < 0) Fail("has ended");
  const std::string line = message.dump() + "\n";
  std::string_view left = line;
  std::signal(SIGPIPE, SIG_IGN);
  while (!left.empty()) {
    const ssize_t put = write(to_, left.data(), left.size());
    if (put < 0 && errno == EINTR) {
      ThrowIfInterrupted();
      continue;
    }
    if (put < 0) Fail(HowItEnded());
    left.remove_prefix(static_cast<std::size_t>(put));
  }
}

/// False at the end of what it says.
bool Child::ReadMore(double seconds) {
  pollfd wait{.fd = from_, .events = POLLIN, .revents = 0};
  poll(&wait, 1, static_cast<int>(seconds * 1000));
  std::array<char, 65536> part{};
  const ssize_t got = read(from_, part.data(), part.size());
  if (got > 0) buffer_.append(part.data(), static_cast<std::size_t>(got));
  return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

Json Child::Hear() {
  double last = MonotonicSeconds();
  while (true) {
    ThrowIfInterrupted();
    const std::size_t end = buffer_.find('\n');
    if (end == buffer_.npos) {
      const std::size_t before = buffer_.size();
      if (!ReadMore(0.2)) Fail(HowItEnded());
      if (buffer_.size() > kLongestMessage) {
        Fail("said a line of more than 64 MiB");
      }
      if (buffer_.size() != before) last = MonotonicSeconds();
      if (MonotonicSeconds() - last > options_.silence_s) {
        Fail(StrCat("said nothing for ", options_.silence_s,
                    " s, not even a heartbeat"));
      }
      continue;
    }
    const std::string line = buffer_.substr(0, end);
    buffer_.erase(0, end + 1);
    last = MonotonicSeconds();
    const Json message = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!message.is_object() || !message.contains("type") ||
        !message["type"].is_string()) {
      Fail(StrCat("said what is no message of the protocol: ",
                  line.substr(0, 200)));
    }
    const auto type = message["type"].get<std::string>();
    if (type == "heartbeat") continue;
    if (type == "log") {
      LogInfo(message.value("text", std::string()));
      continue;
    }
    if (type == "error") {
      if (message.value("message", std::string()).starts_with("MemoryError")) {
        throw std::bad_alloc();
      }
      Fail("failed: " + message.value("message", std::string("without words")));
    }
    return message;
  }
}

}  // namespace tailmark
