#include "results/query.h"

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>

#include "harness/base/error.h"
#include "harness/base/options_json.h"
#include "results/sql.h"

namespace tailmark {
namespace {

// Groups in the order people read them.
constexpr std::string_view kGroupOrder =
    "CASE x.grp WHEN 'total' THEN 0 WHEN 'head' THEN 1 WHEN 'medium' THEN 2 "
    "WHEN 'tail' THEN 3 WHEN 'base' THEN 4 WHEN 'novel' THEN 5 ELSE 6 END, "
    "x.grp";

// "test.epoch-9" before "test.epoch-10": shorter names first.
constexpr std::string_view kScoreOrder = "length(s.name), s.name";

/// The middle of `values`, or the mean of the two in the middle.
double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half]
                                : (values[half - 1] + values[half]) / 2;
}

/// Reads the durations that `find` is bound to.
std::optional<Estimate> EstimateFrom(Statement& find, std::string basis) {
  std::vector<double> seconds;
  std::vector<double> images;
  Estimate estimate;
  while (find.Step()) {
    seconds.push_back(find.Real(0));
    images.push_back(find.Real(2));
    estimate.peak_rss = std::max(estimate.peak_rss, find.Int(1));
  }
  if (seconds.empty()) return std::nullopt;
  estimate.runs = static_cast<std::int64_t>(seconds.size());
  estimate.wall_s = Median(std::move(seconds));
  estimate.images = Median(std::move(images));
  estimate.basis = std::move(basis);
  return estimate;
}

}  // namespace

std::vector<ScoreRow> Scores(const Store& store, std::int64_t run_id) {
  Statement find = store.sql().Prepare(
      StrCat("SELECT s.id, s.name, p.name, p.list_sha256, s.sha256, s.dtype, "
             "s.rows, s.cols, s.scale FROM score s JOIN split p ON p.id = "
             "s.split_id WHERE s.run_id = ? ORDER BY ",
             kScoreOrder));
  find.Bind(run_id);
  std::vector<ScoreRow> rows;
  while (find.Step()) {
    rows.push_back({.id = find.Int(0),
                    .name = find.Text(1),
                    .split = find.Text(2),
                    .list_sha256 = find.Text(3),
                    .path = store.Blob(find.Text(4)),
                    .sha256 = find.Text(4),
                    .dtype = find.Text(5),
                    .rows = find.Int(6),
                    .cols = find.Int(7),
                    .scale = find.Text(8)});
  }
  return rows;
}

namespace {

/// "test.episode-12" -> "test", "test.epoch-3.episode-12" -> "test.epoch-3": of
/// which matrix of a run over episodes it is a part; "" for a whole one.
std::string_view WholeOf(std::string_view scores) {
  const auto at = scores.find(".episode-");
  return at == scores.npos ? std::string_view() : scores.substr(0, at);
}

/// A run over episodes has no matrix "test" (nor "test.best_on_test" or
/// "test.epoch-3"): its figures are the means over them.
void AddEpisodeMeans(std::vector<MetricRow>& rows) {
  struct Mean {
    MetricRow row;
    double sum = 0;
    int count = 0;
  };
  std::vector<Mean> means;
  std::map<std::tuple<std::string, std::string, std::string>, std::size_t>
      place;
  for (const MetricRow& row : rows) {
    const std::string whole(WholeOf(row.scores));
    if (whole.empty()) continue;
    const auto [at, first] = place.try_emplace(
        std::tuple(whole, row.definition, row.group), means.size());
    if (first) {
      means.push_back({.row = row});
      means.back().row.scores = whole;
    }
    Mean& mean = means[at->second];
    if (!row.value) continue;
    mean.sum += *row.value;
    ++mean.count;
  }
  std::vector<MetricRow> out;
  for (Mean& mean : means) {
    mean.row.value = std::nullopt;
    if (mean.count > 0) mean.row.value = mean.sum / mean.count;
    out.push_back(std::move(mean.row));
  }
  rows.insert(rows.begin(), out.begin(), out.end());
}

}  // namespace

std::vector<MetricRow> Metrics(const Store& store, std::int64_t run_id) {
  Statement find = store.sql().Prepare(StrCat(
      "SELECT s.name, f.name, x.grp, x.value, x.classes, x.undefined_classes "
      "FROM score s JOIN metric x ON x.score_id = s.id JOIN metric_definition "
      "f ON f.id = x.definition_id WHERE s.run_id = ? ORDER BY ",
      kScoreOrder, ", f.id, ", kGroupOrder));
  find.Bind(run_id);
  std::vector<MetricRow> rows;
  while (find.Step()) {
    rows.push_back({.scores = find.Text(0),
                    .definition = find.Text(1),
                    .group = find.Text(2),
                    .value = find.MaybeReal(3),
                    .classes = find.Int(4),
                    .undefined_classes = find.Int(5)});
  }
  AddEpisodeMeans(rows);
  return rows;
}

