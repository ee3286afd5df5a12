#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/json.h"
#include "harness/record/build_info.h"
#include "harness/record/run_spec.h"

namespace tailmark {

/// planned running done failed timeout oom killed lost skipped not_applicable.
/// Only `done` is skipped by default when a campaign is run again.
enum class RunState : std::uint8_t {
  kPlanned,
  kRunning,
  kDone,
  kFailed,
  kTimeout,
  kOom,
  kKilled,
  kLost,
  kSkipped,
  kNotApplicable
};
std::string_view NameOf(RunState state);
RunState RunStateFromName(std::string_view name);  ///< Throws DataError.

/// One score matrix of a bundle: rows as the split lists them, columns classes.
struct ScoreFile {
  std::string split;  ///< "test", "test.epoch-3", "test.episode-12".
  std::string path;   ///< Within the bundle, "scores/test.npy".
  std::string sha256;
  std::string dtype;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::string scale;  ///< "logit", "probability", "cosine".
};

struct PhaseTime {
  std::string phase;  ///< "open", "features", "fit", "predict", ...
  double wall_s = 0;
  double cpu_s = 0;
  std::int64_t peak_rss = 0;  ///< Bytes.
  std::int64_t items = 0;
};

/// One value of a curve: name, step (epoch), value.
struct CurvePoint {
  std::string name;
  std::int64_t step = 0;
  double value = 0;
};

/// What happened: run.json of a bundle, schema "tailmark-run-record/1".
struct RunRecord {
  RunSpec spec;
  RunState state = RunState::kPlanned;
  std::string reason;  ///< Why it is not done; "" when it is.
  std::optional<int> exit_code;
  std::optional<int> signal;
  std::string created_utc;
  std::string started_utc;
  std::string finished_utc;
  std::string host;
  Json environment = Json::object();  ///< As RunEnvironment() reads it back.
  std::string environment_fingerprint;
  BuildInfo build;                             ///< Of the worker that ran it.
  std::map<std::string, std::uint64_t> seeds;  ///< Every named stream.
  OptionMap resolved_options;
  std::int64_t trained_parameters = 0;
  std::vector<ScoreFile> scores;
  std::vector<PhaseTime> phases;
  std::vector<CurvePoint> curves;
  std::string command;
};

Json ToJson(const ScoreFile& file);
ScoreFile ScoreFileFromJson(const Json& json);  ///< Throws DataError.
Json ToJson(const RunRecord& record);
RunRecord RunRecordFromJson(const Json& json);  ///< Throws DataError.

/// A bundle is a folder: run.json, scores/<split>.npy, ids.txt,
/// state.safetensors if kept, events.jsonl, log.txt and, last, DONE. DONE lists
/// "sha256  path" of every other file but events.jsonl and log.txt; a folder
/// without a valid DONE is not a result. Format: harness/record/README.md.

/// Writes DONE for what lies in `folder`, and removes temporaries that a killed
/// process left there. Everything else must be complete.
void SealBundle(const std::filesystem::path& folder);
/// True when DONE exists and names files that all exist (hashes not checked).
bool IsSealed(const std::filesystem::path& folder);
/// The fitted state that the run `key` left below `bundles`, sealed (its hash
/// not checked); "" when there is none.
std::filesystem::path FindState(const std::filesystem::path& bundles,
                                const std::string& key);
/// The same, of a bundle that is as it was sealed, every hash, and of a
/// finished run of this key.
std::filesystem::path FindWholeState(const std::filesystem::path& bundles,
                                     const std::string& key);
/// Checks DONE and every hash, then reads run.json. Throws DataError naming the
/// first file that is missing, extra in DONE's list, or different.
RunRecord ReadBundle(const std::filesystem::path& folder);

}  // namespace tailmark
