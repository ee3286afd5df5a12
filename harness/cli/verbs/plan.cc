#include <iostream>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/options_json.h"
#include "harness/base/progress.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/planning.h"
#include "harness/cli/tables.h"
#include "harness/cli/verbs.h"

namespace tailmark {
namespace {

struct PlanVerbOptions {
  PlanOptions plan;
  std::string out;
  bool explain = false;
  bool json = false;
};

OrderedJson PlanToJson(const Plan& plan) {
  OrderedJson runs = OrderedJson::array();
  OrderedJson tasks = OrderedJson::array();
  for (const PlanTask& task : plan.tasks) {
    OrderedJson options = OrderedJson::object();
    for (const auto& [name, value] : task.spec.identity.method_options) {
      options[name] = {{"value", OrderedJson(ToJson(value))},
                       {"origin", task.origins.at(name)}};
    }
    OrderedJson after = OrderedJson::array();
    for (const RunNeed& need : task.spec.identity.needs) {
      after.push_back({{"role", need.role}, {"key", need.key}});
    }
    OrderedJson& list = task.row() ? runs : tasks;
    OrderedJson answer = SummaryOf(task);
    answer["rss_bytes"] =
        task.rss_bytes > 0 ? OrderedJson(task.rss_bytes) : OrderedJson(nullptr);
    answer["memory_from"] = OriginWord(task.memory_from);
    answer["gpu_bytes"] =
        task.gpu_bytes > 0 ? OrderedJson(task.gpu_bytes) : OrderedJson(nullptr);
    answer["options"] = std::move(options);
    answer["after"] = std::move(after);
    list.push_back(std::move(answer));
  }
  return {{"campaign", plan.campaign},
          {"runs", std::move(runs)},
          {"tasks", std::move(tasks)}};
}

void PrintTable(const Plan& plan) {
  std::vector<std::vector<std::string>> table = {
      {"STATE", "METHOD", "DATA SET", "SEED", "KEY", "TIME", "REASON"}};
  std::int64_t rows = 0;
  std::int64_t tasks = 0;
  for (const PlanTask& task : plan.tasks) {
    table.push_back({WordOf(task), task.label, task.spec.identity.dataset,
                     std::to_string(task.spec.seed), task.key.substr(0, 12),
                     TimeOf(task), task.reason});
    ++(task.row() ? rows : tasks);
  }
  std::cout << TextTable(table) << plan.campaign << ": " << rows << " runs"
            << (tasks > 0 ? StrCat(" and ", tasks, " that they start from")
                          : "")
            << ", " << CostOf(plan.tasks) << "\n";
}

/// "  time 0:00:14 declared, memory 412 MiB recorded, GPU 2.1 GiB".
std::string ThoughtOf(const PlanTask& task) {
  std::string text = "  time ";
  if (task.estimate_s) text += FormatSeconds(*task.estimate_s) + " ";
  text += OriginWord(task.estimate_from) + ", memory ";
  if (task.rss_bytes > 0) {
    text += FormatBytes(static_cast<double>(task.rss_bytes)) + " ";
  }
  text += OriginWord(task.memory_from);
  if (task.gpu_bytes == 0) return text;
  return StrCat(text, ", GPU ",
                FormatBytes(static_cast<double>(task.gpu_bytes)));
}

/// Each recipe once, with every option's value and who said so.
void PrintExplained(const Campaign& campaign) {
  std::string last;
  for (const PlanTask& task : campaign.plan.tasks) {
    if (task.recipe == last) continue;
    last = task.recipe;
    const RunIdentity& id = task.spec.identity;
    std::vector<std::vector<std::string>> table;
    for (const auto& [name, value] : id.method_options) {
      table.push_back({"  " + name, ToText(value), task.origins.at(name)});
    }
    std::cout << "\n"
              << task.label << " on " << id.dataset << ", recipe "
              << task.recipe.substr(0, 12) << "\n"
              << TextTable(table) << ThoughtOf(task) << "\n";
  }
  // The rest of the recipe: as merged, with the file each value came from.
  const SourcedJson& source = campaign.recipe.source;
  std::vector<std::vector<std::string>> table;
  for (const auto& [name, value] : source.json().items()) {
    if (name == "methods") continue;
    if (!value.is_object()) {
      table.push_back(
          {"  " + name, value.dump(), source.OriginOf({name}).text});
      continue;
    }
    for (const auto& [member, inner] : value.items()) {
      table.push_back({"  " + name + "." + member, inner.dump(),
                       source.OriginOf({name, member}).text});
    }
  }
  std::cout << "\nrecipe\n" << TextTable(table);
}

int PlanIt(const PlanVerbOptions& options, const GlobalOptions& global) {
  DataAccess data(CacheIfThere(global));
  std::optional<Store> store;
  if (StoreExists(StoreFolder(global))) {
    store.emplace(StoreFolder(global), StoreOptions{.read_only = true});
  }
  const Campaign campaign =
      MakeCampaign(options.plan, global, data, store ? &*store : nullptr);
  if (!options.out.empty()) {
    WriteFileAtomic(options.out, ToJson(campaign.plan).dump(1) + "\n");
  }
  if (options.json) {
    std::cout << PlanToJson(campaign.plan).dump(2) << "\n";
  } else {
    PrintTable(campaign.plan);
    if (options.explain) PrintExplained(campaign);
  }
  return kExitOk;
}

int Validate(const PlanVerbOptions& options, const GlobalOptions& global) {
  DataAccess data(CacheIfThere(global));
  const Campaign campaign = MakeCampaign(options.plan, global, data, nullptr);
  OrderedJson problems = OrderedJson::array();
  std::int64_t usable = 0;
  for (const PlanTask& task : campaign.plan.tasks) {
    if (task.state == RunState::kPlanned) {
      ++usable;
    } else {
      problems.push_back({{"label", task.label},
                          {"dataset", task.spec.identity.dataset},
                          {"seed", task.spec.seed},
                          {"state", NameOf(task.state)},
                          {"reason", task.reason}});
    }
  }
  if (options.json) {
    std::cout << OrderedJson({{"campaign", campaign.plan.campaign},
                              {"runs", campaign.plan.tasks.size()},
                              {"usable", usable},
                              {"problems", problems}})
                     .dump(2)
              << "\n";
  } else {
    for (const OrderedJson& each : problems) {
      std::cout << each["state"].get<std::string>() << "  "
                << each["label"].get<std::string>() << " on "
                << each["dataset"].get<std::string>() << ": "
                << each["reason"].get<std::string>() << "\n";
    }
    std::cout << campaign.plan.campaign << ": the recipe is right, " << usable
              << " of " << campaign.plan.tasks.size() << " runs can start\n";
  }
  return usable == 0 ? kExitNothing : kExitOk;
}

}  // namespace

Verb PlanVerb(const GlobalOptions& global) {
  auto options = std::make_shared<PlanVerbOptions>();
  return {.name = "plan",
          .summary = "What a recipe would run, with keys, states and times",
          .example = "tailmark plan quickstart --explain",
          .declare =
              [options](Args& args) {
                DeclarePlanOptions(args, options->plan);
                args.Option("-o,--out", options->out, "FILE",
                            "Write the plan for `tailmark worker`");
                args.Flag("--explain", options->explain,
                          "Every option with its value and origin");
                args.Flag("--json", options->json, "Print JSON");
              },
          .run = [options, &global] { return PlanIt(*options, global); }};
}

Verb ValidateVerb(const GlobalOptions& global) {
  auto options = std::make_shared<PlanVerbOptions>();
  return {.name = "validate",
          .summary = "Check a recipe, its data and weights, without running",
          .example = "tailmark validate quickstart",
          .declare =
              [options](Args& args) {
                DeclarePlanOptions(args, options->plan);
                args.Flag("--json", options->json, "Print JSON");
              },
          .run = [options, &global] { return Validate(*options, global); }};
}

}  // namespace tailmark
