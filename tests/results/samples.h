#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/record/bundle.h"
#include "results/ingest.h"

namespace tailmark {

/// A made-up data set: `classes` classes (thirds head, medium, tail; at least
/// three), `rows` test rows, every class with a positive row.
DatasetFacts SampleFacts(std::int64_t rows = 8, std::int64_t classes = 3);

/// A run on SampleFacts().
struct SampleRun {
  std::string method = "probe";
  std::uint64_t seed = 0;
  std::string build = "build-1";
  RunState state = RunState::kDone;
  std::string reason;
  std::string started_utc = "2026-01-31T12:00:01Z";
  double fit_s = 2;
  std::vector<std::string> scores = {"test"};
  int salt = 0;  ///< Other scores under the same key.
  std::int64_t nan_at = -1;
};
RunSpec SpecOf(const SampleRun& run);
/// The record without scores.
RunRecord RecordOf(const SampleRun& run);
/// Writes and seals a bundle; what was recorded.
RunRecord WriteBundle(const std::filesystem::path& folder, const SampleRun& run,
                      const DatasetFacts& facts);

/// Runs `child` in another process. Its answer is the exit code; an exception
/// is 99 and goes to stderr.
int InChild(int (*child)(const std::filesystem::path&),
            const std::filesystem::path& folder);
/// Starts it and does not wait.
int StartChild(int (*child)(const std::filesystem::path&),
               const std::filesystem::path& folder);
/// Waits; the exit code, or minus the signal that ended it.
int WaitForChild(int pid);

}  // namespace tailmark
