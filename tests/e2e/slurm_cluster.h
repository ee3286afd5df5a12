#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace tailmark {

/// A Slurm of one node on the loopback, with a key, a socket, ports and state
/// of its own below one folder. Ended with its object, jobs first.
class SlurmCluster {
 public:
  /// Nothing, with the reason in `why`, where Slurm is not installed or cannot
  /// be started. `folder` must be short: a socket lies in it.
  static std::unique_ptr<SlurmCluster> Start(
      const std::filesystem::path& folder, std::string& why);
  ~SlurmCluster();
  SlurmCluster(const SlurmCluster&) = delete;
  SlurmCluster& operator=(const SlurmCluster&) = delete;

  /// What a process needs to talk to it.
  std::map<std::string, std::string> environment() const;
  /// What a line of sh prints there, without the last line end.
  std::string Ask(const std::string& line) const;
  /// Slurm lets wait for two minutes what was queued again: not so here. The
  /// two that wait do this themselves.
  void Hurry() const;
  /// Starts the node's daemon again: it then tells the controller what it
  /// really runs, which by itself takes minutes.
  void RestartNode();
  /// The last of what its daemons logged.
  std::string Logs() const;
  /// Whether no job is left after at most so many seconds.
  bool WaitUntilEmpty(double seconds) const;
  /// Waits until a job of this name runs, at most so many seconds: its id, or
  /// "". With an array the id of the element, "12_0".
  std::string WaitUntilRunning(const std::string& name, double seconds) const;
  /// The slurmstepd of a running job's script; -1: it has none any more.
  pid_t StepDaemonOf(const std::string& job) const;

 private:
  explicit SlurmCluster(std::filesystem::path folder);
  void WriteConfiguration() const;
  /// Starts what ends all that this cluster began, whatever becomes of this
  /// program: a slurmstepd and what it runs are nobody's children.
  void StartGuard();
  pid_t Spawn(const std::vector<std::string>& words) const;
  bool WaitFor(const std::string& line, const std::string& answer,
               double seconds) const;

  std::filesystem::path folder_;
  std::vector<pid_t> daemons_;  ///< munged, slurmctld, slurmd.
  std::string slurmd_;          ///< The program.
  pid_t guard_ = -1;
  int alive_ = -1;  ///< The guard waits until this end of a pipe is closed.
};

}  // namespace tailmark
