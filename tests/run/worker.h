#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "harness/record/run_spec.h"

namespace tailmark::toys {

/// What a process does with a command line; null: the binary tailmark-worker.
using WorkerCode = int (*)(int argc, char** argv);

/// A tailmark-worker process. Killed when the object goes.
class WorkerProcess {
 public:
  /// `tailmark-worker arguments...`, stderr into the file `log`. With `code` a
  /// fork of this process runs that: it has LibTorch loaded, whose start takes
  /// longer than many a run here.
  WorkerProcess(const std::vector<std::string>& arguments,
                const std::filesystem::path& log, WorkerCode code = nullptr);
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  void Signal(int signal) const;
  bool Running();
  /// Waits. The exit code, or minus the signal that ended it.
  int Wait();

 private:
  pid_t pid_ = -1;
  int status_ = 0;
};

/// A folder for the bundles of one test; goes away with the object.
class WorkerBench {
 public:
  explicit WorkerBench(WorkerCode code = nullptr);
  ~WorkerBench();

  /// A spec of `method` with the preset `preset` ("": defaults) and `options`
  /// over it, on data set `embedded`.
  RunSpec Spec(const std::string& method, const std::string& preset,
               const OptionMap& options,
               const std::filesystem::path& weights) const;
  /// The arguments that execute `spec` into bundle `name`.
  std::vector<std::string> Arguments(const RunSpec& spec,
                                     const std::string& name) const;
  /// `tailmark-worker arguments...`, under way.
  WorkerProcess Start(const std::vector<std::string>& arguments) const {
    return {arguments, log_path(), code_};
  }
  /// Runs it to its end; what it said is in log().
  int Run(const RunSpec& spec, const std::string& name);
  /// By a fork of the binary, which stays loaded, whatever `code` is.
  int RunBinary(const RunSpec& spec, const std::string& name);
  std::string log() const;
  /// Executes what `spec` starts from, each once, into bundles named by their
  /// keys, and names them in it. False when one of them failed: see log().
  bool Prepare(RunSpec& spec);

  std::filesystem::path Bundle(const std::string& name) const {
    return folder_ / name;
  }
  std::filesystem::path log_path() const { return folder_ / "log.txt"; }
  const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
  WorkerCode code_;
};

/// A CLIP of nano-CLIP's shape, but of two vision layers, with random weights,
/// written into `folder`.
void WriteRandomNano(const std::filesystem::path& folder);

}  // namespace tailmark::toys
