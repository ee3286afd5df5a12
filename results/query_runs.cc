#include <algorithm>
#include <variant>

#include "harness/base/error.h"
#include "results/query.h"
#include "results/run_rows.h"
#include "results/sql.h"

namespace tailmark {
namespace {

constexpr std::string_view kColumns =
    "SELECT r.id, r.key, r.recipe, r.attempt, m.name, m.version, m.kind, "
    "m.pipeline, d.name, d.version, d.id, r.seed, r.state, r.reason, "
    "r.exit_code, r.signal, r.selection, r.test_evaluations, "
    "r.trained_parameters, r.created_utc, r.started_utc, r.finished_utc, "
    "r.host, r.command, c.build, c.git_sha, c.dirty, e.fingerprint, "
    "(SELECT group_concat(CASE value WHEN '' THEN key ELSE key || '=' || value "
    "END, char(31)) FROM (SELECT key, value FROM tag WHERE run_id = r.id ORDER "
    "BY key)), (SELECT sum(wall_s) FROM timing WHERE run_id = r.id) "
    "FROM run r JOIN method m ON m.id = r.method_id JOIN dataset d ON d.id = "
    "r.dataset_id JOIN code c ON c.id = r.code_id LEFT JOIN environment e ON "
    "e.id = r.environment_id ";

constexpr std::string_view kOrder =
    " ORDER BY d.name, m.name, r.recipe, r.seed, r.key, r.attempt";

// The finished attempt of a key, else the last one.
constexpr std::string_view kBestAttempt =
    "r.id = (SELECT b.id FROM run b WHERE b.key = r.key ORDER BY b.state = "
    "'done' DESC, b.attempt DESC LIMIT 1)";

std::vector<std::string> SplitTags(const std::string& joined) {
  std::vector<std::string> tags;
  std::size_t from = 0;
  while (from < joined.size()) {
    const auto end = std::min(joined.find('\x1f', from), joined.size());
    tags.push_back(joined.substr(from, end - from));
    from = end + 1;
  }
  return tags;
}

RunRow ReadRow(const Statement& in) {
  RunRow row;
  int at = 0;
  row.id = in.Int(at++);
  row.key = in.Text(at++);
  row.recipe = in.Text(at++);
  row.attempt = static_cast<int>(in.Int(at++));
  row.method = in.Text(at++);
  row.method_version = static_cast<int>(in.Int(at++));
  row.method_kind = in.Text(at++);
  row.pipeline_brand = in.Text(at++);
  row.dataset = in.Text(at++);
  row.dataset_version = static_cast<int>(in.Int(at++));
  row.dataset_id = in.Int(at++);
  row.seed = static_cast<std::uint64_t>(in.Int(at++));
  row.state = RunStateFromName(in.Text(at++));
  row.reason = in.Text(at++);
  row.exit_code = in.MaybeInt(at++);
  row.signal = in.MaybeInt(at++);
  row.selection = in.Text(at++);
  row.test_evaluations = in.Int(at++);
  row.trained_parameters = in.Int(at++);
  row.created_utc = in.Text(at++);
  row.started_utc = in.Text(at++);
  row.finished_utc = in.Text(at++);
  row.host = in.Text(at++);
  row.command = in.Text(at++);
  row.build = in.Text(at++);
  row.git_sha = in.Text(at++);
  row.dirty = in.Int(at++) != 0;
  row.environment_fingerprint = in.Text(at++);
  row.tags = SplitTags(in.Text(at++));
  row.wall_s = in.Real(at++);
  return row;
}

using Value = std::variant<std::string, std::int64_t>;

std::vector<RunRow> Select(const Store& store, const std::string& where,
                           const std::vector<Value>& values) {
  Statement find = store.sql().Prepare(
      StrCat(kColumns, where.empty() ? "" : "WHERE ", where, kOrder));
  find.Bind();
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::visit(
        [&](const auto& value) { find.Set(static_cast<int>(i) + 1, value); },
        values[i]);
  }
  std::vector<RunRow> rows;
  while (find.Step()) rows.push_back(ReadRow(find));
  return rows;
}

/// Grows a WHERE and what is bound to it.
struct Condition {
  std::string where;
  std::vector<Value> values;

