#include "results/reproduction.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "harness/base/environment.h"
#include "harness/base/error.h"
#include "harness/base/suggest.h"
#include "harness/metrics/definition.h"
#include "harness/metrics/profile.h"
#include "results/query.h"
#include "results/sql.h"
#include "results/verdicts.h"

namespace tailmark {
namespace {

constexpr const char* kRowsFile = "harness/recipes/published/rows.json";
constexpr const char* kPicked = "test.best_on_test";

RowRecipe ReadRow(const Json& json) {
  RowRecipe row;
  for (const auto& [key, value] : json.items()) {
    if (key == "cells") {
      value.get_to(row.cells);
    } else if (key == "method") {
      row.method = value;
    } else if (key == "data") {
      row.data = value;
    } else if (key == "recipe") {
      row.recipe = value;
    } else if (key == "stand_in") {
      row.stand_in = value;
    } else if (key == "stand_in_data") {
      row.stand_in_data = value;
    } else if (key == "dataset") {
      value.get_to(row.dataset);
    } else if (key == "column") {
      value.get_to(row.column);
    } else if (key == "profile") {
      value.get_to(row.profile);
    } else if (key == "differs") {
      value.get_to(row.differs);
    } else if (key == "missing") {
      value.get_to(row.missing);
    } else {
      throw DataError(StrCat(kRowsFile, ": unknown member '", key, "'"));
    }
  }
  FindProfile(row.profile);
  if (row.method.is_null() == row.missing.empty()) {
    throw DataError(StrCat(kRowsFile, ": ", row.cells.front(),
                           " needs \"method\" or \"missing\", one of them"));
  }
  if (row.data.is_null()) row.data = {{"use", row.dataset}};
  if (row.stand_in_data.is_null()) row.stand_in_data = {{"use", "embedded"}};
  return row;
}

/// Lower case, letters and digits only.
std::string Plain(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    // "DB*" and "DB" are two rows.
    if (std::isalnum(u) || c == '*' || c == '+') {
      out += static_cast<char>(std::tolower(u));
    }
  }
  return out;
}

std::vector<std::string> SplitAtColons(std::string_view id) {
  std::vector<std::string> parts;
  while (true) {
    const auto colon = id.find(':');
    parts.emplace_back(id.substr(0, colon));
    if (colon == id.npos) return parts;
    id.remove_prefix(colon + 1);
  }
}

/// Group of ours that a column is held against: "" for what is no AP.
std::string GroupOf(const std::string& column) {
  if (column == "total" || column == "mAP") return "total";
  if (column.ends_with("-shot")) return "novel";
  const bool group = column == "head" || column == "medium" || column == "tail";
  return group ? column : "";
}

/// Finished runs of a recipe, one a seed, the newest.
std::vector<RunRow> RunsOf(const Store& store, const std::string& recipe) {
  std::map<std::uint64_t, RunRow> by_seed;
  if (recipe.empty()) return {};
  for (const RunRow& run :
       Runs(store, {.recipe = recipe, .state = RunState::kDone})) {
    if (run.recipe != recipe) continue;
    auto [at, fresh] = by_seed.emplace(run.seed, run);
    if (!fresh && at->second.finished_utc < run.finished_utc) at->second = run;
  }
  std::vector<RunRow> runs;
  for (auto& [seed, run] : by_seed) runs.push_back(std::move(run));
  return runs;
}

/// The stored definition that is the profile's: the very one, else the same
/// family under the data set's own label policy.
std::string StoredDefinition(const std::vector<MetricRow>& metrics,
                             const Definition& wanted) {
  std::string family;
  for (const MetricRow& row : metrics) {
    if (row.definition == IdOf(wanted)) return row.definition;
    if (!family.empty()) continue;
    Definition there = ParseDefinition(row.definition);
    if (ShortId(there) == ShortId(wanted)) family = row.definition;
  }
  return family;
}

std::optional<double> ValueIn(const std::vector<MetricRow>& metrics,
                              const std::string& definition,
                              const std::string& scores,
                              const std::string& group) {
  std::optional<double> value;
  for (const MetricRow& row : metrics) {
    if (row.definition != definition || row.scores != scores) continue;
    // A protocol without that group (base and novel) has the total alone.
    if (row.group == group) return row.value;
    if (row.group == "total" && group == "novel") value = row.value;
  }
  return value;
}

class Judge {
 public:
  Judge(const Store* store, const PublishedCell& cell,
        const RowRecipes& recipes, const ColumnRecipes& made,
        const std::string& not_run)
      : store_(store),
        cell_(cell),
        entries_(recipes.Of(cell.table, cell.row)),
        made_(made),
        not_run_(not_run) {}

