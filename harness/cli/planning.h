#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "harness/cli/args.h"
#include "harness/cli/data_access.h"
#include "harness/launch/plan.h"
#include "harness/record/recipe.h"
#include "results/store.h"

namespace tailmark {

/// --store, else $TAILMARK_STORE, else ./tailmark-store.
std::filesystem::path StoreFolder(const GlobalOptions& global);

/// Where features and hashes of image files are kept: $TAILMARK_CACHE, else
/// inside the store.
std::filesystem::path CacheFolder(const GlobalOptions& global);
/// The same, but "" while it would be inside a store that is not there: looking
/// makes none.
std::filesystem::path CacheIfThere(const GlobalOptions& global);

/// Opens a store that must be there, to read it. Throws ConfigError when it is
/// not.
Store OpenStoreToRead(const GlobalOptions& global);

/// The catalogue, or nothing in a build without the engine.
std::optional<Catalog> CatalogIfThere();

/// A recipe as a path, or by the name of one of ours ("quickstart"). Throws
/// ConfigError with the nearest name.
std::filesystem::path RecipePath(const std::string& recipe);
/// Names of the recipes that ship with Tailmark, sorted.
std::vector<std::string> RecipeNames();

/// What `plan`, `run` and `validate` take.
struct PlanOptions {
  std::string recipe;
  RecipeOverrides overrides;
  std::optional<std::int64_t> limit;
  std::string reuse;  ///< "": same-build under CI, else same-recipe.
  std::string rerun;
  bool force = false;
  std::optional<std::int64_t> threads;
  /// The plain way of every method that has one beside a faster one of the same
  /// scores up to rounding: its option `acceleration` is false.
  bool no_acceleration = false;
  std::vector<std::string> allow_plugins;
  /// A plugin that cannot be loaded is a row with the reason, not the end.
  bool plugins_may_fail = false;
};
void DeclarePlanOptions(Args& args, PlanOptions& options);
/// The part of them that does not ask for a recipe: --limit to --force.
void DeclareHowToRun(Args& args, PlanOptions& options);
/// The command line that starts such a campaign again.
std::string RunCommand(const PlanOptions& options);

/// A planned campaign and what it was planned from.
struct Campaign {
  Recipe recipe;
  Plan plan;
};
/// Reads the recipe, opens its data and weights, plans; with a store, marks
/// what it already has and estimates the rest. Relative cache and weights
/// become absolute.
Campaign MakeCampaign(PlanOptions options, const GlobalOptions& global,
                      DataAccess& data, const Store* store);

/// "new" for what is still to run, else the state.
std::string WordOf(const PlanTask& task);
/// What every --json says of a task: key, recipe, label, data set, seed, state,
/// reason, estimate and whose it is.
OrderedJson SummaryOf(const PlanTask& task);
/// The same for a table: "0:12:00 declared", "-".
std::string TimeOf(const PlanTask& task);

/// The folder of weights of ours ("nano-clip") or a path. Throws ConfigError.
PlannedWeights FindWeights(const std::string& weights);

/// "cpu" or "cuda" for "auto", everything else as it is.
std::string ResolveDevice(const std::string& device, const Catalog& catalog);

}  // namespace tailmark
