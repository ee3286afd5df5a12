#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/e2e/program.h"

namespace tailmark {

/// Processes on one store that are started again whenever they end, until told
/// to stop: what a cluster does to a campaign.
class Actors {
 public:
  /// `program` must outlive it.
  explicit Actors(const Program& program) : program_(program) {}
  /// Kills what still runs.
  ~Actors();
  Actors(const Actors&) = delete;
  Actors& operator=(const Actors&) = delete;

  /// `kind` is what figures call it: "parent", "merge".
  void Add(const std::string& kind, std::vector<std::string> words);
  /// Starts again what has ended.
  void Revive();
  /// SIGKILL, and whatever they started goes with them.
  void End();

  /// A process that runs now: one of these, or a child of one. `kind` becomes
  /// "worker" for a child. -1 when none runs.
  pid_t Victim(unsigned chance, std::string& kind) const;

 private:
  struct Actor {
    std::string kind;
    std::vector<std::string> words;
    pid_t pid = -1;
  };
  const Program& program_;
  std::vector<Actor> actors_;
};

/// Numbers of all processes whose command line or environment names `folder`,
/// and the parents of those when they are called slurmstepd.
std::vector<pid_t> ProcessesOf(const std::filesystem::path& folder);

}  // namespace tailmark
