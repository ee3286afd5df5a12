#pragma once

#include <c10/core/Device.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "datasets/dataset.h"
#include "harness/api/encoder.h"
#include "harness/api/registry.h"
#include "harness/record/build_info.h"
#include "harness/record/run_spec.h"

namespace tailmark {

/// What a run is made from: filled by the worker's main, or by a test with its
/// own methods.
struct Engine {
  const MethodRegistry& methods;
  const DatasetRegistry& datasets;
  /// Opens a weights folder. Throws DataError.
  std::function<std::unique_ptr<Encoder>(const std::filesystem::path&,
                                         c10::Device)>
      open_encoder;
  BuildInfo build;
  /// Hash of decoding and resizing a set of awkward pictures; "" when it cannot
  /// be taken.
  std::function<std::string()> pipeline_fingerprint = [] {
    return std::string();
  };
};

struct RunOptions {
  double checkpoint_every_s = 5.0;  ///< At the end of an epoch; 0: each.
  std::string command;              ///< For the record.
  /// Where `tailmark` answers how good test scores are; below 0: nowhere.
  int feedback_descriptor = -1;
};

/// Exit codes of `tailmark-worker run`.
inline constexpr int kExitDone = 0;
inline constexpr int kExitBadInput = 2;  ///< ConfigError, DataError.
inline constexpr int kExitFailed = 3;    ///< The method failed.
inline constexpr int kExitDisk = 6;      ///< StoreError.
inline constexpr int kExitStopped = 75;  ///< Come again: checkpoint written.
inline constexpr int kExitInterrupted = 128;  ///< Plus the signal.

/// Executes one run and leaves its bundle in `bundle`, sealed when done. A
/// bundle that is already done with the same key is left as it is; a checkpoint
/// of the same key is continued, to the same bits. Whatever goes wrong is
/// logged, recorded in run.json and returned as an exit code; nothing is
/// thrown. One run at a time in a process, and one process at a time in a
/// bundle.
int ExecuteRun(const RunSpec& spec, const std::filesystem::path& bundle,
               const Engine& engine, const RunOptions& options = {});

}  // namespace tailmark
