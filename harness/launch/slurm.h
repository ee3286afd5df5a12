#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/launch/plan.h"

namespace tailmark {

/// What the scripts for a Slurm cluster depend on.
struct SlurmOptions {
  std::string name;                ///< Of the jobs: "tailmark-quickstart".
  std::filesystem::path folder;    ///< Of plan.json, the scripts and log/.
  std::filesystem::path program;   ///< tailmark
  std::filesystem::path store;     ///< Bundles go to its bundles/.
  std::string partition;           ///< "": the cluster's default.
  std::int64_t max_parallel = 16;  ///< Elements of one array at a time.
  std::int64_t max_array_size = 1001;
  double wall_s = 4 * 3600;  ///< Slurm ends an element then.
  double grace_s = 300;      ///< It stops itself so much earlier.
  std::int64_t gpus = 0;
  std::int64_t cpus = 1;
  std::string memory;                   ///< "8G"; "": the cluster's default.
  std::vector<std::string> site_lines;  ///< "#SBATCH --account=x", "module ..."
};

/// One job of a campaign.
struct SlurmScript {
  std::string name;  ///< Of its file, "array-0.sbatch".
  std::string text;
  /// Jobs of a stage start when all of earlier stages have ended, however.
  int stage = 0;
};

/// Arrays for what of the plan is kPlanned, and, as the last stage, a job that
/// takes all bundles into the store. What starts from other runs has a later
/// stage than they; tasks that are thought to take less than five minutes share
/// an array element. No array is larger than the cluster allows. Nothing when
/// nothing is to do. Throws ConfigError when the wall time leaves no time to
/// work.
std::vector<SlurmScript> SlurmScripts(const Plan& plan,
                                      const SlurmOptions& options);

/// "MaxArraySize = N" in what `scontrol show config` says, else Slurm's own
/// default, 1001.
std::int64_t MaxArraySizeIn(const std::string& config);

/// A word for sh.
std::string ShellWord(const std::string& word);

}  // namespace tailmark
