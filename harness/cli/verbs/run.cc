#include <iostream>

#include "harness/base/error.h"
#include "harness/base/log.h"
#include "harness/cli/execution.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/partitions.h"
#include "harness/cli/planning.h"
#include "harness/cli/verbs.h"
#include "harness/record/catalog.h"
#include "results/campaign.h"
#include "results/query.h"

namespace tailmark {
namespace {

struct RunVerbOptions {
  PlanOptions plan;
  ExecuteOptions execute;
};

int Run(RunVerbOptions options, const GlobalOptions& global) {
  options.plan.plugins_may_fail = true;
  DataAccess data(CacheIfThere(global));
  // Before a store is made: a wrong recipe leaves nothing behind.
  if (!StoreExists(StoreFolder(global))) {
    MakeCampaign(options.plan, global, data, nullptr);
  }
  Store store(StoreFolder(global));
  const Campaign campaign = MakeCampaign(options.plan, global, data, &store);
  options.execute.force = options.plan.force || options.plan.reuse == "none";
  LogInfo(StrCat(campaign.plan.campaign, ": ", CostOf(campaign.plan.tasks)));
  KeepPartitions(campaign.plan, data, StoreFolder(global) / "partitions");
  return ExecutePlan(campaign.plan,
                     {{"recipe", campaign.recipe.source.json()},
                      {"plan", ToJson(campaign.plan)}},
                     RunCommand(options.plan), options.execute, global, data,
                     store);
}

/// What of a plan is done by now.
void MarkDone(Plan& plan, const Store& store) {
  MarkReused(
      plan, Reuse::kSameBuild, Rerun(),
      [&](const PlanTask& task) -> std::optional<StoredRun> {
        const auto row = DoneRun(store, task.key);
        if (!row) return std::nullopt;
        return StoredRun{
            .build = row->build,
            .reason = {},
            .has_state = [bundles = store.bundles(), key = row->key] {
              return !FindWholeState(bundles, key).empty();
            }};
      },
      [](const PlanTask&) { return std::nullopt; });
}

int Resume(const std::string& name, const ExecuteOptions& options,
           const GlobalOptions& global) {
  if (!StoreExists(StoreFolder(global))) {
    throw ConfigError(StrCat("no store in ", StoreFolder(global).string(),
                             "; there is nothing to resume"));
  }
  Store store(StoreFolder(global));
  const auto campaign = FindCampaign(store, name);
  if (!campaign) {
    throw ConfigError("the store has no campaign; start one with tailmark run");
  }
  const Json kept = ParseJson(campaign->recipe_json, campaign->name);
  const auto planned = kept.find("plan");
  if (planned == kept.end()) {
    throw ConfigError(StrCat("campaign '", campaign->name,
                             "' was not started here; ", campaign->command));
  }
  Plan plan = PlanFromJson(*planned);
  MarkDone(plan, store);
  const Catalog catalog = LoadCatalog();
  for (const PlanTask& task : plan.tasks) {
    if (task.state == RunState::kPlanned &&
        task.spec.build != catalog.build.digest) {
      throw ConfigError(StrCat("campaign '", campaign->name,
                               "' was planned for another build of Tailmark; ",
                               campaign->command, " plans it again"));
    }
  }
  DataAccess data(CacheIfThere(global));
  return ExecutePlan(plan, kept, campaign->command, options, global, data,
                     store);
}

}  // namespace

Verb RunVerb(const GlobalOptions& global) {
  auto options = std::make_shared<RunVerbOptions>();
  return {.name = "run",
          .summary = "Run a recipe here, keep the results, print the table",
          .example = "tailmark run quickstart --seeds 0-2",
          .declare =
              [options](Args& args) {
                DeclarePlanOptions(args, options->plan);
                DeclareExecuteOptions(args, options->execute);
              },
          .run = [options, &global] { return Run(*options, global); }};
}

Verb ResumeVerb(const GlobalOptions& global) {
  struct ResumeOptions {
    std::string campaign;
    ExecuteOptions execute;
  };
  auto options = std::make_shared<ResumeOptions>();
  return {.name = "resume",
          .summary = "Go on with a campaign that was stopped or killed",
          .example = "tailmark resume quickstart",
          .declare =
              [options](Args& args) {
                args.Positional("CAMPAIGN", options->campaign, false,
                                "Its name (default: the newest)");
                DeclareExecuteOptions(args, options->execute);
              },
          .run =
              [options, &global] {
                return Resume(options->campaign, options->execute, global);
              }};
}

}  // namespace tailmark
