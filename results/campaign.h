#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/record/bundle.h"
#include "results/query.h"
#include "results/store.h"

namespace tailmark {

/// One cell that a campaign asks for. When a finished run of an older build is
/// reused for it, `spec.build` is that build: the cell then has that run's key.
struct PlannedRun {
  RunSpec spec;
  std::string label;  ///< The row's name in tables: "linear_probe loss=db".
  /// kPlanned, or what the method's abilities decided before anything ran:
  /// kNotApplicable, kSkipped.
  RunState state = RunState::kPlanned;
  std::string reason;  ///< Of the two latter.
};

struct CampaignPlan {
  std::string name;
  std::string command;           ///< That starts it again.
  Json recipe = Json::object();  ///< The resolved campaign.
  std::vector<PlannedRun> runs;  ///< In the order of the recipe.
};

/// Keeps which runs belong together, in one transaction, before any has run.
/// The same plan again (name, keys and order) gives the old id and makes it the
/// newest. Two plans may share runs and a name; a name means the newest of that
/// name. Throws StoreError.
std::int64_t RegisterCampaign(Store& store, const CampaignPlan& plan);

struct CampaignRow {
  std::int64_t id = 0;
  std::string name;
  std::string created_utc;
  std::string command;
  std::string recipe_json;
  std::int64_t cells = 0;
};
std::vector<CampaignRow> Campaigns(const Store& store);  ///< Newest first.
/// By name (the newest), or "" for the newest of all. Nothing when the store
/// has no campaign; throws ConfigError with the nearest name otherwise.
std::optional<CampaignRow> FindCampaign(const Store& store,
                                        std::string_view name);

/// A planned cell with what became of it.
struct Cell {
  std::int64_t position = 0;
  std::string label;
  std::string key;
  std::string recipe;
  std::string method;
  std::string dataset;
  std::uint64_t seed = 0;
  /// False: a task that rows start from, named by no recipe; no row of a table.
  bool row = true;
  /// Of the run when there is one, else as planned.
  RunState state = RunState::kPlanned;
  std::string reason;
  /// The finished run of the key, else its last attempt.
  std::optional<RunRow> run;
};
/// Every cell in order, present or missing.
std::vector<Cell> Cells(const Store& store, std::int64_t campaign_id);
/// The specs in order: what `resume` runs again.
std::vector<PlannedRun> PlannedRuns(const Store& store,
                                    std::int64_t campaign_id);
/// How many cells are in which state.
std::map<RunState, std::int64_t> StateCounts(const Store& store,
                                             std::int64_t campaign_id);

}  // namespace tailmark
