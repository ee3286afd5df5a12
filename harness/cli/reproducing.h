#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/cli/planning.h"
#include "results/reproduction.h"

namespace tailmark {

/// What `tailmark reproduce ID` is to make.
struct ReproduceOptions {
  std::string id;
  bool stand_in =
      false;         ///< On the embedded data, to show that the path holds.
  PlanOptions plan;  ///< `recipe` and `overrides.only` are not used.
};

/// A recipe file's text, and which of its methods make which rows.
struct WrittenRecipe {
  Json json;
  /// Method of the recipe -> "source:table:row:dataset" and column ("" is all).
  std::map<std::string, std::vector<std::pair<std::string, std::string>>> makes;
};

/// Recipes that make these rows: one for each weights, pipeline and protocol
/// that they need. Rows that cannot be made are in none.
std::vector<WrittenRecipe> WriteRecipes(const std::vector<PublishedCell>& cells,
                                        const RowRecipes& recipes,
                                        const std::string& id, bool stand_in);

/// Everything planned: the tasks of all recipes in one plan.
struct PlannedReproduction {
  Plan plan;
  Json recipes = Json::array();  ///< As written.
  /// "source:table:row:dataset" -> column -> recipe id.
  std::map<std::string, ColumnRecipes> made;
  /// The same -> why it cannot run, where it cannot.
  std::map<std::string, std::string> not_run;
};
PlannedReproduction PlanReproduction(const std::vector<PublishedCell>& cells,
                                     const RowRecipes& recipes,
                                     const ReproduceOptions& options,
                                     const GlobalOptions& global,
                                     DataAccess& data, const Store* store);

/// Exit code of these verdicts: 1 below or above, 5 not comparable or table
/// inconsistent, 4 not run, 0; 3 when a run failed.
int ExitCodeOf(const std::vector<ReproducedRow>& rows, bool failed);

/// The contract of --json for one row.
OrderedJson ToJson(const ReproducedRow& row);

}  // namespace tailmark
