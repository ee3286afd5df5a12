#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iostream>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/log.h"
#include "harness/base/progress.h"
#include "harness/cli/execution.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/reproducing.h"
#include "harness/cli/tables.h"
#include "harness/cli/verbs.h"

namespace tailmark {
namespace {

struct VerbOptions {
  ReproduceOptions reproduce;
  ExecuteOptions execute;
  bool plan = false;
  bool list = false;
};

std::string Fixed(const std::optional<double>& value, int decimals) {
  if (!value) return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", decimals, *value);
  return text;
}

// ---- reproduce --list ------------------------------------------------------

/// "can run", "stand-in only", "no such method".
std::string AbilityOf(const PublishedCell& cell, const RowRecipes& recipes) {
  const auto entries = recipes.Of(cell.table, cell.row);
  if (entries.empty()) return "no such method";
  return entries.front()->missing.empty() ? "has a recipe" : "stand-in only";
}

int List(const std::string& id, bool json) {
  const RowRecipes recipes = ReadRowRecipes();
  std::vector<PublishedCell> cells;
  if (!id.empty()) {
    cells = FindPublishedRows(id);
  } else {
    for (const Published& published : ReadAllPublished()) {
      for (PublishedCell& cell : FindPublishedRows(published.name)) {
        cells.push_back(std::move(cell));
      }
    }
  }
  OrderedJson rows = OrderedJson::array();
  std::vector<std::vector<std::string>> table = {
      {"ID", "PRINTED", "STATUS", "LINT", "HERE"}};
  for (const PublishedCell& cell : cells) {
    const auto entries = recipes.Of(cell.table, cell.row);
    const PrintedValue& first = cell.row.values.front();
    const std::string why = entries.empty() ? "" : entries.front()->missing;
    rows.push_back(
        {{"name", IdOf(cell)},
         {"version", 1},
         {"summary", cell.table.title},
         {"status", cell.row.status},
         {"printed", first.value},
         {"column", first.column},
         {"findings", cell.lint.size()},
         {"here", AbilityOf(cell, recipes)},
         {"missing", why.empty() ? OrderedJson(nullptr) : OrderedJson(why)}});
    table.push_back(
        {IdOf(cell),
         StrCat(first.column, " ", Fixed(first.value, first.decimals)),
         cell.row.status, cell.lint.empty() ? "" : StrCat(cell.lint.size()),
         AbilityOf(cell, recipes)});
  }
  std::cout << (json ? rows.dump(2) + "\n" : TextTable(table));
  return kExitOk;
}

// ---- reproduce --plan ------------------------------------------------------

OrderedJson PlanAnswer(const PlannedReproduction& planned) {
  OrderedJson tasks = OrderedJson::array();
  for (const PlanTask& task : planned.plan.tasks) {
    tasks.push_back(SummaryOf(task));
  }
  OrderedJson not_run = OrderedJson::object();
  for (const auto& [row, why] : planned.not_run) {
    if (!why.empty()) not_run[row] = why;
  }
  return {{"campaign", planned.plan.campaign},
          {"tasks", std::move(tasks)},
          {"not_run", std::move(not_run)},
          {"recipes", OrderedJson::parse(planned.recipes.dump())}};
}

void PrintCost(const PlannedReproduction& planned) {
  std::vector<std::vector<std::string>> table = {
      {"STATE", "METHOD", "DATA SET", "SEED", "TIME", "REASON"}};
  for (const PlanTask& task : planned.plan.tasks) {
    table.push_back({WordOf(task), task.label, task.spec.identity.dataset,
                     StrCat(task.spec.seed), TimeOf(task), task.reason});
  }
  if (table.size() > 1) std::cout << TextTable(table);
  for (const auto& [row, why] : planned.not_run) {
    if (!why.empty()) std::cout << row << ": not run: " << why << "\n";
  }
  std::cout << CostOf(planned.plan.tasks) << "\n";
}

// ---- reproduce -------------------------------------------------------------

void Print(const ReproducedRow& row) {
  std::cout << row.source << ":" << row.table << ":" << row.row << " on "
            << row.dataset << " (" << row.status << "): " << NameOf(row.verdict)
            << "\n";
  if (!row.reason.empty()) std::cout << "  " << row.reason << "\n";
  std::vector<std::vector<std::string>> table = {
      {"  ", "PRINTED", "OURS, THEIR WAY", "SD", "RUNS", "DIFFERENCE",
       "OURS, OUR WAY", "VERDICT"}};
  bool any = false;
  for (const ReproducedCell& cell : row.cells) {
    any = any || cell.test.mean;
    const std::string verdict(NameOf(cell.test.verdict));
    table.push_back(
        {StrCat("  ", cell.printed.column),
         Fixed(cell.printed.value, cell.printed.decimals),
         Fixed(cell.test.mean, 2), Fixed(cell.test.sd, 2),
         StrCat(cell.test.runs),
         Fixed(row.stand_in ? std::nullopt : cell.test.difference, 2),
         Fixed(cell.ours, 2), row.stand_in ? "-" : verdict});
  }
  std::cout << TextTable(table);
  if (any) {
    std::cout << "  their way: profile " << row.profile << ", "
              << row.cells.front().definition << ", "
              << (row.cells.front().scores == "test" ? "last epoch"
                                                     : "best epoch on test")
              << "\n  our way: " << row.our_definition << ", last epoch\n";
  }
  for (const LintFinding& each : row.lint) {
    std::cout << "  lint, " << each.cell << " [" << each.rule
              << "]: " << each.explanation << "\n";
  }
}

/// Where there is no engine to plan for, runs that were imported may still
/// speak.
void AddStored(const Store& store, PlannedReproduction& planned) {
  for (const auto& [row, columns] : StoredReproductions(store)) {
    for (const auto& [column, recipe] : columns) {
      if (planned.made[row].contains("")) continue;
      planned.made[row].emplace(column, recipe);
    }
  }
}

std::vector<ReproducedRow> Judged(const Store* store,
                                  const std::vector<PublishedCell>& cells,
                                  const RowRecipes& recipes,
                                  PlannedReproduction& planned) {
  std::vector<ReproducedRow> rows;
  for (const PublishedCell& cell : cells) {
    const std::string id = IdOf(cell);
    std::string why = planned.not_run[id];
    if (why.empty()) why = "nothing was measured";
    rows.push_back(JudgeRow(store, cell, recipes, planned.made[id], why));
  }
  return rows;
}

/// Runs what is missing; says whether a run failed, and why in `planned`.
bool Execute(const VerbOptions& options, const GlobalOptions& global,
             PlannedReproduction& planned, DataAccess& data, Store& store) {
  if (planned.plan.tasks.empty()) return false;
  // So that the recipe can be read, changed and run by hand.
  const auto kept = store.folder() / "reproduce";
  std::filesystem::create_directories(kept);
  for (std::size_t i = 0; i < planned.recipes.size(); ++i) {
    WriteFileAtomic(kept / StrCat(planned.plan.campaign,
                                  i == 0 ? "" : StrCat("-", i + 1), ".json"),
                    planned.recipes[i].dump(1) + "\n");
  }
  ExecuteOptions execute = options.execute;
  execute.force = options.reproduce.plan.force;
  const Executed executed =
      RunPlan(planned.plan,
              {{"recipe", planned.recipes}, {"plan", ToJson(planned.plan)}},
              StrCat("tailmark reproduce ", options.reproduce.id,
                     options.reproduce.stand_in ? " --stand-in" : ""),
              execute, global, data, store);
  bool failed = false;
  for (std::size_t i = 0; i < executed.results.size(); ++i) {
    const TaskResult& result = executed.results[i];
    if (result.state == RunState::kDone || result.reason.empty()) continue;
    failed = failed || (result.state != RunState::kSkipped &&
                        result.state != RunState::kNotApplicable);
    for (const auto& [row, columns] : planned.made) {
      for (const auto& [column, recipe] : columns) {
        if (recipe == planned.plan.tasks[i].recipe) {
          planned.not_run[row] = result.reason;
        }
      }
    }
  }
  return failed;
}

PlannedReproduction PlanIfPossible(const VerbOptions& options,
                                   const GlobalOptions& global,
                                   const std::vector<PublishedCell>& cells,
                                   const RowRecipes& recipes, DataAccess& data,
                                   const Store* store) {
  if (CatalogIfThere()) {
    return PlanReproduction(cells, recipes, options.reproduce, global, data,
                            store);
  }
  PlannedReproduction planned;
  for (const PublishedCell& cell : cells) {
    planned.not_run[IdOf(cell)] =
        recipes.Of(cell.table, cell.row).empty()
            ? "no such method"
            : "this build has no engine; import runs of one that has";
  }
  return planned;
}

int Reproduce(const VerbOptions& options, const GlobalOptions& global) {
  if (options.list) return List(options.reproduce.id, options.execute.json);
  if (options.reproduce.id.empty()) {
    throw ConfigError(
        "reproduce what? hp-dval:table1:LMPT, say; tailmark reproduce --list "
        "names all");
  }
  const auto cells = FindPublishedRows(options.reproduce.id);
  const RowRecipes recipes = ReadRowRecipes();
  DataAccess data(CacheIfThere(global));
  std::optional<Store> store;
  if (StoreExists(StoreFolder(global))) store.emplace(StoreFolder(global));
  auto planned = PlanIfPossible(options, global, cells, recipes, data,
                                store ? &*store : nullptr);
  if (options.plan) {
    if (options.execute.json) {
      std::cout << PlanAnswer(planned).dump(2) << "\n";
    } else {
      PrintCost(planned);
    }
    return kExitOk;
  }
  // Nothing to run makes no store.
  const bool runs = std::any_of(
      planned.plan.tasks.begin(), planned.plan.tasks.end(),
      [](const PlanTask& task) { return task.state == RunState::kPlanned; });
  if (runs && !store) store.emplace(StoreFolder(global));
  bool failed = false;
  if (store) {
    failed = Execute(options, global, planned, data, *store);
    if (!CatalogIfThere()) AddStored(*store, planned);
  }
  const auto rows = Judged(store ? &*store : nullptr, cells, recipes, planned);
  if (store) StoreReproduction(*store, rows);
  const int code = ExitCodeOf(rows, failed);
  if (options.execute.json) {
    OrderedJson answer = OrderedJson::array();
    for (const ReproducedRow& row : rows) answer.push_back(ToJson(row));
    std::cout << OrderedJson({{"id", options.reproduce.id},
                              {"campaign", planned.plan.campaign},
                              {"stand_in", options.reproduce.stand_in},
                              {"rows", std::move(answer)},
                              {"exit", code}})
                     .dump(2)
              << "\n";
  } else {
    for (const ReproducedRow& row : rows) Print(row);
  }
  return code;
}

void Declare(Args& args, VerbOptions& options) {
  PlanOptions& plan = options.reproduce.plan;
  args.Positional("ID", options.reproduce.id, false,
                  "SOURCE[:TABLE[:ROW[:DATASET]]] of a published table");
  args.Flag("--list", options.list, "Every row that has an id, and stop");
  args.Flag("--plan", options.plan, "What it would run and take, and stop");
  args.Flag("--stand-in", options.reproduce.stand_in,
            "The same methods on the embedded data: shows that the path holds, "
            "nothing of the printed values");
  args.Repeated("--set", plan.overrides.set, "A.B=VALUE",
                "Set a value of the recipe: weights=PATH/ViT-B-16.pt");
  args.Option("--seeds", plan.overrides.seeds, "SEEDS",
              "0-4 (default), or 0-1 of a stand-in");
  DeclareHowToRun(args, plan);
  DeclareExecuteOptions(args, options.execute);
}

}  // namespace

Verb ReproduceVerb(const GlobalOptions& global) {
  auto options = std::make_shared<VerbOptions>();
  return {.name = "reproduce",
          .summary =
              "Make a published row or table anew and say whether it comes out",
          .example = "tailmark reproduce hp-dval:table1:LMPT --stand-in",
          .declare = [options](Args& args) { Declare(args, *options); },
          .run = [options, &global] { return Reproduce(*options, global); }};
}

}  // namespace tailmark
