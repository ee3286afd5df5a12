#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/json.h"
#include "harness/cli/args.h"
#include "harness/cli/data_access.h"
#include "harness/launch/local.h"
#include "harness/launch/plan.h"
#include "results/store.h"

namespace tailmark {

/// How `run` and `resume` execute a plan.
struct ExecuteOptions {
  /// Default: cores / threads of a run; with devices one each, more where the
  /// memory that runs declare allows.
  std::optional<std::int64_t> workers;
  std::string devices;     ///< "all", "0,2"; "": as the recipe says.
  std::string stop_after;  ///< "30m", "3epochs", "500steps"; "": never.
  bool force = false;
  bool json = false;
};
void DeclareExecuteOptions(Args& args, ExecuteOptions& options);

/// Keeps the plan as a campaign in the store; its id. `recipe` is what it was
/// made from, `command` starts it again.
std::int64_t KeepCampaign(Store& store, const Plan& plan, const Json& recipe,
                          const std::string& command);

/// A plan that was run.
struct Executed {
  std::int64_t campaign_id = 0;
  std::vector<TaskResult> results;  ///< One a task, in order.
};
/// Keeps the plan as a campaign in the store, runs what is not done and ingests
/// each run the moment it ends. Prints nothing on stdout. Throws as RunLocally
/// does.
Executed RunPlan(const Plan& plan, const Json& recipe,
                 const std::string& command, const ExecuteOptions& options,
                 const GlobalOptions& global, DataAccess& data, Store& store);

/// RunPlan, which then prints the table (or the JSON contract) on
/// stdout. `recipe` is what the campaign was made from, `command` starts it
/// again. Returns the exit code. Throws as RunLocally does.
int ExecutePlan(const Plan& plan, const Json& recipe,
                const std::string& command, const ExecuteOptions& options,
                const GlobalOptions& global, DataAccess& data, Store& store);

/// {campaign, runs: [...], tasks: [...]}: what `run --json` prints. A task is
/// what rows start from; it has no metrics.
OrderedJson CampaignAnswer(const Store& store, std::int64_t campaign_id);

/// Exit code of a campaign in this state: 3 when a run failed, 75 when one
/// stopped with a checkpoint, 4 when nothing or not everything was measured.
int ExitCodeOf(const std::vector<RunState>& states);

/// mAP in percent of test scores in a file, under `definition`: what a schedule
/// that is driven by test scores is told. Throws DataError.
double TestMap(DataAccess& data, const RunSpec& spec,
               const std::string& definition,
               const std::filesystem::path& scores);

/// Puts sealed bundles of any state into a store. What the store has to say of
/// a row is said once, not for every seed.
class Keeper {
 public:
  /// Both must outlive it. `definition` picks where epochs are picked on test.
  Keeper(Store& store, DataAccess& data, std::string definition = "ap.step")
      : store_(store), data_(data), definition_(std::move(definition)) {}
  /// The result as stored: what is not done afterwards has its reason. A task
  /// that was skipped has no bundle.
  TaskResult Keep(const RunSpec& spec, const TaskResult& result);

 private:
  TaskResult KeepWithoutBundle(const RunSpec& spec, const TaskResult& result);

  Store& store_;
  DataAccess& data_;
  std::string definition_;
  std::set<std::string> said_;
};

}  // namespace tailmark
