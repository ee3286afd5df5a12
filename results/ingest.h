#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/record/bundle.h"
#include "results/store.h"

namespace tailmark {

struct ClassFacts {
  std::string name;
  std::int64_t train_positives = 0;  ///< In the training split as published.
  std::string group;  ///< "head", "medium", "tail", "base", "novel".
};

/// One split as the run used it (after `limit`). Labels only where scores may
/// come for it; empty for a training split.
struct SplitFacts {
  std::string name;  ///< "train", "test".
  std::string role;  ///< "train", "validation", "test", "support", "query".
  int episode = -1;  ///< -1: the split is no episode.
  std::int64_t rows = 0;
  std::string list_sha256;             ///< ListHash of datasets/dataset.h.
  std::vector<std::uint8_t> positive;  ///< [rows, classes], 0 or 1.
  std::vector<std::uint8_t> known;     ///< [rows, classes]; empty: all known.
};

/// What the caller knows of the data a run was measured on. Name, version,
/// manifest and policy come from the run's own identity. One value serves all
/// runs of a data set.
struct DatasetFacts {
  std::vector<ClassFacts> classes;
  std::vector<SplitFacts> splits;
};

struct IngestOptions {
  /// "builtin", "cxx_plugin", "c_plugin", "torchscript", "aoti", "process",
  /// "scores".
  std::string method_kind = "builtin";
  /// "harness", or "foreign" for a method that decodes images by itself.
  std::string pipeline_brand = "harness";
  /// Which mAP picks the epoch of a run of selection `best_on_test`; parts left
  /// out are the data set's own.
  std::string definition = "ap.step";
};

enum class IngestOutcome : std::uint8_t {
  kStored,         ///< A new row.
  kAlreadyStored,  ///< This very record was there; nothing changed.
  kDoneBefore,     ///< Another finished run of the key was there and stays.
};

struct IngestResult {
  IngestOutcome outcome = IngestOutcome::kStored;
  std::int64_t run_id = 0;  ///< The row, new or old.
  int attempt = 1;
  /// As stored: a bundle that says done but holds NaN is stored as failed.
  RunState state = RunState::kDone;
  std::string reason;
  /// What people should hear of: another run of the same key gave other scores,
  /// a metric broke an invariant.
  std::vector<std::string> warnings;
};

/// Checks a sealed bundle byte by byte, copies its score matrices into the
/// store's blobs (a hard link where that works), scores them against the
/// labels under the default definitions, and stores everything in one
/// transaction: after a crash the run is in the store or it is not. The folder
/// may lie anywhere; it is not moved. Any state may be in it; scores are only
/// taken of runs that are done. A task without scores is a row of `run` without
/// numbers.
///
/// Throws DataError for a bundle that is not what its DONE says (names the
/// file), or whose rows, classes or list hashes are not those of `facts`;
/// StoreError when the store cannot be written. Both leave the store unchanged.
IngestResult IngestBundle(Store& store, const std::filesystem::path& bundle,
                          const DatasetFacts& facts,
                          const IngestOptions& options = {});

/// A run that left no sealed bundle: its process died, ran out of time or
/// memory, was skipped or is not applicable. A row with its reason, and the
/// next attempt number of its key. `facts` may be empty: then nothing is known
/// of classes and splits. Throws ConfigError when the state is planned, running
/// or done, or the reason is empty.
IngestResult IngestUnfinished(Store& store, const RunRecord& record,
                              const DatasetFacts& facts = {},
                              const IngestOptions& options = {});

/// One more look at the test labels of this key's finished run: what
/// `tailmark eval` and `compare` do. Reports show the count. No effect when the
/// key is not there.
void CountTestEvaluation(Store& store, const std::string& key);

}  // namespace tailmark