  void And(std::string_view text) {
    where += StrCat(where.empty() ? "" : " AND ", text);
  }
  void And(std::string_view text, Value value) {
    And(text);
    values.push_back(std::move(value));
  }
  void Equal(std::string_view column, const std::string& value) {
    if (!value.empty()) And(StrCat(column, " = ?"), value);
  }
  // Not LIKE: what was typed may hold '%'. The end of the range sorts after
  // every hex digit, so an index serves.
  void Prefix(std::string_view column, const std::string& value) {
    if (value.empty()) return;
    And(StrCat(column, " >= ?"), value);
    And(StrCat(column, " < ?"), value + "\x7f");
  }
};

std::optional<RunRow> First(std::vector<RunRow> rows) {
  if (rows.empty()) return std::nullopt;
  return std::move(rows.front());
}

}  // namespace

std::vector<RunRow> Runs(const Store& store, const RunFilter& filter) {
  Condition condition;
  condition.Prefix("r.key", filter.key);
  condition.Prefix("r.recipe", filter.recipe);
  condition.Equal("m.name", filter.method);
  condition.Equal("d.name", filter.dataset);
  if (filter.seed) {
    condition.And("r.seed = ?", static_cast<std::int64_t>(*filter.seed));
  }
  if (filter.state) {
    condition.Equal("r.state", std::string(NameOf(*filter.state)));
  }
  if (!filter.tag.empty()) {
    condition.And(
        "EXISTS(SELECT 1 FROM tag t WHERE t.run_id = r.id AND t.key = ?)",
        filter.tag);
  }
  if (filter.best_attempt) condition.And(kBestAttempt);
  return Select(store, condition.where, condition.values);
}

RunRow FindRun(const Store& store, std::string_view prefix) {
  if (prefix.empty()) throw ConfigError("the key of a run may not be empty");
  auto rows = Runs(store, {.key = std::string(prefix)});
  if (rows.size() == 1) return std::move(rows.front());
  if (rows.empty()) {
    throw ConfigError(StrCat("no run's key begins with '", prefix,
                             "'; `tailmark status` lists them"));
  }
  std::string some;
  for (std::size_t i = 0; i < std::min<std::size_t>(rows.size(), 5); ++i) {
    some += StrCat(i == 0 ? "" : ", ", rows[i].key.substr(0, 16), " (",
                   rows[i].method, ", ", rows[i].dataset, ", seed ",
                   rows[i].seed, ")");
  }
  throw ConfigError(StrCat(rows.size(), " runs' keys begin with '", prefix,
                           "': ", some, rows.size() > 5 ? ", ..." : "",
                           ". Give more digits"));
}

std::vector<RunRow> CampaignRuns(const Store& store, std::int64_t campaign) {
  return Select(store,
                StrCat("r.key IN (SELECT key FROM campaign_run WHERE "
                       "campaign_id = ?) AND ",
                       kBestAttempt),
                {campaign});
}

std::optional<RunRow> DoneRun(const Store& store, std::string_view key) {
  return First(
      Select(store, "r.state = 'done' AND r.key = ?", {std::string(key)}));
}

std::optional<RunRow> DoneRun(const Store& store, std::string_view recipe,
                              std::uint64_t seed) {
  return First(Select(
      store,
      "r.id = (SELECT n.id FROM run n WHERE n.recipe = ? AND n.seed = ? AND "
      "n.state = 'done' ORDER BY n.finished_utc DESC, n.key LIMIT 1)",
      {std::string(recipe), static_cast<std::int64_t>(seed)}));
}

}  // namespace tailmark
