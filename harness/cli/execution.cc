#include "harness/cli/execution.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <map>
#include <set>

#include "harness/base/clock.h"
#include "harness/base/error.h"
#include "harness/base/log.h"
#include "harness/base/npy.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/score_rows.h"
#include "harness/cli/tables.h"
#include "harness/metrics/arrays.h"
#include "harness/metrics/evaluate.h"
#include "harness/record/units.h"
#include "results/campaign.h"
#include "results/ingest.h"
#include "results/query.h"

namespace tailmark {
namespace fs = std::filesystem;
namespace {

bool IsFailure(RunState state) {
  return state == RunState::kFailed || state == RunState::kTimeout ||
         state == RunState::kOom || state == RunState::kKilled ||
         state == RunState::kLost;
}

/// What nvidia-smi says; nothing where it is not.
std::string GpuListing() {
  FILE* pipe = popen(
      "nvidia-smi --query-gpu=index,memory.total "
      "--format=csv,noheader,nounits 2>/dev/null",
      "r");
  std::string listing;
  if (pipe == nullptr) return listing;
  for (int c = 0; (c = fgetc(pipe)) != EOF;) {
    listing.push_back(static_cast<char>(c));
  }
  pclose(pipe);
  return listing;
}

/// How many runs the smallest of the devices holds at a time, by what they
/// declare; one when any declares nothing.
int WorkersPerDevice(const Plan& plan, const std::vector<Gpu>& gpus) {
  std::int64_t most = 0;
  for (const PlanTask& task : plan.tasks) {
    if (task.state != RunState::kPlanned) continue;
    if (task.gpu_bytes == 0) return 1;
    most = std::max(most, task.gpu_bytes);
  }
  std::int64_t least = 0;
  for (const Gpu& gpu : gpus) {
    least = least == 0 ? gpu.bytes : std::min(least, gpu.bytes);
  }
  return most == 0 ? 1
                   : static_cast<int>(std::max<std::int64_t>(1, least / most));
}

std::vector<Slot> SlotsOf(const Plan& plan, const ExecuteOptions& options) {
  std::vector<std::string> devices;
  int per_device = 1;
  if (!options.devices.empty()) {
    for (const PlanTask& task : plan.tasks) {
      if (task.spec.identity.device_type == "cuda") continue;
      throw ConfigError(
          "--devices deals out GPUs, and the recipe computes on the CPU; add "
          "--device cuda");
    }
    const auto gpus = DevicesFromText(options.devices, GpusIn(GpuListing()));
    for (const Gpu& gpu : gpus) devices.push_back(StrCat("cuda:", gpu.index));
    per_device = WorkersPerDevice(plan, gpus);
  }
  if (options.workers && (*options.workers < 1 || *options.workers > 1024)) {
    throw ConfigError(
        StrCat("--workers ", *options.workers, " is outside [1, 1024]"));
  }
  int threads = 1;
  for (const PlanTask& task : plan.tasks) {
    threads = std::max(threads, task.spec.place.threads);
  }
  const std::vector<int> cores = AllowedCores();
  int workers = std::max(1, static_cast<int>(cores.size()) / threads);
  if (!devices.empty()) {
    const int count = static_cast<int>(devices.size());
    workers = std::max(count, std::min(workers, per_device * count));
  }
  if (options.workers) workers = static_cast<int>(*options.workers);
  return MakeSlots(workers, devices, cores);
}

/// How many, their mean and spread, and each.
OrderedJson EpisodesAnswer(const std::vector<double>& values) {
  double mean = 0;
  for (const double value : values) mean += value;
  mean /= static_cast<double>(values.size());
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  // Equal values have no spread, whatever their mean rounds to.
  if (std::set<double>(values.begin(), values.end()).size() == 1) squares = 0;
  const auto others = static_cast<double>(values.size()) - 1;
  return {{"count", values.size()},
          {"mean", mean},
          {"sd", others > 0 ? OrderedJson(std::sqrt(squares / others))
                            : OrderedJson(nullptr)},
          {"values", values}};
}

/// definition -> group -> percent of the matrix `scores`; of episodes also how
/// they spread.
OrderedJson MetricsAnswer(const std::vector<MetricRow>& rows,
                          std::string_view scores) {
  OrderedJson metrics = OrderedJson::object();
  for (const MetricRow& row : rows) {
    if (row.scores != scores) continue;
    metrics[row.definition][row.group] =
        row.value ? OrderedJson(*row.value) : OrderedJson(nullptr);
  }
  for (const auto& [definition, groups] : metrics.items()) {
    const auto values = EpisodeValues(rows, definition, "total", scores);
    if (!values.empty()) {
      metrics[definition]["episodes"] = EpisodesAnswer(values);
    }
  }
  return metrics;
}

/// The epoch that was picked on the test split, of episodes that of each, and
/// its figures.
OrderedJson PickedAnswer(const Store& store, const RunRow& run,
                         const std::vector<MetricRow>& rows) {
  OrderedJson epoch = nullptr;
  std::map<int, std::int64_t> epochs;
  constexpr std::string_view kEpisode = "episode-";
  for (const CurvePoint& point : Curves(store, run.id)) {
    if (point.name == "selected") epoch = point.step;
    if (point.name.starts_with(kEpisode) && point.name.ends_with("/selected")) {
      epochs[std::stoi(point.name.substr(kEpisode.size()))] = point.step;
    }
  }
  OrderedJson answer = {{"epoch", epoch}};
  for (const auto& [episode, step] : epochs) answer["epochs"].push_back(step);
  answer["metrics"] = MetricsAnswer(rows, "test.best_on_test");
  return answer;
}

/// Takes in scores that are there already; what is left is for workers.
Plan WithoutScoreRows(Plan plan, DataAccess& data, Store& store,
                      Keeper& keeper) {
  for (PlanTask& task : plan.tasks) {
    if (task.state != RunState::kPlanned ||
        !IsScoreFile(task.spec.place.plugin)) {
      continue;
    }
    TaskResult made{.state = RunState::kDone,
                    .reason = {},
                    .bundle = FilesOf(store.bundles(), task.key).done};
    try {
      MakeScoreBundle(task, data, store.bundles());
    } catch (const DataError& error) {
      LogError(StrCat(task.label, ": ", error.what()));
      made = {.state = RunState::kFailed, .reason = error.what(), .bundle = {}};
    }
    const TaskResult kept = keeper.Keep(task.spec, made);
    task.state = kept.state;
    task.reason = kept.reason;
  }
  return plan;
}

/// Who decoded the images that file of scores was made from.
IngestOptions KindOf(const RunSpec& spec, const std::string& definition) {
  IngestOptions options{.definition = definition};
  if (!IsScoreFile(spec.place.plugin)) return options;
  options.method_kind = "scores";
  options.pipeline_brand = "foreign";
  try {
    options.pipeline_brand = ReadScoreFile(spec.place.plugin).pipeline;
  } catch (const DataError&) {
    // Imported from where the files were.
  }
  return options;
}

/// "3epochs" and "500steps" are counts, all else is a time.
void SetBudget(const std::string& text, LaunchOptions& launch) {
  if (text.empty()) return;
  for (const auto& [unit, member] :
       {std::pair{"epochs", &launch.stop_after_epochs},
        {"epoch", &launch.stop_after_epochs},
        {"steps", &launch.stop_after_steps}}) {
    if (!text.ends_with(unit)) continue;
    const std::string number =
        text.substr(0, text.size() - std::string_view(unit).size());
    const auto [end, error] =
        std::from_chars(number.data(), number.data() + number.size(), *member);
    if (error != std::errc() || end != number.data() + number.size() ||
        *member < 1) {
      throw ConfigError(
          StrCat("--stop-after ", text, ": expected 30m, 3epochs or 500steps"));
    }
    return;
  }
  launch.stop_after_s = ParseDuration(text, "--stop-after");
}

}  // namespace

void DeclareExecuteOptions(Args& args, ExecuteOptions& options) {
  args.Option("-j,--workers", options.workers, "N",
              "Worker processes (default: as many as cores allow)");
  args.Option("--devices", options.devices, "all|0,2",
              "GPUs to use, a worker each, more where memory allows");
  args.Option("--stop-after", options.stop_after, "BUDGET",
              "Each run stops with a checkpoint after 30m, 3epochs or 500steps "
              "of a worker");
  args.Flag("--json", options.json, "Print the answer as JSON");
}

double TestMap(DataAccess& data, const RunSpec& spec,
               const std::string& definition, const fs::path& scores) {
  const DatasetFacts& facts = data.FactsOf(spec);
  const ScoreArray array =
      ScoresFromNpy(ReadNpy(scores), scores.filename().string());
  for (const SplitFacts& split : facts.splits) {
    if (split.role != "test") continue;
    const std::vector<Definition> wanted = {ParseDefinition(
        definition, ParseLabelPolicy(spec.identity.label_policy))};
    const Evaluation evaluation = Evaluate(
        array.view(), {.positive = split.positive, .known = split.known}, {},
        wanted);
    if (const auto value = evaluation.results.front().total().percent) {
      return *value;
    }
  }
  throw DataError("no class has a test image that shows it");
}

TaskResult Keeper::Keep(const RunSpec& spec, const TaskResult& result) {
  TaskResult kept = result;
  try {
    if (result.bundle.empty()) return KeepWithoutBundle(spec, result);
    const bool done = result.state == RunState::kDone;
    // A run that failed because its data are wrong must still get its row.
    const IngestResult ingested = IngestBundle(
        store_, result.bundle, done ? data_.FactsOf(spec) : DatasetFacts(),
        KindOf(spec, definition_));
    for (const std::string& warning : ingested.warnings) {
      const std::string line = StrCat(spec.identity.method, ": ", warning);
      if (said_.insert(line).second) LogWarning(line);
    }
    kept.state = ingested.state;
    kept.reason = ingested.reason;
  } catch (const DataError& error) {
    RunRecord record;
    record.spec = spec;
    record.state = RunState::kFailed;
    record.reason = StrCat("its bundle was refused: ", error.what());
    IngestUnfinished(store_, record);
    kept.state = record.state;
    kept.reason = record.reason;
  }
  return kept;
}

TaskResult Keeper::KeepWithoutBundle(const RunSpec& spec,
                                     const TaskResult& result) {
  RunRecord record;
  record.spec = spec;
  record.state = result.state;
  record.reason = result.reason;
  record.created_utc = UtcNow();
  IngestUnfinished(store_, record);
  return result;
}

OrderedJson CampaignAnswer(const Store& store, std::int64_t campaign_id) {
  OrderedJson runs = OrderedJson::array();
  OrderedJson tasks = OrderedJson::array();
  std::string name;
  for (const CampaignRow& row : Campaigns(store)) {
    if (row.id == campaign_id) name = row.name;
  }
  for (const Cell& cell : Cells(store, campaign_id)) {
    const fs::path bundle = store.Bundle(cell.key);
    OrderedJson run = {
        {"key", cell.key},
        {"recipe", cell.recipe},
        {"method", cell.method},
        {"label", cell.label},
        {"dataset", cell.dataset},
        {"seed", cell.seed},
        {"state", NameOf(cell.state)},
        {"reason",
         cell.reason.empty() ? OrderedJson(nullptr) : OrderedJson(cell.reason)},
        {"bundle", fs::exists(bundle) ? OrderedJson(bundle.string())
                                      : OrderedJson(nullptr)}};
    if (!cell.row) {
      tasks.push_back(std::move(run));
      continue;
    }
    run["metrics"] = OrderedJson::object();
    if (cell.run && cell.run->state == RunState::kDone) {
      const auto rows = Metrics(store, cell.run->id);
      run["metrics"] = MetricsAnswer(rows, "test");
      if (cell.run->selection == "best_on_test") {
        run["best_on_test"] = PickedAnswer(store, *cell.run, rows);
      }
    }
    runs.push_back(std::move(run));
  }
  return {{"campaign", name},
          {"runs", std::move(runs)},
          {"tasks", std::move(tasks)}};
}

int ExitCodeOf(const std::vector<RunState>& states) {
  const auto count = [&](auto is) {
    return std::count_if(states.begin(), states.end(), is);
  };
  if (count(IsFailure) > 0) return kExitRunFailed;
  if (count([](RunState s) { return s == RunState::kPlanned; }) > 0) {
    return kExitComeAgain;
  }
  const auto done = count([](RunState s) { return s == RunState::kDone; });
  const auto skipped =
      count([](RunState s) { return s == RunState::kSkipped; });
  return done == 0 || skipped > 0 ? kExitNothing : kExitOk;
}

std::int64_t KeepCampaign(Store& store, const Plan& plan, const Json& recipe,
                          const std::string& command) {
  CampaignPlan campaign{
      .name = plan.campaign, .command = command, .recipe = recipe, .runs = {}};
  for (const PlanTask& task : plan.tasks) {
    campaign.runs.push_back(
        {.spec = task.spec,
         .label = task.label,
         .state =
             task.state == RunState::kDone ? RunState::kPlanned : task.state,
         .reason = task.state == RunState::kDone ? "" : task.reason});
  }
  return RegisterCampaign(store, campaign);
}

Executed RunPlan(const Plan& plan, const Json& recipe,
                 const std::string& command, const ExecuteOptions& options,
                 const GlobalOptions& global, DataAccess& data, Store& store) {
  const std::int64_t id = KeepCampaign(store, plan, recipe, command);
  LocalOptions local;
  local.launch.bundles = store.bundles();
  local.launch.force = options.force;
  local.slots = SlotsOf(plan, options);
  local.memory = UsableMemory();
  local.quiet = global.quiet;
  SetBudget(options.stop_after, local.launch);
  local.launch.feedback = [&](const PlanTask& task, const fs::path& scores) {
    return TestMap(data, task.spec, plan.protocol.definition, scores);
  };
  Keeper keeper(store, data, plan.protocol.definition);
  local.on_end = [&](const PlanTask& task, const TaskResult& result) {
    return keeper.Keep(task.spec, result);
  };
  const Plan rest = WithoutScoreRows(plan, data, store, keeper);
  const bool any = std::any_of(
      rest.tasks.begin(), rest.tasks.end(),
      [](const PlanTask& task) { return task.state == RunState::kPlanned; });
  if (any) local.launch.worker = WorkerProgram();
  return {.campaign_id = id, .results = RunLocally(rest, local)};
}

int ExecutePlan(const Plan& plan, const Json& recipe,
                const std::string& command, const ExecuteOptions& options,
                const GlobalOptions& global, DataAccess& data, Store& store) {
  const Executed executed =
      RunPlan(plan, recipe, command, options, global, data, store);
  std::vector<RunState> states;
  for (const TaskResult& result : executed.results) {
    states.push_back(result.state);
  }
  if (options.json) {
    std::cout << CampaignAnswer(store, executed.campaign_id).dump(2) << "\n";
  } else {
    std::cout << CampaignTable(store, plan.campaign);
  }
  return ExitCodeOf(states);
}

}  // namespace tailmark
