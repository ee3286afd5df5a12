#include "harness/launch/process_tree.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace tailmark {
namespace fs = std::filesystem;
namespace {

std::vector<pid_t> ChildrenOf(pid_t pid) {
  std::vector<pid_t> children;
  std::error_code code;
  const fs::path tasks = "/proc/" + std::to_string(pid) + "/task";
  for (fs::directory_iterator it(tasks, code), end; !code && it != end;
       it.increment(code)) {
    std::ifstream in(it->path() / "children");
    for (pid_t child = 0; in >> child;) children.push_back(child);
  }
  return children;
}

void Add(pid_t pid, ProcessTree& tree) {
  const std::string folder = "/proc/" + std::to_string(pid) + "/";
  std::int64_t size = 0, resident = 0;
  if (std::ifstream(folder + "statm") >> size >> resident) {
    tree.resident += resident * sysconf(_SC_PAGESIZE);
  }
  std::string line;
  std::getline(std::ifstream(folder + "stat"), line);
  // What is in brackets may hold blanks and brackets.
  const std::size_t name = line.rfind(')');
  if (name != line.npos) {
    std::istringstream in(line.substr(name + 1));
    std::string skipped;
    for (int i = 0; i < 11; ++i) in >> skipped;
    double user = 0, system = 0, waited_user = 0, waited_system = 0;
    in >> user >> system >> waited_user >> waited_system;
    tree.cpu_s += (user + system + waited_user + waited_system) /
                  static_cast<double>(sysconf(_SC_CLK_TCK));
  }
  for (const pid_t child : ChildrenOf(pid)) Add(child, tree);
}

}  // namespace

ProcessTree LookAtTree(pid_t root) {
  ProcessTree tree;
  Add(root, tree);
  return tree;
}

void AdoptOrphans() { prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

std::set<pid_t> OwnChildren() {
  const std::vector<pid_t> found = ChildrenOf(getpid());
  return {found.begin(), found.end()};
}

void EndOrphans(const std::set<pid_t>& spared) {
  // Whoever forks faster than it is killed runs out of tries, not we of time.
  for (int tries = 0; tries < 200; ++tries) {
    bool found = false;
    for (const pid_t child : OwnChildren()) {
      if (spared.contains(child)) continue;
      found = true;
      kill(child, SIGKILL);
      waitpid(child, nullptr, WNOHANG);
    }
    if (!found) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

}  // namespace tailmark
