#include <algorithm>
#include <set>

#include "harness/base/error.h"
#include "reports/model_parts.h"
#include "results/reproduction.h"

namespace tailmark {
namespace {

ReportPrinted PrintedOf(const ReproducedRow& row, const ReproducedCell& cell) {
  return {.column = cell.printed.column,
          .printed = cell.printed.value,
          .decimals = cell.printed.decimals,
          .theirs = cell.test.mean,
          .sd = cell.test.sd,
          .runs = cell.test.runs,
          .difference = row.stand_in ? Figure() : cell.test.difference,
          .ours = cell.ours,
          .verdict = std::string(
              NameOf(row.stand_in ? row.verdict : cell.test.verdict)),
          .reason = row.stand_in ? row.reason : cell.test.reason};
}

ReportPublished PublishedOf(const PublishedCell& cell,
                            const ReproducedRow& row) {
  ReportPublished out{.source = row.source,
                      .table = row.table,
                      .title = cell.table.title,
                      .row = row.row,
                      .dataset = row.dataset,
                      .status = row.status,
                      .profile = row.profile,
                      .selection = row.selection,
                      .verdict = std::string(NameOf(row.verdict)),
                      .reason = row.reason,
                      .stand_in = row.stand_in,
                      .group_mean = row.group_mean,
                      .arithmetic = row.arithmetic};
  for (const LintFinding& each : row.lint) {
    out.lint.emplace_back(each.rule, each.explanation);
  }
  for (const ReproducedCell& each : row.cells) {
    if (!each.definition.empty()) out.definition = each.definition;
    out.cells.push_back(PrintedOf(row, each));
  }
  return out;
}

}  // namespace

void AddPublished(const Store& store, ReportDataset& dataset) {
  const auto kept = StoredReproductions(store);
  if (kept.empty()) return;
  std::set<std::string> here;
  for (const ReportRow& row : dataset.rows) here.insert(row.recipe);
  const auto made_here = [&](const std::string& id) {
    const auto at = kept.find(id);
    return at != kept.end() && std::any_of(at->second.begin(), at->second.end(),
                                           [&](const auto& made) {
                                             return here.contains(made.second);
                                           });
  };
  const std::string name =
      dataset.name.substr(0, dataset.name.find_first_of(": "));
  const RowRecipes recipes = ReadRowRecipes();
  std::vector<PublishedCell> cells;
  std::set<std::string> tables;
  for (const Published& published : ReadAllPublished()) {
    for (PublishedCell& cell : FindPublishedRows(published.name)) {
      if (made_here(IdOf(cell))) {
        tables.insert(StrCat(cell.table.source, ":", cell.table.id));
      }
      cells.push_back(std::move(cell));
    }
  }
  for (const PublishedCell& cell : cells) {
    const std::string id = IdOf(cell);
    const bool mine = made_here(id);
    const bool beside =
        cell.row.dataset == name &&
        tables.contains(StrCat(cell.table.source, ":", cell.table.id));
    if (!mine && !beside) continue;
    const auto at = kept.find(id);
    const auto entries = recipes.Of(cell.table, cell.row);
    const std::string why = entries.empty() ? "no such method"
                            : !entries.front()->missing.empty()
                                ? entries.front()->missing
                                : StrCat("tailmark reproduce '", id, "'");
    const ColumnRecipes none;
    dataset.published.push_back(PublishedOf(
        cell, JudgeRow(&store, cell, recipes,
                       mine && at != kept.end() ? at->second : none, why)));
  }
}

}  // namespace tailmark
