#include "tests/e2e/program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "tests/record/kept.h"

namespace tailmark {
namespace {

/// Its first argument, "" when it is gone.
std::string TaskOf(pid_t pid) {
  std::ifstream in(StrCat("/proc/", pid, "/cmdline"));
  std::string words((std::istreambuf_iterator<char>(in)), {});
  // A fork shows its own with blanks.
  std::replace(words.begin(), words.end(), '\0', ' ');
  std::istringstream split(words);
  std::string program, task;
  split >> program >> task;
  return task;
}

std::vector<pid_t> ChildrenAt(pid_t pid, bool serve) {
  std::vector<pid_t> children = Program::Children(pid);
  std::erase_if(children, [&](pid_t child) {
    const std::string task = TaskOf(child);
    return task.empty() || (task == "serve") != serve;
  });
  return children;
}

}  // namespace

Json Said::json() const {
  const Json parsed = Json::parse(out, nullptr, /*allow_exceptions=*/false);
  EXPECT_FALSE(parsed.is_discarded()) << out << err;
  return parsed;
}

Program::Program(std::filesystem::path folder) : folder_(std::move(folder)) {
  MakeFolders(folder_);
}

void Program::ShareFeatures() {
  const std::filesystem::path cache = KeptFeatures(TM_BIN_DIR);
  if (!cache.empty()) environment["TAILMARK_CACHE"] = cache.string();
}

pid_t Program::Launch(const std::vector<std::string>& arguments,
                      const std::string& out, const std::string& err) const {
  std::vector<std::string> words = {TM_BIN_DIR "/tailmark"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t pid = fork();
  if (pid != 0) return pid;
  // Where the tests run must not matter.
  for (const char* name :
       {"CI", "TAILMARK_STORE", "TAILMARK_CACHE", "TAILMARK_WORKER",
        "TAILMARK_REFERENCE_DATA", "COLUMNS"}) {
    unsetenv(name);
  }
  setenv("TAILMARK_STORE", store().c_str(), 1);
  for (const auto& [name, value] : environment) {
    setenv(name.c_str(), value.c_str(), 1);
  }
  if (largest_file > 0) {
    const auto bytes = static_cast<rlim_t>(largest_file);
    const rlimit limit{.rlim_cur = bytes, .rlim_max = bytes};
    setrlimit(RLIMIT_FSIZE, &limit);
    signal(SIGXFSZ, SIG_IGN);
  }
  const int flags = O_WRONLY | O_CREAT | O_TRUNC;
  dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
  dup2(open(out.c_str(), flags, 0644), STDOUT_FILENO);
  dup2(open(err.c_str(), flags, 0644), STDERR_FILENO);
  if (chdir(folder_.c_str()) == 0) execv(argv[0], argv.data());
  std::_Exit(127);
}

Said Program::operator()(const std::vector<std::string>& arguments) const {
  static std::atomic<int> next{0};
  const std::string name = (folder_ / StrCat("said-", next++)).string();
  Said said;
  said.code = Wait(Launch(arguments, name + ".out", name + ".err"));
  said.out = ReadFile(name + ".out");
  said.err = ReadFile(name + ".err");
  return said;
}

pid_t Program::Start(const std::vector<std::string>& arguments) const {
  return Launch(arguments, folder_ / "started.out", folder_ / "started.err");
}

int Program::Wait(pid_t pid) {
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

std::vector<pid_t> Program::Children(pid_t pid) {
  std::ifstream in(StrCat("/proc/", pid, "/task/", pid, "/children"));
  std::vector<pid_t> children;
  for (pid_t child = 0; in >> child;) children.push_back(child);
  return children;
}

std::vector<pid_t> Program::Workers(pid_t pid) {
  return ChildrenAt(pid, false);
}
std::vector<pid_t> Program::Servers(pid_t pid) { return ChildrenAt(pid, true); }

}  // namespace tailmark
