#include <algorithm>
#include <iostream>
#include <map>

#include "harness/base/environment.h"
#include "harness/base/error.h"
#include "harness/cli/comparing.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/planning.h"
#include "harness/cli/tables.h"
#include "harness/cli/verbs.h"
#include "results/baseline.h"
#include "results/campaign.h"

namespace tailmark {
namespace {

struct AcceptOptions {
  std::string name = "main";
  std::string campaign;
  std::string why;
  std::string by;
};

int Accept(const AcceptOptions& options, const GlobalOptions& global) {
  OpenStoreToRead(global);
  Store store(StoreFolder(global));
  const auto campaign = FindCampaign(store, options.campaign);
  if (!campaign) throw ConfigError("the store has no campaign to accept");
  std::vector<RunRow> runs;
  std::size_t cells = 0;
  for (const Cell& cell : Cells(store, campaign->id)) {
    ++cells;
    if (cell.run && cell.run->state == RunState::kDone) {
      runs.push_back(*cell.run);
    }
  }
  const std::string by =
      !options.by.empty() ? options.by : GetEnv("USER").value_or("?");
  AcceptBaseline(store, options.name, runs, options.why, by);
  std::cout << "baseline " << options.name << ": " << runs.size() << " of "
            << cells << " runs of " << campaign->name << ", accepted by " << by
            << "\n";
  return runs.size() == cells ? kExitOk : kExitNothing;
}

OrderedJson BaselineToJson(const Baseline& baseline) {
  OrderedJson keys = OrderedJson::array();
  for (const RunRow& run : baseline.runs) keys.push_back(run.key);
  return {{"name", baseline.name},      {"version", 1},
          {"summary", baseline.why},    {"accepted", baseline.accepted_utc},
          {"by", baseline.accepted_by}, {"why", baseline.why},
          {"runs", std::move(keys)}};
}

int List(bool json, const GlobalOptions& global) {
  const Store store = OpenStoreToRead(global);
  OrderedJson rows = OrderedJson::array();
  std::vector<std::vector<std::string>> table = {
      {"NAME", "ACCEPTED", "BY", "RUNS", "WHY"}};
  for (const Baseline& each : Baselines(store)) {
    rows.push_back(BaselineToJson(each));
    table.push_back({each.name, each.accepted_utc, each.accepted_by,
                     std::to_string(each.runs.size()), each.why});
  }
  std::cout << (json ? rows.dump(2) + "\n" : TextTable(table));
  return kExitOk;
}

/// Total of each row of an acceptance: the mean over its runs.
std::map<std::string, double> TotalsOf(const Store& store,
                                       const Baseline& baseline) {
  std::map<std::string, std::vector<double>> values;
  for (const RunRow& run : baseline.runs) {
    const std::string id = IdOf(DefinitionOf(store, run, ""));
    const MetricMap metrics = MetricsOf(store, run.id);
    const auto groups = metrics.find(id);
    if (groups == metrics.end()) continue;
    for (const auto& [group, value] : groups->second) {
      if (!value) continue;
      values[StrCat(run.dataset, " / ", run.method, " / ", group)].push_back(
          *value);
    }
  }
  std::map<std::string, double> means;
  for (const auto& [name, list] : values) {
    double sum = 0;
    for (const double each : list) sum += each;
    means[name] = sum / static_cast<double>(list.size());
  }
  return means;
}

struct DiffOptions {
  std::string name = "main";
  bool json = false;
};

int Diff(const DiffOptions& options, const GlobalOptions& global) {
  const Store store = OpenStoreToRead(global);
  const auto now = TotalsOf(store, FindBaseline(store, options.name));
  const auto first = TotalsOf(store, OldestBaseline(store, options.name));
  OrderedJson rows = OrderedJson::array();
  std::vector<std::vector<std::string>> table = {
      {"ROW", "OLDEST", "NEWEST", "DIFFERENCE"}};
  const auto text = [](double value, const char* format) {
    char out[32];
    std::snprintf(out, sizeof out, format, value);
    return std::string(out);
  };
  for (const auto& [name, value] : now) {
    const auto before = first.find(name);
    const bool there = before != first.end();
    rows.push_back(
        {{"row", name},
         {"oldest", there ? OrderedJson(before->second) : OrderedJson(nullptr)},
         {"newest", value},
         {"difference",
          there ? OrderedJson(value - before->second) : OrderedJson(nullptr)}});
    table.push_back({name, there ? text(before->second, "%.2f") : "",
                     text(value, "%.2f"),
                     there ? text(value - before->second, "%+.2f") : "new"});
  }
  std::cout << (options.json ? rows.dump(2) + "\n" : TextTable(table));
  return kExitOk;
}

Verb AcceptVerb(const GlobalOptions& global) {
  auto options = std::make_shared<AcceptOptions>();
  return {.name = "accept",
          .summary =
              "Make the runs of a campaign what later ones are held "
              "against",
          .example = "tailmark baseline accept main --why \"first release\"",
          .declare =
              [options](Args& args) {
                args.Positional("NAME", options->name, false,
                                "Of the baseline (default: main)");
                args.Option("--campaign", options->campaign, "NAME",
                            "Whose runs (default: the newest)");
                args.Option("--why", options->why, "REASON",
                            "What changed, and why it is right; required");
                args.Option("--by", options->by, "WHO",
                            "Who accepts (default: $USER)");
              },
          .run = [options, &global] { return Accept(*options, global); }};
}

Verb ListBaselinesVerb(const GlobalOptions& global) {
  auto json = std::make_shared<bool>(false);
  return {.name = "list",
          .summary = "Every acceptance, oldest first",
          .example = "tailmark baseline list --json",
          .declare =
              [json](Args& args) { args.Flag("--json", *json, "Print JSON"); },
          .run = [json, &global] { return List(*json, global); }};
}

Verb DiffVerb(const GlobalOptions& global) {
  auto options = std::make_shared<DiffOptions>();
  return {.name = "diff",
          .summary = "The newest acceptance against the oldest",
          .example = "tailmark baseline diff main",
          .declare =
              [options](Args& args) {
                args.Positional("NAME", options->name, false,
                                "Of the baseline (default: main)");
                args.Flag("--json", options->json, "Print JSON");
              },
          .run = [options, &global] { return Diff(*options, global); }};
}

}  // namespace

Verb BaselineVerb(const GlobalOptions& global) {
  return {.name = "baseline",
          .summary =
              "Runs that later ones are held against: accept, list, "
              "diff",
          .example = "tailmark baseline accept main --why \"first release\"",
          .declare = nullptr,
          .run = nullptr,
          .verbs = {AcceptVerb(global), ListBaselinesVerb(global),
                    DiffVerb(global)}};
}

}  // namespace tailmark
