#include <iostream>

#include "harness/base/error.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/planning.h"
#include "harness/cli/tables.h"
#include "harness/cli/verbs.h"
#include "harness/launch/events.h"
#include "harness/launch/key_lock.h"
#include "harness/launch/task_run.h"
#include "results/campaign.h"

namespace tailmark {
namespace {

struct StatusOptions {
  std::string campaign;
  bool json = false;
};

/// The state of a cell now: the store knows what ended, the locks and events
/// what runs.
struct Now {
  std::string state;
  std::string detail;
};

Now NowOf(const Store& store, const Cell& cell) {
  if (cell.state == RunState::kDone) return {"done", ""};
  const TaskFiles files = FilesOf(store.bundles(), cell.key);
  if (KeyLock::IsHeld(files.lock)) {
    EventsTail events(files.part / "events.jsonl");
    return {"running", ToText(events.Read())};
  }
  if (cell.state == RunState::kPlanned && std::filesystem::exists(files.part)) {
    return {"stopped", "resume goes on"};
  }
  return {std::string(NameOf(cell.state)), cell.reason};
}

int Status(const StatusOptions& options, const GlobalOptions& global) {
  const Store store = OpenStoreToRead(global);
  const auto campaign = FindCampaign(store, options.campaign);
  if (!campaign) {
    if (options.json) {
      std::cout << OrderedJson({{"campaign", nullptr},
                                {"runs", OrderedJson::array()},
                                {"tasks", OrderedJson::array()}})
                       .dump(2)
                << "\n";
    } else {
      std::cout << "no campaign yet\n";
    }
    return kExitOk;
  }
  std::map<std::string, std::int64_t> counts;
  OrderedJson runs = OrderedJson::array();
  OrderedJson tasks = OrderedJson::array();
  std::vector<std::vector<std::string>> table = {
      {"STATE", "METHOD", "DATA SET", "SEED", "KEY", "DETAIL"}};
  for (const Cell& cell : Cells(store, campaign->id)) {
    const Now now = NowOf(store, cell);
    ++counts[now.state];
    OrderedJson& list = cell.row ? runs : tasks;
    list.push_back({{"key", cell.key},
                    {"recipe", cell.recipe},
                    {"method", cell.method},
                    {"label", cell.label},
                    {"dataset", cell.dataset},
                    {"seed", cell.seed},
                    {"state", now.state},
                    {"reason", now.detail.empty() ? OrderedJson(nullptr)
                                                  : OrderedJson(now.detail)}});
    table.push_back({now.state, cell.label, cell.dataset,
                     std::to_string(cell.seed), cell.key.substr(0, 12),
                     now.detail});
  }
  if (options.json) {
    std::cout << OrderedJson({{"campaign", campaign->name},
                              {"counts", counts},
                              {"runs", runs},
                              {"tasks", tasks}})
                     .dump(2)
              << "\n";
    return kExitOk;
  }
  std::cout << TextTable(table) << campaign->name << ":";
  for (const auto& [state, count] : counts) {
    std::cout << " " << count << " " << state;
  }
  std::cout << "\n";
  return kExitOk;
}

}  // namespace

Verb StatusVerb(const GlobalOptions& global) {
  auto options = std::make_shared<StatusOptions>();
  return {.name = "status",
          .summary = "Where a campaign stands, from any terminal",
          .example = "tailmark status --json",
          .declare =
              [options](Args& args) {
                args.Positional("CAMPAIGN", options->campaign, false,
                                "Its name (default: the newest)");
                args.Flag("--json", options->json, "Print JSON");
              },
          .run = [options, &global] { return Status(*options, global); }};
}

}  // namespace tailmark