std::vector<double> EpisodeValues(const std::vector<MetricRow>& rows,
                                  std::string_view definition,
                                  std::string_view group,
                                  std::string_view scores) {
  std::vector<double> values;
  for (const MetricRow& row : rows) {
    if (WholeOf(row.scores) == scores && row.definition == definition &&
        row.group == group && row.value) {
      values.push_back(*row.value);
    }
  }
  return values;
}

MetricMap MetricsOf(const Store& store, std::int64_t run_id,
                    std::string_view scores) {
  MetricMap map;
  for (const MetricRow& row : Metrics(store, run_id)) {
    if (row.scores == scores) map[row.definition][row.group] = row.value;
  }
  return map;
}

namespace {

/// AP of a class as its mean over episodes; the counts are of one of them: all
/// have the same query images.
std::vector<ClassMetricRow> MeansOverEpisodes(const Store& store,
                                              std::int64_t run_id,
                                              std::string_view definition,
                                              std::string_view scores) {
  std::vector<ClassMetricRow> means;
  std::vector<std::int64_t> counted;
  for (const ScoreRow& score : Scores(store, run_id)) {
    if (WholeOf(score.name) != scores) continue;
    const auto rows = ClassMetrics(store, run_id, definition, score.name);
    if (means.empty()) {
      means = rows;
      for (ClassMetricRow& mean : means) mean.value = std::nullopt;
      counted.assign(rows.size(), 0);
    }
    for (std::size_t i = 0; i < rows.size() && i < means.size(); ++i) {
      if (!rows[i].value) continue;
      means[i].value = means[i].value.value_or(0) + *rows[i].value;
      ++counted[i];
    }
  }
  for (std::size_t i = 0; i < means.size(); ++i) {
    if (counted[i] > 0) *means[i].value /= static_cast<double>(counted[i]);
  }
  return means;
}

}  // namespace

std::vector<ClassMetricRow> ClassMetrics(const Store& store,
                                         std::int64_t run_id,
                                         std::string_view definition,
                                         std::string_view scores) {
  Statement find = store.sql().Prepare(
      "SELECT x.idx, c.name, c.grp, c.train_pos, x.value, x.positives, "
      "x.negatives, x.ignored FROM score s JOIN run r ON r.id = s.run_id JOIN "
      "class_metric x ON x.score_id = s.id JOIN metric_definition f ON f.id = "
      "x.definition_id JOIN class c ON c.dataset_id = r.dataset_id AND c.idx = "
      "x.idx WHERE s.run_id = ? AND f.name = ? AND s.name = ? ORDER BY x.idx");
  find.Bind(run_id, definition, scores);
  std::vector<ClassMetricRow> rows;
  while (find.Step()) {
    rows.push_back({.index = find.Int(0),
                    .name = find.Text(1),
                    .group = find.Text(2),
                    .train_positives = find.Int(3),
                    .value = find.MaybeReal(4),
                    .positives = find.Int(5),
                    .negatives = find.Int(6),
                    .ignored = find.Int(7)});
  }
  if (rows.empty() && WholeOf(scores).empty()) {
    return MeansOverEpisodes(store, run_id, definition, scores);
  }
  return rows;
}

std::vector<DiagnosticRow> Diagnostics(const Store& store,
                                       std::int64_t run_id) {
  Statement find = store.sql().Prepare(
      StrCat("SELECT s.name, x.name, x.idx, x.value FROM score s JOIN "
             "diagnostic x ON x.score_id = s.id WHERE s.run_id = ? ORDER BY ",
             kScoreOrder, ", x.name, x.idx"));
  find.Bind(run_id);
  std::vector<DiagnosticRow> rows;
  while (find.Step()) {
    rows.push_back({.scores = find.Text(0),
                    .name = find.Text(1),
                    .index = find.Int(2),
                    .value = find.MaybeReal(3)});
  }
  return rows;
}

std::vector<EventRow> Events(const Store& store, std::int64_t run_id) {
  Statement find = store.sql().Prepare(
      "SELECT level, what FROM run_event WHERE run_id = ? ORDER BY level, "
      "what");
  find.Bind(run_id);
  std::vector<EventRow> rows;
  while (find.Step()) {
    rows.push_back({.level = find.Text(0), .what = find.Text(1)});
  }
  return rows;
}

std::vector<PhaseTime> Timings(const Store& store, std::int64_t run_id) {
  Statement find = store.sql().Prepare(
      "SELECT phase, wall_s, cpu_s, peak_rss, items FROM timing WHERE run_id = "
      "? ORDER BY position");
  find.Bind(run_id);
  std::vector<PhaseTime> rows;
  while (find.Step()) {
    rows.push_back({.phase = find.Text(0),
                    .wall_s = find.Real(1),
                    .cpu_s = find.Real(2),
                    .peak_rss = find.Int(3),
                    .items = find.Int(4)});
  }
  return rows;
}

