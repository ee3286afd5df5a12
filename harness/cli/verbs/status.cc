#include <algorithm>
#include <iostream>
#include <map>

#include "harness/base/progress.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/planning.h"
#include "harness/cli/tables.h"
#include "harness/cli/verbs.h"
#include "harness/launch/bundle_watch.h"
#include "results/campaign.h"

namespace tailmark {
namespace {

struct StatusOptions {
  std::string campaign;
  bool json = false;
};

/// The state of a cell now: the store knows what came in, bundles, locks and
/// events know the rest.
struct Now {
  std::string state;
  std::string detail;
};

using Seen = std::map<std::string, SeenRun>;  // By key.

Now NowOf(const SeenRun& run) {
  if (run.state == "running") return {run.state, ToText(run.progress)};
  if (run.state == "stopped") return {run.state, "resume goes on"};
  return {run.state, run.reason.empty() ? "import takes it in" : run.reason};
}

Now NowOf(const Cell& cell, const Seen& seen) {
  Now kept{std::string(NameOf(cell.state)), cell.reason};
  const auto it = seen.find(cell.key);
  if (cell.state == RunState::kDone || it == seen.end()) return kept;
  // Of a failure the store may know more than its bundle says.
  const bool open = it->second.state == "running" ||
                    it->second.state == "stopped" ||
                    it->second.state == NameOf(RunState::kDone);
  if (it->second.state == "stopped" && cell.run) return kept;
  return open || cell.state == RunState::kPlanned ? NowOf(it->second) : kept;
}

/// All that lies in the store's bundles.
std::vector<SeenRun> LookAt(const std::filesystem::path& bundles) {
  return BundleWatch(bundles, FileSystemKind(bundles).network).Look();
}

class StatusTable {
 public:
  void Add(const Cell& cell, const Now& now) {
    ++counts_[now.state];
    ++total_;
    (cell.row ? runs_ : tasks_)
        .push_back({{"key", cell.key},
                    {"recipe", cell.recipe},
                    {"method", cell.method},
                    {"label", cell.label},
                    {"dataset", cell.dataset},
                    {"seed", cell.seed},
                    {"state", now.state},
                    {"reason", now.detail.empty() ? OrderedJson(nullptr)
                                                  : OrderedJson(now.detail)}});
    table_.push_back({now.state, cell.label, cell.dataset,
                      std::to_string(cell.seed), cell.key.substr(0, 12),
                      now.detail});
  }

  void Print(const std::string& campaign, double left_s, bool json) const {
    if (json) {
      std::cout << OrderedJson(
                       {{"campaign", campaign.empty() ? OrderedJson(nullptr)
                                                      : OrderedJson(campaign)},
                        {"total", total_},
                        {"counts", counts_},
                        {"left_s", left_s < 0 ? OrderedJson(nullptr)
                                              : OrderedJson(left_s)},
                        {"runs", runs_},
                        {"tasks", tasks_}})
                       .dump(2)
                << "\n";
      return;
    }
    if (total_ == 0) {
      std::cout << "no campaign yet\n";
      return;
    }
    std::cout << TextTable(table_) << campaign << (campaign.empty() ? "" : ": ")
              << total_ << " in all:";
    for (const auto& [state, count] : counts_) {
      std::cout << " " << count << " " << state;
    }
    if (left_s >= 0)
      std::cout << ", about " << FormatSeconds(left_s) << " left";
    std::cout << "\n";
  }

 private:
  std::int64_t total_ = 0;
  std::map<std::string, std::int64_t> counts_;
  OrderedJson runs_ = OrderedJson::array();
  OrderedJson tasks_ = OrderedJson::array();
  std::vector<std::vector<std::string>> table_ = {
      {"STATE", "METHOD", "DATA SET", "SEED", "KEY", "DETAIL"}};
};

/// Of a folder that workers fill and nobody has imported: what is there.
StatusTable TableOf(const std::vector<SeenRun>& runs) {
  StatusTable table;
  for (const SeenRun& run : runs) {
    Cell cell{.label = run.method, .key = run.key};
    cell.method = run.method;
    cell.dataset = run.dataset;
    cell.seed = run.seed;
    table.Add(cell, NowOf(run));
  }
  return table;
}

int Status(const StatusOptions& options, const GlobalOptions& global) {
  const std::filesystem::path bundles = StoreFolder(global) / "bundles";
  if (options.campaign.empty() && !StoreExists(StoreFolder(global)) &&
      std::filesystem::is_directory(bundles)) {
    const auto runs = LookAt(bundles);
    TableOf(runs).Print("", SecondsLeft(runs, {}), options.json);
    return kExitOk;
  }
  const Store store = OpenStoreToRead(global);
  const auto campaign = FindCampaign(store, options.campaign);
  if (!campaign) {
    const auto runs = LookAt(bundles);
    TableOf(runs).Print("", SecondsLeft(runs, {}), options.json);
    return kExitOk;
  }
  const std::vector<Cell> cells = Cells(store, campaign->id);
  const bool any = std::any_of(cells.begin(), cells.end(), [](const Cell& c) {
    return c.state != RunState::kDone;
  });
  const std::vector<SeenRun> runs =
      any ? LookAt(bundles) : std::vector<SeenRun>();
  Seen seen;
  for (const SeenRun& run : runs) seen.emplace(run.key, run);
  StatusTable table;
  std::vector<std::string> waiting;
  for (const Cell& cell : cells) {
    const Now now = NowOf(cell, seen);
    table.Add(cell, now);
    if (now.state == NameOf(RunState::kPlanned)) waiting.push_back(cell.method);
  }
  table.Print(campaign->name, SecondsLeft(runs, waiting), options.json);
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