  ReproducedRow Run() {
    out_ = {.source = cell_.table.source,
            .table = cell_.table.id,
            .row = cell_.row.row,
            .dataset = cell_.row.dataset,
            .status = cell_.row.status};
    out_.lint = cell_.lint;
    if (!entries_.empty()) out_.profile = entries_.front()->profile;
    if (!out_.profile.empty()) {
      out_.selection = FindProfile(out_.profile).selection;
    }
    if (const auto mean = GroupMeanOf(cell_.table, cell_.row)) {
      out_.arithmetic = mean->text;
      out_.group_mean = mean->mean;
    }
    for (const PrintedValue& value : cell_.row.values) {
      out_.cells.push_back(JudgeCell(value));
    }
    Conclude();
    return out_;
  }

 private:
  ReproducedCell JudgeCell(const PrintedValue& value) {
    ReproducedCell cell{.printed = value, .group = GroupOf(value.column)};
    cell.test.margin =
        ReproductionMargin(value.column == "mAP" ? "total" : cell.group);
    for (const std::string& column : {value.column, std::string()}) {
      const auto at = made_.find(column);
      if (at != made_.end()) {
        cell.recipe = at->second;
        break;
      }
    }
    if (cell.group.empty()) {
      cell.test.reason =
          "no average precision: tailmark eval --threshold gives it";
      return cell;
    }
    cell.test.reason = not_run_;
    if (store_ == nullptr || out_.profile.empty()) return cell;
    const auto runs = RunsOf(*store_, cell.recipe);
    if (runs.empty()) return cell;
    Measure(runs, cell);
    return cell;
  }

  void Measure(const std::vector<RunRow>& runs, ReproducedCell& cell) {
    const Profile& profile = FindProfile(out_.profile);
    std::vector<double> theirs;
    std::vector<double> ours;
    bool stochastic = false;
    for (const RunRow& run : runs) {
      const auto metrics = Metrics(*store_, run.id);
      out_.measured_on = run.dataset;
      if (std::find(run.tags.begin(), run.tags.end(), "partial") !=
          run.tags.end()) {
        otherwise_ = "measured on the first images of each split alone";
      }
      stochastic = stochastic || run.trained_parameters > 0;
      const bool picked =
          profile.selection == "best_on_test" &&
          std::any_of(metrics.begin(), metrics.end(),
                      [](const MetricRow& m) { return m.scores == kPicked; });
      cell.scores = picked ? kPicked : "test";
      cell.definition = StoredDefinition(metrics, profile.definition);
      out_.our_definition = StoredDefinition(metrics, Definition{});
      if (profile.selection == "best_on_test" && !picked &&
          run.trained_parameters > 0) {
        otherwise_ =
            "the row is the best epoch on the test split, our runs have the "
            "last one only";
      }
      if (const auto value =
              ValueIn(metrics, cell.definition, cell.scores, cell.group)) {
        theirs.push_back(*value);
      }
      if (const auto value =
              ValueIn(metrics, out_.our_definition, "test", cell.group)) {
        ours.push_back(*value);
      }
    }
    const double half = 0.5 * std::pow(10.0, -cell.printed.decimals);
    cell.test = HoldAgainst(cell.printed.value, half, theirs, stochastic,
                            cell.test.margin);
    if (ours.empty()) return;
    double sum = 0;
    for (const double value : ours) sum += value;
    cell.ours = sum / static_cast<double>(ours.size());
  }

  void Conclude() {
    const auto colon = out_.measured_on.find(':');
    out_.stand_in = !out_.measured_on.empty() &&
                    out_.measured_on.substr(0, colon) != out_.dataset;
    const bool any = std::any_of(
        out_.cells.begin(), out_.cells.end(),
        [](const ReproducedCell& cell) { return cell.test.mean.has_value(); });
    if (!any) {
      out_.verdict = Verdict::kNotRun;
      out_.reason = not_run_;
      return;
    }
    if (out_.stand_in) {
      Say(Verdict::kNotComparable,
          StrCat("a stand-in: measured on ", out_.measured_on,
                 " to show that the path holds"));
      return;
    }
    for (const LintFinding& each : out_.lint) {
      // Other decimals or a value seen elsewhere are no contradiction.
      if (each.rule == "decimals" || each.rule == "repeated") continue;
      out_.verdict = Verdict::kTableInconsistent;
      out_.reason = each.explanation;
      return;
    }
    for (const RowRecipe* entry : entries_) {
      if (entry->differs.empty()) continue;
      Say(Verdict::kNotComparable, entry->differs);
      return;
    }
    if (!otherwise_.empty()) {
      Say(Verdict::kNotComparable, otherwise_);
      return;
    }
    TakeWorst();
  }

