#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/json.h"
#include "harness/metrics/published_verdict.h"
#include "results/lint.h"
#include "results/published.h"
#include "results/store.h"

namespace tailmark {

/// How a published row is made here: an entry of
/// harness/recipes/published/rows.json.
struct RowRecipe {
  std::vector<std::string> cells;  ///< "hp-dval:table1:LMPT"
  std::string dataset;             ///< Of the row as printed.
  std::string column;              ///< The only one meant; "" for all.
  std::string profile;             ///< How the row was computed: profile.h.
  std::string differs;             ///< Made otherwise than printed: how.
  std::string missing;             ///< Cannot be made here: why.
  Json method;                     ///< Of a recipe; null when `missing`.
  Json data;                       ///< Of a recipe.
  Json recipe = Json::object();    ///< Laid over the common one.
  Json stand_in;                   ///< Method on the embedded data.
  Json stand_in_data;
};
struct RowRecipes {
  Json recipe;    ///< Common to all rows.
  Json stand_in;  ///< Laid over it for --stand-in.
  std::vector<RowRecipe> rows;

  /// Those that make a row, several when each makes one column.
  std::vector<const RowRecipe*> Of(const PublishedTable& table,
                                   const PublishedRow& row) const;
};
/// Throws DataError naming file and member.
RowRecipes ReadRowRecipes();

/// A row of a published table that an id means.
struct PublishedCell {
  PublishedTable table;  ///< Without other rows.
  PublishedRow row;
  std::vector<LintFinding> lint;  ///< Of this row.
};
/// The rows of "hp-dval", "hp-dval:table1", "hp-dval:table1:LMPT" or
/// "hp-dval:table1:LMPT:coco-lt"; rows and data sets without regard to case and
/// punctuation. Throws ConfigError with the nearest name.
std::vector<PublishedCell> FindPublishedRows(std::string_view id);

/// One printed number and ours.
struct ReproducedCell {
  PrintedValue printed;
  std::string recipe;      ///< Id; "" when there is none.
  std::string group;       ///< Ours that it is held against; "" for none.
  std::string definition;  ///< Full id, the row's own.
  std::string scores;      ///< "test", "test.best_on_test".
  PublishedTest test;      ///< Under the row's own definition and selection.
  std::optional<double> ours;  ///< Mean, ap.step of the last epoch.
};

struct ReproducedRow {
  std::string source, table, row, dataset, status;
  std::string profile;      ///< "" when not known.
  std::string selection;    ///< Of the profile.
  std::string measured_on;  ///< The data set of our runs; "" without.
  bool stand_in = false;    ///< That is another than the row's.
  std::vector<LintFinding> lint;
  std::string arithmetic;            ///< "(22 x 72.05 + ...) / 80".
  std::optional<double> group_mean;  ///< What it gives.
  std::vector<ReproducedCell> cells;
  std::string our_definition;  ///< Full id.
  Verdict verdict = Verdict::kNotRun;
  std::string reason;
};

/// Column -> id of the recipe that makes it ("" key: all columns).
using ColumnRecipes = std::map<std::string, std::string>;

/// Judges a row by the finished runs in the store. `not_run` is the reason
/// where there is none. `store` may be null. The verdict of a row is the worst
/// of its cells; what is known beforehand (the table, another recipe, a
/// stand-in) goes first.
ReproducedRow JudgeRow(const Store* store, const PublishedCell& cell,
                       const RowRecipes& recipes, const ColumnRecipes& made,
                       const std::string& not_run);

/// Keeps rows, recipes and verdicts. A stand-in never replaces the recipe of
/// runs on the row's own data.
void StoreReproduction(Store& store, const std::vector<ReproducedRow>& rows);
/// What was kept: "source:table:row:dataset" -> recipes.
std::map<std::string, ColumnRecipes> StoredReproductions(const Store& store);
std::string IdOf(const PublishedCell& cell);

}  // namespace tailmark
