#include "harness/cli/worker_serve.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <iterator>

#include "harness/base/child_start.h"
#include "harness/base/environment.h"
#include "harness/base/process_title.h"

namespace tailmark {
namespace {

/// The same file by a number of at least `least`, which exec closes.
int MoveUp(int fd, int least) {
  const int moved = fcntl(fd, F_DUPFD_CLOEXEC, least);
  close(fd);
  return moved;
}

/// Puts the request's descriptors where its launcher has them.
bool ArrangeDescriptors(ForkRequest& request) {
  const std::vector<int>& wanted = request.start.keep_open;
  int least = STDERR_FILENO + 1;
  for (const int number : wanted) least = std::max(least, number + 1);
  request.answer = MoveUp(request.answer, least);
  request.start.output = MoveUp(request.start.output, least);
  for (int& fd : request.kept) fd = MoveUp(fd, least);
  bool good = request.answer >= 0 &&
              dup2(request.start.output, STDOUT_FILENO) >= 0 &&
              dup2(request.start.output, STDERR_FILENO) >= 0;
  close(request.start.output);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    // Without a lock or a lease it must not begin.
    good = dup2(request.kept[i], wanted[i]) >= 0 && good;
    close(request.kept[i]);
  }
  return good;
}

/// Another one would be missing in a fork, with what it held.
bool HasOneThread() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return std::distance(begin(tasks), end(tasks)) == 1;
}

void CloseAll(const ForkRequest& request) {
  close(request.answer);
  close(request.start.output);
  for (const int fd : request.kept) close(fd);
}

/// In the fork's fork, whose parent is about to end.
bool BecomeWorkerOf(ForkRequest& request, pid_t between) {
  while (getppid() == between) usleep(20);
  if (!ChildPlace(request.start).Enter(request.launcher)) return false;
  if (!ArrangeDescriptors(request)) return false;
  for (const auto& [name, value] : request.start.environment) {
    SetEnv(name, value);
  }
  const pid_t self = getpid();
  const bool said = write(request.answer, &self, sizeof self) == sizeof self;
  close(request.answer);
  return said;
}

}  // namespace

int ServeForks(
    int socket, int argc, char** argv,
    const std::function<int(const std::vector<std::string>&)>& work) {
  if (!HasOneThread()) return 0;
  fcntl(socket, F_SETFD, FD_CLOEXEC);
  const char hello = '\n';
  if (send(socket, &hello, sizeof hello, MSG_NOSIGNAL) < 0) return 0;
  while (auto request = ReceiveForkRequest(socket)) {
    const pid_t between = fork();
    if (between == 0) {
      // Two forks, and the one between ends: the second is an orphan then,
      // which the launcher adopts.
      const pid_t self = getpid();
      if (const pid_t worker = fork(); worker != 0) _exit(worker < 0 ? 1 : 0);
      close(socket);
      if (!BecomeWorkerOf(*request, self)) _exit(1);
      std::vector<std::string> words = {argv[0]};
      words.insert(words.end(), request->start.arguments.begin(),
                   request->start.arguments.end());
      SetProcessTitle(argc, argv, words);
      return work(words);
    }
    CloseAll(*request);
    while (between > 0 && waitpid(between, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  return 0;
}

}  // namespace tailmark