std::vector<CurvePoint> Curves(const Store& store, std::int64_t run_id) {
  Statement find = store.sql().Prepare(
      "SELECT name, step, value FROM curve WHERE run_id = ? ORDER BY name, "
      "step");
  find.Bind(run_id);
  std::vector<CurvePoint> rows;
  while (find.Step()) {
    // SQLite keeps no NaN: it became NULL.
    rows.push_back({.name = find.Text(0),
                    .step = find.Int(1),
                    .value = find.MaybeReal(2).value_or(
                        std::numeric_limits<double>::quiet_NaN())});
  }
  return rows;
}

Provenance ProvenanceOf(const Store& store, std::int64_t run_id) {
  Statement find = store.sql().Prepare(
      "SELECT p.json, c.json, e.json, r.seeds, r.options FROM run r JOIN "
      "recipe "
      "p ON p.id = r.recipe JOIN code c ON c.id = r.code_id LEFT JOIN "
      "environment e ON e.id = r.environment_id WHERE r.id = ?");
  find.Bind(run_id);
  if (!find.Step()) throw StoreError(StrCat("the store has no run ", run_id));
  const auto parse = [&](int column, std::string_view name) {
    return ParseJson(find.Text(column), name);
  };
  Provenance out;
  out.identity = RunIdentityFromJson(parse(0, "recipe"));
  out.build = BuildInfoFromJson(parse(1, "code"));
  out.environment = find.IsNull(2) ? Json::object() : parse(2, "environment");
  out.seeds = parse(3, "seeds").get<std::map<std::string, std::uint64_t>>();
  out.resolved_options = OptionsFromJson(parse(4, "options"));
  Statement weights = store.sql().Prepare(
      "SELECT role, sha256 FROM run_weights WHERE run_id = ?");
  weights.Bind(run_id);
  while (weights.Step()) out.weights[weights.Text(0)] = weights.Text(1);
  return out;
}

std::vector<ClassRow> Classes(const Store& store, std::int64_t dataset_id) {
  Statement find = store.sql().Prepare(
      "SELECT name, train_pos, grp FROM class WHERE dataset_id = ? ORDER BY "
      "idx");
  find.Bind(dataset_id);
  std::vector<ClassRow> rows;
  while (find.Step()) {
    rows.push_back({.name = find.Text(0),
                    .train_positives = find.Int(1),
                    .group = find.Text(2)});
  }
  return rows;
}

std::vector<DatasetRow> Datasets(const Store& store) {
  Statement find = store.sql().Prepare(
      "SELECT id, name, version, manifest_sha256, label_policy FROM dataset "
      "ORDER BY name, version, manifest_sha256, label_policy, classes_sha256");
  Statement splits = store.sql().Prepare(
      "SELECT name, max(images) FROM split WHERE dataset_id = ? AND episode = "
      "-1 GROUP BY name");
  std::vector<DatasetRow> rows;
  while (find.Step()) {
    DatasetRow row{.id = find.Int(0),
                   .name = find.Text(1),
                   .version = static_cast<int>(find.Int(2)),
                   .manifest_sha256 = find.Text(3),
                   .label_policy = find.Text(4),
                   .images = {}};
    splits.Bind(row.id);
    while (splits.Step()) row.images[splits.Text(0)] = splits.Int(1);
    rows.push_back(std::move(row));
  }
  return rows;
}

std::optional<Estimate> EstimateRun(const Store& store, std::string_view recipe,
                                    std::string_view method,
                                    std::string_view dataset) {
  const auto durations = [&](std::string_view where) {
    return store.sql().Prepare(StrCat(
        "SELECT sum(t.wall_s), max(t.peak_rss), (SELECT "
        "coalesce(sum(s.images), 0) FROM run_split x JOIN split s ON "
        "s.id = x.split_id WHERE x.run_id = r.id) FROM run r JOIN method "
        "m ON m.id = r.method_id JOIN dataset d ON d.id = r.dataset_id "
        "JOIN timing t ON t.run_id = r.id WHERE r.state = 'done' AND ",
        where, " GROUP BY r.id"));
  };
  Statement same = durations("r.recipe = ?");
  if (auto found = EstimateFrom(same.Bind(recipe), "recipe")) return found;
  Statement near = durations("m.name = ? AND d.name = ?");
  if (auto found =
          EstimateFrom(near.Bind(method, dataset), "method and dataset")) {
    return found;
  }
  Statement far = durations("m.name = ?");
  return EstimateFrom(far.Bind(method), "method");
}

}  // namespace tailmark
