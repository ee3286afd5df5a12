#include "results/ingest_rows.h"

#include <map>
#include <set>
#include <string_view>

#include "harness/base/clock.h"
#include "harness/base/error.h"
#include "harness/base/options_json.h"
#include "harness/metrics/definition_json.h"

namespace tailmark {
namespace {

std::optional<std::string> OrNull(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return text;
}

/// The id of the row with these values in these columns (which a UNIQUE
/// names), made when it is not there. `made` tells which.
template <class... Values>
std::int64_t FindOrInsert(Sql& sql, std::string_view table,
                          const std::vector<std::string_view>& columns,
                          bool& made, const Values&... values) {
  std::string names;
  std::string marks;
  std::string where;
  for (const auto column : columns) {
    const bool first = names.empty();
    names += StrCat(first ? "" : ", ", column);
    marks += first ? "?" : ", ?";
    where += StrCat(first ? "" : " AND ", column, " = ?");
  }
  Statement find =
      sql.Prepare(StrCat("SELECT id FROM ", table, " WHERE ", where));
  find.Bind(values...);
  made = !find.Step();
  if (!made) return find.Int(0);
  sql.Prepare(
         StrCat("INSERT INTO ", table, "(", names, ") VALUES(", marks, ")"))
      .Run(values...);
  return sql.LastId();
}

template <class... Values>
std::int64_t FindOrInsert(Sql& sql, std::string_view table,
                          const std::vector<std::string_view>& columns,
                          const Values&... values) {
  bool made = false;
  return FindOrInsert(sql, table, columns, made, values...);
}

std::string HashOfClasses(const std::vector<ClassFacts>& classes) {
  if (classes.empty()) return "";
  Json json = Json::array();
  for (const ClassFacts& c : classes) {
    json.push_back({c.name, c.train_positives, c.group});
  }
  return HashOf(json);
}

std::int64_t InsertDataset(Sql& sql, const RunIdentity& identity,
                           const DatasetFacts& facts) {
  bool made = false;
  const std::int64_t id = FindOrInsert(
      sql, "dataset",
      {"name", "version", "manifest_sha256", "label_policy", "classes_sha256"},
      made, identity.dataset, identity.dataset_version,
      identity.manifest_sha256, identity.label_policy,
      HashOfClasses(facts.classes));
  if (!made) return id;
  Statement insert = sql.Prepare("INSERT INTO class VALUES(?, ?, ?, ?, ?)");
  for (std::size_t i = 0; i < facts.classes.size(); ++i) {
    const ClassFacts& c = facts.classes[i];
    insert.Run(id, i, c.name, c.train_positives, c.group);
  }
  return id;
}

std::optional<std::int64_t> InsertEnvironment(Sql& sql,
                                              const RunRecord& record) {
  if (record.environment.empty()) return std::nullopt;
  const std::string json = Canonical(record.environment);
  return FindOrInsert(sql, "environment", {"sha256", "fingerprint", "json"},
                      HashOf(record.environment),
                      record.environment_fingerprint, json);
}

std::int64_t InsertCode(Sql& sql, const RunRecord& record) {
  BuildInfo build = record.build;
  // A worker that died told nothing; what it was planned for is known.
  if (build.digest.empty()) build.digest = record.spec.build;
  return FindOrInsert(sql, "code",
                      {"build", "git_sha", "dirty", "diff_sha256", "json"},
                      build.digest, build.git_sha, build.dirty,
                      build.diff_sha256, Canonical(ToJson(build)));
}

void InsertWeights(Sql& sql, std::int64_t run, const RunIdentity& identity) {
  if (identity.weights_sha256.empty()) return;
  sql.Prepare(
         "INSERT INTO weights(sha256, name) VALUES(?, ?) ON CONFLICT DO "
         "NOTHING")
      .Run(identity.weights_sha256, identity.weights_name);
  sql.Prepare("INSERT INTO run_weights VALUES(?, 'encoder', ?)")
      .Run(run, identity.weights_sha256);
}

void InsertTags(Sql& sql, std::int64_t run, const RunSpec& spec) {
  std::set<std::string> tags(spec.tags.begin(), spec.tags.end());
  if (spec.identity.limit > 0) tags.insert("partial");
  Statement insert = sql.Prepare(
      "INSERT INTO tag VALUES(?, ?, ?) ON CONFLICT DO UPDATE SET value = "
      "excluded.value");
  for (const std::string& tag : tags) {
    const auto equals = tag.find('=');
    insert.Run(run, tag.substr(0, equals),
               equals == tag.npos ? "" : tag.substr(equals + 1));
  }
}

void InsertTimings(Sql& sql, std::int64_t run, const RunRecord& record) {
  Statement insert =
      sql.Prepare("INSERT INTO timing VALUES(?, ?, ?, ?, ?, ?, ?)");
  // A run that was resumed may have two phases of a name.
  std::map<std::string, int> seen;
  int position = 0;
  for (const PhaseTime& phase : record.phases) {
    const int again = ++seen[phase.phase];
    const std::string name =
        again == 1 ? phase.phase : StrCat(phase.phase, " #", again);
    insert.Run(run, position++, name, phase.wall_s, phase.cpu_s, phase.peak_rss,
               phase.items);
  }
}

void InsertCurves(Sql& sql, std::int64_t run, const RunRecord& record) {
  // The last word on a step counts: a resumed run repeats some.
  Statement insert = sql.Prepare(
      "INSERT INTO curve VALUES(?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = "
      "excluded.value");
  for (const CurvePoint& point : record.curves) {
    insert.Run(run, point.name, point.step, point.value);
  }
}

std::vector<std::int64_t> InsertSplits(Sql& sql, std::int64_t run,
                                       std::int64_t dataset,
                                       const DatasetFacts& facts) {
  std::vector<std::int64_t> ids;
  Statement insert =
      sql.Prepare("INSERT INTO run_split VALUES(?, ?) ON CONFLICT DO NOTHING");
  for (const SplitFacts& split : facts.splits) {
    ids.push_back(FindOrInsert(
        sql, "split",
        {"dataset_id", "name", "role", "episode", "images", "list_sha256"},
        dataset, split.name, split.role, split.episode, split.rows,
        split.list_sha256));
    insert.Run(run, ids.back());
  }
  return ids;
}

std::int64_t InsertDefinition(Sql& sql, const Definition& definition) {
  const Json json = ToJson(definition);
  bool made = false;
  return FindOrInsert(sql, "metric_definition",
                      {"name", "higher_is_better", "json"}, made,
                      IdOf(definition), true, Canonical(json));
}

void InsertDiagnostics(Sql& sql, std::int64_t score,
                       const ScoreDiagnostics& found, bool with_classes) {
  Statement insert = sql.Prepare("INSERT INTO diagnostic VALUES(?, ?, ?, ?)");
  insert.Run(score, "tied_fraction", -1, found.tied_fraction);
  insert.Run(score, "saturated_fraction", -1, found.saturated_fraction);
  insert.Run(score, "smallest", -1, found.smallest);
  insert.Run(score, "largest", -1, found.largest);
  if (!with_classes) return;
  for (std::size_t c = 0; c < found.classes.size(); ++c) {
    insert.Run(score, "distinct", c,
               static_cast<double>(found.classes[c].distinct));
    insert.Run(score, "tied", c, static_cast<double>(found.classes[c].tied));
  }
}

void InsertResult(Sql& sql, std::int64_t score, const DefinitionResult& result,
                  bool with_classes) {
  const std::int64_t definition = InsertDefinition(sql, result.definition);
  Statement metric = sql.Prepare(
      "INSERT INTO metric(score_id, definition_id, grp, value, classes, "
      "undefined_classes) VALUES(?, ?, ?, ?, ?, ?)");
  for (const GroupMean& mean : result.means) {
    metric.Run(score, definition, mean.name, mean.percent, mean.classes,
               mean.undefined);
  }
  if (!with_classes) return;
  Statement per_class =
      sql.Prepare("INSERT INTO class_metric VALUES(?, ?, ?, ?, ?, ?, ?)");
  for (std::size_t c = 0; c < result.ap.size(); ++c) {
    std::optional<double> percent = result.ap[c];
    if (percent) *percent *= 100;
    const ClassCounts& counts = result.counts[c];
    per_class.Run(score, definition, c, percent, counts.positives,
                  counts.negatives, counts.ignored);
  }
}

/// Kind and brand of a plugin's method, which its run says in tags.
IngestOptions WithTags(IngestOptions options, const RunSpec& spec) {
  for (const std::string& tag : spec.tags) {
    if (tag == "foreign") options.pipeline_brand = tag;
    if (tag.starts_with("kind=")) options.method_kind = tag.substr(5);
  }
  return options;
}

}  // namespace

RunIds InsertRun(Sql& sql, const RunRecord& record, const RunHashes& hashes,
                 RunState state, const std::string& reason, int attempt,
                 const DatasetFacts& facts, const IngestOptions& given) {
  const RunSpec& spec = record.spec;
  const IngestOptions options = WithTags(given, spec);
  const RunIdentity& identity = spec.identity;
  const std::string recipe = RecipeId(identity);
  sql.Prepare("INSERT INTO recipe VALUES(?, ?) ON CONFLICT DO NOTHING")
      .Run(recipe, Canonical(ToJson(identity)));
  const std::int64_t method = FindOrInsert(
      sql, "method", {"name", "version", "kind", "artifact_sha256", "pipeline"},
      identity.method, identity.method_version, options.method_kind,
      identity.method_artifact, options.pipeline_brand);
  const std::int64_t dataset = InsertDataset(sql, identity, facts);
  const std::int64_t code = InsertCode(sql, record);
  const auto environment = InsertEnvironment(sql, record);
  // A worker that died said nothing of its start.
  const std::string created =
      record.created_utc.empty() ? UtcNow() : record.created_utc;
  sql.Prepare(
         "INSERT INTO run(key, attempt, record_sha256, recipe, seed, "
         "method_id, dataset_id, code_id, environment_id, state, reason, "
         "exit_code, signal, selection, trained_parameters, options, seeds, "
         "created_utc, started_utc, finished_utc, host, command) VALUES(?, ?, "
         "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .Run(hashes.key, attempt, hashes.record_sha256, recipe, spec.seed, method,
           dataset, code, environment, NameOf(state),
           state == RunState::kDone ? std::nullopt : OrNull(reason),
           record.exit_code, record.signal, identity.selection,
           record.trained_parameters,
           Canonical(ToJson(record.resolved_options)),
           Canonical(Json(record.seeds)), created, OrNull(record.started_utc),
           OrNull(record.finished_utc), OrNull(record.host),
           OrNull(record.command));
  RunIds ids{.run = sql.LastId(), .splits = {}};
  ids.splits = InsertSplits(sql, ids.run, dataset, facts);
  InsertWeights(sql, ids.run, identity);
  InsertTags(sql, ids.run, spec);
  InsertTimings(sql, ids.run, record);
  InsertCurves(sql, ids.run, record);
  return ids;
}

void InsertMeasured(Sql& sql, const RunIds& ids, const Measured& measured) {
  const ScoreFile& file = measured.file;
  const Evaluation& evaluation = measured.evaluation;
  sql.Prepare(
         "INSERT INTO score(run_id, name, split_id, sha256, dtype, rows, cols, "
         "scale, nonfinite) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .Run(ids.run, file.split, ids.splits.at(measured.split), file.sha256,
           file.dtype, file.rows, file.cols,
           file.scale.empty() ? "unknown" : file.scale,
           evaluation.diagnostics.infinite);
  const std::int64_t score = sql.LastId();
  InsertDiagnostics(sql, score, evaluation.diagnostics, measured.with_classes);
  for (const DefinitionResult& result : evaluation.results) {
    InsertResult(sql, score, result, measured.with_classes);
  }
}

void InsertEvent(Sql& sql, std::int64_t run_id, std::string_view level,
                 std::string_view what) {
  sql.Prepare("INSERT INTO run_event VALUES(?, ?, ?, ?) ON CONFLICT DO NOTHING")
      .Run(run_id, what, level, UtcNow());
}

}  // namespace tailmark
