#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/record/bundle.h"
#include "results/store.h"

namespace tailmark {

/// Reading the store. All numbers are unrounded; metric values in percent. All
/// orders are fixed by what is stored (names, seeds, keys), never by row ids or
/// time of arrival. Every function throws StoreError when the database cannot
/// be read.

struct RunRow {
  std::int64_t id = 0;  ///< In this store only.
  std::string key;
  std::string recipe;
  int attempt = 1;
  std::string method;
  int method_version = 1;
  std::string method_kind;
  std::string pipeline_brand;  ///< "harness" or "foreign".
  std::string dataset;
  int dataset_version = 1;
  std::int64_t dataset_id = 0;
  std::uint64_t seed = 0;
  RunState state = RunState::kDone;
  std::string reason;
  std::optional<int> exit_code;
  std::optional<int> signal;
  std::string selection;
  std::int64_t test_evaluations = 0;
  std::int64_t trained_parameters = 0;
  std::string created_utc;
  std::string started_utc;
  std::string finished_utc;
  std::string host;
  std::string command;
  std::string build;  ///< BuildInfo::digest.
  std::string git_sha;
  bool dirty = false;
  std::string environment_fingerprint;
  std::vector<std::string> tags;  ///< "partial", ...; sorted.
  double wall_s = 0;              ///< Sum over phases.
};

/// Empty members do not filter.
struct RunFilter {
  std::string key;     ///< Prefix.
  std::string recipe;  ///< Prefix.
  std::string method;
  std::string dataset;
  std::optional<std::uint64_t> seed;
  std::optional<RunState> state;
  std::string tag;
  /// Of several attempts of a key only the finished one, else the last.
  bool best_attempt = true;
};
/// By dataset, method, recipe, seed, key, attempt.
std::vector<RunRow> Runs(const Store& store, const RunFilter& filter = {});
/// The one run whose key begins with `prefix` (best attempt). Throws
/// ConfigError when there is none or more than one, listing some.
RunRow FindRun(const Store& store, std::string_view prefix);

/// The finished run of a key, for `--reuse same-build`.
std::optional<RunRow> DoneRun(const Store& store, std::string_view key);
/// A finished run of (recipe, seed) under any build, the newest, for
/// `--reuse same-recipe`.
std::optional<RunRow> DoneRun(const Store& store, std::string_view recipe,
                              std::uint64_t seed);

/// A stored score matrix.
struct ScoreRow {
  std::int64_t id = 0;
  /// "test", "test.epoch-3", "test.episode-12", "test.epoch-3.episode-12".
  std::string name;
  std::string split;  ///< "test".
  std::string list_sha256;
  std::filesystem::path path;  ///< The blob.
  std::string sha256;
  std::string dtype;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::string scale;
};
std::vector<ScoreRow> Scores(const Store& store, std::int64_t run_id);

struct MetricRow {
  std::string scores;                  ///< ScoreRow::name.
  std::string definition;              ///< Full id.
  std::string group;                   ///< "total", "head", ...
  std::optional<double> value;         ///< Percent; nothing: undefined.
  std::int64_t classes = 0;            ///< Of the group, with a value.
  std::int64_t undefined_classes = 0;  ///< Without: no positive image.
};
/// In the order definitions were first stored; total first, then groups. Of a
/// run over episodes, "test" is the mean over them, and so are "test.epoch-3"
/// and "test.best_on_test", each episode with the epoch picked for it.
std::vector<MetricRow> Metrics(const Store& store, std::int64_t run_id);
/// The values of the episodes among `rows`, in order; of a run without episodes
/// none. `scores`: "test", or "test.best_on_test".
std::vector<double> EpisodeValues(const std::vector<MetricRow>& rows,
                                  std::string_view definition,
                                  std::string_view group = "total",
                                  std::string_view scores = "test");
/// definition -> group -> percent, of the score matrix `scores`.
using MetricMap =
    std::map<std::string, std::map<std::string, std::optional<double>>>;
MetricMap MetricsOf(const Store& store, std::int64_t run_id,
                    std::string_view scores = "test");

struct ClassMetricRow {
  std::int64_t index = 0;
  std::string name;
  std::string group;
  std::int64_t train_positives = 0;
  std::optional<double> value;  ///< Percent.
  std::int64_t positives = 0;  ///< Among the scored rows, under the definition.
  std::int64_t negatives = 0;
  std::int64_t ignored = 0;
};
/// Class by class, by index.
std::vector<ClassMetricRow> ClassMetrics(const Store& store,
                                         std::int64_t run_id,
                                         std::string_view definition,
                                         std::string_view scores = "test");

/// What is odd about a matrix: ties, saturation, the span of rank AP over tie
/// order. Names: results/README.md. `index` -1: of the whole matrix.
struct DiagnosticRow {
  std::string scores;
  std::string name;
  std::int64_t index = -1;
  std::optional<double> value;
};
std::vector<DiagnosticRow> Diagnostics(const Store& store, std::int64_t run_id);

struct EventRow {
  std::string level;  ///< "warning", "error".
  std::string what;
};
/// Broken invariants, other scores of the same key.
std::vector<EventRow> Events(const Store& store, std::int64_t run_id);

std::vector<PhaseTime> Timings(const Store& store, std::int64_t run_id);
std::vector<CurvePoint> Curves(const Store& store, std::int64_t run_id);

/// Where the numbers of a run come from, for provenance pages.
struct Provenance {
  RunIdentity identity;
  BuildInfo build;
  Json environment;
  std::map<std::string, std::uint64_t> seeds;
  OptionMap resolved_options;
  std::map<std::string, std::string> weights;  ///< Role -> SHA-256.
};
Provenance ProvenanceOf(const Store& store, std::int64_t run_id);

struct ClassRow {
  std::string name;
  std::int64_t train_positives = 0;
  std::string group;
};
std::vector<ClassRow> Classes(const Store& store, std::int64_t dataset_id);

struct DatasetRow {
  std::int64_t id = 0;
  std::string name;
  int version = 1;
  std::string manifest_sha256;
  std::string label_policy;
  std::map<std::string, std::int64_t> images;  ///< Split -> rows; whole splits.
};
std::vector<DatasetRow> Datasets(const Store& store);

/// What a run of this kind took, for plans: the median wall time of finished
/// runs of the same recipe, else of the same method and data set, else of the
/// method. Nothing when none is stored.
struct Estimate {
  double wall_s = 0;
  std::int64_t peak_rss = 0;  ///< Largest of them, bytes.
  std::int64_t runs = 0;
  double images = 0;  ///< Of their splits together, median.
  std::string basis;  ///< "recipe", "method and dataset", "method".
};
std::optional<Estimate> EstimateRun(const Store& store, std::string_view recipe,
                                    std::string_view method,
                                    std::string_view dataset);

}  // namespace tailmark
