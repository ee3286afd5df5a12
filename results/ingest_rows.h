#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "results/ingest.h"
#include "results/measure.h"
#include "results/sql.h"

namespace tailmark {

/// The rows of one run, each function inside the caller's transaction. Rows
/// that several runs share are found or made.

struct RunIds {
  std::int64_t run = 0;
  std::vector<std::int64_t> splits;  ///< One for each of DatasetFacts::splits.
};

/// What a run is found by.
struct RunHashes {
  explicit RunHashes(const RunRecord& record)
      : key(RunKey(record.spec)), record_sha256(HashOf(ToJson(record))) {}
  std::string key;
  std::string record_sha256;
};

/// Everything of a run but its scores: run, recipe, method, data set, code,
/// environment, weights, tags, timings, curves. `hashes` are those of `record`;
/// `state` and `reason` as they are to be stored.
RunIds InsertRun(Sql& sql, const RunRecord& record, const RunHashes& hashes,
                 RunState state, const std::string& reason, int attempt,
                 const DatasetFacts& facts, const IngestOptions& options);

/// A score matrix and what was measured on it.
void InsertMeasured(Sql& sql, const RunIds& ids, const Measured& measured);

/// Adds to what the store noticed about a run; once, however often it is said.
void InsertEvent(Sql& sql, std::int64_t run_id, std::string_view level,
                 std::string_view what);

}  // namespace tailmark