  void Say(Verdict verdict, std::string reason) {
    out_.verdict = verdict;
    out_.reason = std::move(reason);
  }

  /// Of the cells that could be judged; one that could not is incomplete.
  void TakeWorst() {
    constexpr Verdict kWorstFirst[] = {Verdict::kBelow, Verdict::kAbove,
                                       Verdict::kNotRun, Verdict::kConsistent,
                                       Verdict::kReproduced};
    for (const Verdict verdict : kWorstFirst) {
      for (const ReproducedCell& cell : out_.cells) {
        if (cell.group.empty() || cell.test.verdict != verdict) continue;
        Say(verdict, StrCat(cell.printed.column, ": ", cell.test.reason));
        return;
      }
    }
  }

  const Store* store_;
  const PublishedCell& cell_;
  std::vector<const RowRecipe*> entries_;
  const ColumnRecipes& made_;
  const std::string& not_run_;
  std::string otherwise_;
  ReproducedRow out_;
};

std::string OutcomeOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kReproduced:
      return "equivalent";
    case Verdict::kConsistent:
      return "inconclusive";
    case Verdict::kBelow:
    case Verdict::kAbove:
      return "different";
    case Verdict::kNotComparable:
    case Verdict::kTableInconsistent:
      return "not_comparable";
    case Verdict::kNotRun:
      return "missing";
  }
  return "error";
}

std::string LintText(const std::vector<LintFinding>& lint) {
  std::string text;
  for (const LintFinding& each : lint) {
    text += StrCat(text.empty() ? "" : "; ", each.rule, ": ", each.explanation);
  }
  return text;
}

}  // namespace

std::vector<const RowRecipe*> RowRecipes::Of(const PublishedTable& table,
                                             const PublishedRow& row) const {
  const std::string id = StrCat(table.source, ":", table.id, ":", row.row);
  std::vector<const RowRecipe*> found;
  for (const RowRecipe& each : rows) {
    if (each.dataset == row.dataset &&
        std::find(each.cells.begin(), each.cells.end(), id) !=
            each.cells.end()) {
      found.push_back(&each);
    }
  }
  return found;
}

RowRecipes ReadRowRecipes() {
  const Json json = ReadJson(SharedFile(kRowsFile));
  RowRecipes out;
  try {
    if (json.at("schema") != "tailmark-reproduce/1") {
      throw DataError(StrCat(kRowsFile, ": schema ", json.at("schema").dump(),
                             ", expected \"tailmark-reproduce/1\""));
    }
    out.recipe = json.at("recipe");
    out.stand_in = json.at("stand_in");
    for (const Json& row : json.at("rows")) out.rows.push_back(ReadRow(row));
  } catch (const Json::exception& error) {
    throw DataError(StrCat(kRowsFile, ": ", error.what()));
  }
  return out;
}

std::vector<PublishedCell> FindPublishedRows(std::string_view id) {
  const auto parts = SplitAtColons(id);
  if (parts.size() > 4) {
    throw ConfigError(StrCat("'", id,
                             "': write SOURCE[:TABLE[:ROW[:DATASET]]], as in "
                             "hp-dval:table1:LMPT:coco-lt"));
  }
  const std::string table_id =
      parts.size() == 1 ? parts[0] : StrCat(parts[0], ":", parts[1]);
  std::vector<PublishedCell> cells;
  std::vector<std::string> rows;
  std::vector<std::string> datasets;
  const auto tables = FindPublished(table_id);
  std::map<std::string, std::vector<LintFinding>> lint;
  for (const Published& published : ReadAllPublished()) {
    if (published.name == parts[0]) lint[parts[0]] = Lint(published);
  }
  for (const PublishedTable& table : tables) {
    for (const PublishedRow& row : table.rows) {
      rows.push_back(row.row);
      if (parts.size() > 2 && Plain(parts[2]) != Plain(row.row)) continue;
      datasets.push_back(row.dataset);
      if (parts.size() > 3 && Plain(parts[3]) != Plain(row.dataset)) continue;
      PublishedCell cell{.table = table, .row = row};
      cell.table.rows.clear();
      for (const LintFinding& each : lint[parts[0]]) {
        if (each.table == table.id && each.row == row.row &&
            each.dataset == row.dataset) {
          cell.lint.push_back(each);
        }
      }
      cells.push_back(std::move(cell));
    }
  }
  if (!cells.empty()) return cells;
  if (datasets.empty()) {
    throw ConfigError(UnknownName(StrCat("row of ", table_id), parts[2], rows));
  }
  throw ConfigError(UnknownName(StrCat("data set of ", table_id, ":", parts[2]),
                                parts[3], datasets));
}

