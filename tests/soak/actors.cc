#include "tests/soak/actors.h"

#include <sys/wait.h>

#include <algorithm>
#include <cctype>
#include <csignal>
#include <fstream>
#include <sstream>

#include "harness/base/error.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

std::string TextOf(const fs::path& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// "Name" or "PPid" of a process; "" when it is gone.
std::string StatusOf(pid_t pid, const std::string& member) {
  std::istringstream in(TextOf(StrCat("/proc/", pid, "/status")));
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(member + ":\t")) return line.substr(member.size() + 2);
  }
  return "";
}

}  // namespace

Actors::~Actors() { End(); }

void Actors::Add(const std::string& kind, std::vector<std::string> words) {
  actors_.push_back({.kind = kind, .words = std::move(words)});
}

void Actors::Revive() {
  for (Actor& actor : actors_) {
    int status = 0;
    if (actor.pid > 0 && waitpid(actor.pid, &status, WNOHANG) == actor.pid) {
      actor.pid = -1;
    }
    if (actor.pid < 0) actor.pid = program_.Start(actor.words);
  }
}

void Actors::End() {
  for (Actor& actor : actors_) {
    if (actor.pid < 0) continue;
    kill(actor.pid, SIGKILL);
    kill(actor.pid, SIGCONT);
    waitpid(actor.pid, nullptr, 0);
    actor.pid = -1;
  }
}

pid_t Actors::Victim(unsigned chance, std::string& kind) const {
  std::vector<std::pair<pid_t, std::string>> alive;
  for (const Actor& actor : actors_) {
    if (actor.pid < 0) continue;
    alive.emplace_back(actor.pid, actor.kind);
    for (const pid_t child : Program::Workers(actor.pid)) {
      alive.emplace_back(child, "worker");
    }
    for (const pid_t child : Program::Servers(actor.pid)) {
      alive.emplace_back(child, "server");
    }
  }
  if (alive.empty()) return -1;
  const auto& [pid, name] = alive[chance % alive.size()];
  kind = name;
  return pid;
}

std::vector<pid_t> ProcessesOf(const fs::path& folder) {
  std::vector<pid_t> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (std::isdigit(static_cast<unsigned char>(name[0])) == 0) continue;
    const pid_t pid = std::stoi(name);
    const std::string words = TextOf(entry.path() / "cmdline");
    if (words.find(folder.string()) == words.npos) continue;
    found.push_back(pid);
    const std::string parent = StatusOf(pid, "PPid");
    if (parent.empty()) continue;
    const pid_t above = std::stoi(parent);
    if (StatusOf(above, "Name") == "slurmstepd") found.push_back(above);
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

}  // namespace tailmark