std::string IdOf(const PublishedCell& cell) {
  return StrCat(cell.table.source, ":", cell.table.id, ":", cell.row.row, ":",
                cell.row.dataset);
}

ReproducedRow JudgeRow(const Store* store, const PublishedCell& cell,
                       const RowRecipes& recipes, const ColumnRecipes& made,
                       const std::string& not_run) {
  return Judge(store, cell, recipes, made, not_run).Run();
}

void StoreReproduction(Store& store, const std::vector<ReproducedRow>& rows) {
  Sql& sql = store.sql();
  Transaction transaction(sql);
  // A stand-in fills a gap and never takes a place.
  Statement keep = sql.Prepare(
      "INSERT INTO published(source, table_label, row_label, dataset, grp, "
      "value, decimals, status, lint, recipe) VALUES(?, ?, ?, ?, ?, ?, ?, ?, "
      "?, ?) ON CONFLICT DO UPDATE SET value = excluded.value, decimals = "
      "excluded.decimals, status = excluded.status, lint = excluded.lint, "
      "recipe = CASE WHEN ? AND published.recipe IS NOT NULL AND EXISTS("
      "SELECT 1 FROM run r JOIN dataset d ON d.id = r.dataset_id WHERE "
      "r.recipe = published.recipe AND (d.name = published.dataset OR d.name "
      "LIKE published.dataset || ':%')) THEN published.recipe ELSE "
      "coalesce(excluded.recipe, published.recipe) END");
  VerdictWriter judge(sql, "reproduce");
  for (const ReproducedRow& row : rows) {
    const std::string lint = LintText(row.lint);
    const std::string subject =
        StrCat(row.source, ":", row.table, ":", row.row, ":", row.dataset);
    for (const ReproducedCell& cell : row.cells) {
      keep.Run(row.source, row.table, row.row, row.dataset, cell.printed.column,
               cell.printed.value, cell.printed.decimals, row.status,
               lint.empty() ? std::nullopt : std::optional(lint),
               cell.recipe.empty() ? std::nullopt : std::optional(cell.recipe),
               row.stand_in);
      if (!cell.test.mean) continue;
      const auto& prediction = cell.test.prediction;
      judge.Write(
          {.subject = subject,
           .reference = StrCat("printed ", cell.printed.value),
           .definition = cell.definition,
           .group = cell.printed.column,
           .difference = cell.test.difference,
           .lo = prediction ? std::optional(prediction->lo) : std::nullopt,
           .hi = prediction ? std::optional(prediction->hi) : std::nullopt,
           .p = cell.test.p_equivalent,
           .margin = cell.test.margin,
           .test = "TOST",
           .outcome = OutcomeOf(row.stand_in ? row.verdict : cell.test.verdict),
           .reason = row.stand_in ? row.reason : cell.test.reason});
    }
  }
  transaction.Commit();
}

std::map<std::string, ColumnRecipes> StoredReproductions(const Store& store) {
  std::map<std::string, ColumnRecipes> all;
  Statement rows = store.sql().Prepare(
      "SELECT source, table_label, row_label, dataset, grp, recipe FROM "
      "published WHERE recipe IS NOT NULL ORDER BY id");
  rows.Bind();
  while (rows.Step()) {
    all[StrCat(rows.Text(0), ":", rows.Text(1), ":", rows.Text(2), ":",
               rows.Text(3))][rows.Text(4)] = rows.Text(5);
  }
  return all;
}

}  // namespace tailmark
