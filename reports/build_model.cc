#include "reports/build_model.h"

#include <algorithm>
#include <array>
#include <set>

#include "harness/base/error.h"
#include "harness/base/suggest.h"
#include "harness/metrics/definition.h"
#include "reports/model_parts.h"
#include "reports/names.h"
#include "reports/summary.h"
#include "results/campaign.h"
#include "results/data_names.h"
#include "results/query.h"

namespace tailmark {
namespace {

constexpr const char* kUsualBaseline = "zero_shot_clip";

/// The cells of a campaign, or every run of a store that has none.
std::vector<Cell> CellsOf(const Store& store,
                          const std::optional<CampaignRow>& campaign) {
  std::vector<Cell> cells;
  if (campaign) {
    cells = Cells(store, campaign->id);
    std::erase_if(cells, [](const Cell& cell) { return !cell.row; });
    return cells;
  }
  for (const RunRow& run : Runs(store)) {
    if (std::find(run.tags.begin(), run.tags.end(), kTaskTag) !=
        run.tags.end()) {
      continue;
    }
    cells.push_back({.position = static_cast<std::int64_t>(cells.size()),
                     .label = run.method,
                     .key = run.key,
                     .recipe = run.recipe,
                     .method = run.method,
                     .dataset = run.dataset,
                     .seed = run.seed,
                     .state = run.state,
                     .reason = run.reason,
                     .run = run});
  }
  return cells;
}

/// Cells of one recipe on one data set, by seed.
struct CellRow {
  std::string label;
  std::vector<Cell> cells;
};
struct CellTable {
  std::string dataset;
  std::int64_t dataset_id = 0;  ///< Of the first run; 0: nothing has run.
  std::vector<CellRow> rows;
};

std::vector<CellRow>::iterator FindRow(CellTable& table, const Cell& cell) {
  return std::find_if(table.rows.begin(), table.rows.end(),
                      [&](const CellRow& row) {
                        return row.cells.front().recipe == cell.recipe;
                      });
}

/// One name may stand for several data sets: other options, other pictures.
/// Their scores must not meet in a table.
CellTable& TableFor(std::vector<CellTable>& tables, const Cell& cell) {
  const std::int64_t id = cell.run ? cell.run->dataset_id : 0;
  for (CellTable& table : tables) {
    if (table.dataset == cell.dataset &&
        FindRow(table, cell) != table.rows.end()) {
      return table;
    }
  }
  for (CellTable& table : tables) {
    const bool fits =
        id == 0 || table.dataset_id == 0 || table.dataset_id == id;
    if (table.dataset == cell.dataset && fits) return table;
  }
  tables.push_back({cell.dataset, id, {}});
  return tables.back();
}

std::vector<CellTable> Tables(const std::vector<Cell>& cells) {
  std::vector<CellTable> tables;
  for (const Cell& cell : cells) {
    CellTable& table = TableFor(tables, cell);
    if (cell.run && table.dataset_id == 0) {
      table.dataset_id = cell.run->dataset_id;
    }
    auto row = FindRow(table, cell);
    if (row == table.rows.end()) {
      row = table.rows.insert(row, {cell.label, {}});
    }
    row->cells.push_back(cell);
  }
  for (CellTable& table : tables) {
    for (CellRow& row : table.rows) {
      std::stable_sort(
          row.cells.begin(), row.cells.end(),
          [](const Cell& a, const Cell& b) { return a.seed < b.seed; });
    }
  }
  return tables;
}

/// Gives each label that several recipes share the start of its recipe.
void MakeLabelsUnique(CellTable& table) {
  std::map<std::string, int> count;
  for (const CellRow& row : table.rows) ++count[row.label];
  for (CellRow& row : table.rows) {
    if (count[row.label] > 1) {
      row.label += StrCat(" recipe=", row.cells.front().recipe.substr(0, 8));
    }
  }
}

/// A finished run of the table, whose facts speak for the data set.
const RunRow* Witness(const CellTable& table) {
  for (const bool done : {true, false}) {
    for (const CellRow& row : table.rows) {
      for (const Cell& cell : row.cells) {
        if (cell.run && (!done || cell.run->state == RunState::kDone))
          return &*cell.run;
      }
    }
  }
  return nullptr;
}

/// What each table's data set is called, so that those of one name are told
/// apart by their options.
std::vector<std::string> NamesOf(const Store& store,
                                 const std::vector<CellTable>& tables) {
  std::vector<RunIdentity> identities;
  for (const CellTable& table : tables) {
    RunIdentity identity;
    if (const RunRow* witness = Witness(table)) {
      identity = ProvenanceOf(store, witness->id).identity;
    }
    identity.dataset = table.dataset;
    identities.push_back(std::move(identity));
  }
  std::vector<std::string> names;
  for (const RunIdentity& each : identities) {
    std::vector<OptionMap> beside;
    for (const RunIdentity& other : identities) {
      if (other.dataset == each.dataset && !other.dataset_options.empty()) {
        beside.push_back(other.dataset_options);
      }
    }
    names.push_back(DataName(each, beside));
  }
  return names;
}

/// Full ids in the order stored, the one that ranks first.
std::vector<std::string> DefinitionsOf(const Store& store, const RunRow& run,
                                       const ReportOptions& options) {
  std::vector<std::string> ids;
  for (const MetricRow& metric : Metrics(store, run.id)) {
    if (metric.scores == "test" &&
        std::find(ids.begin(), ids.end(), metric.definition) == ids.end()) {
      ids.push_back(metric.definition);
    }
  }
  const std::string wanted =
      options.definition.empty() ? "ap.step" : options.definition;
  const auto it =
      std::find_if(ids.begin(), ids.end(), [&](const std::string& id) {
        return id == wanted || ShortDefinition(id) == wanted;
      });
  if (it == ids.end()) {
    if (!options.definition.empty() && !ids.empty()) {
      throw ConfigError(StrCat(UnknownName("definition", wanted, ids),
                               " (data set ", run.dataset, ")"));
    }
    return ids;
  }
  std::rotate(ids.begin(), it, it + 1);
  return ids;
}

void AddDatasetFacts(const Store& store, const RunRow& run,
                     const ReportOptions& options, ReportDataset& dataset) {
  dataset.version = StrCat(run.dataset_version);
  for (const DatasetRow& row : Datasets(store)) {
    if (row.id != run.dataset_id) continue;
    dataset.manifest_sha256 = row.manifest_sha256;
    dataset.label_policy = row.label_policy;
    const auto images = [&](const char* split) {
      const auto it = row.images.find(split);
      return it == row.images.end() ? std::int64_t{0} : it->second;
    };
    dataset.train_images = images("train");
    dataset.test_images = images("test");
  }
  const Provenance provenance = ProvenanceOf(store, run.id);
  dataset.train_list_sha256 = provenance.identity.train_list_sha256;
  dataset.test_list_sha256 = provenance.identity.test_list_sha256;
  for (const ClassRow& each : Classes(store, run.dataset_id)) {
    dataset.classes.push_back({each.name, each.train_positives, 0, each.group});
  }
  constexpr std::array kOrder = {"head", "medium", "tail", "base", "novel"};
  for (const char* group : kOrder) {
    if (std::any_of(
            dataset.classes.begin(), dataset.classes.end(),
            [&](const ReportClass& each) { return each.group == group; })) {
      dataset.groups.emplace_back(group);
    }
  }
  if (run.state != RunState::kDone) return;
  dataset.definitions = DefinitionsOf(store, run, options);
  if (dataset.definitions.empty()) return;
  for (const ClassMetricRow& each :
       ClassMetrics(store, run.id, dataset.definitions.front())) {
    if (each.index >= 0 &&
        each.index < static_cast<std::int64_t>(dataset.classes.size())) {
      dataset.classes[static_cast<std::size_t>(each.index)].test_positives =
          each.positives;
    }
  }
  for (const ScoreRow& scores : Scores(store, run.id)) {
    if (scores.name == "test") dataset.test_images = scores.rows;
  }
}

std::string BaselineLabel(const ReportDataset& dataset,
                          const ReportOptions& options) {
  const std::string wanted =
      options.baseline.empty() ? kUsualBaseline : options.baseline;
  for (const ReportRow& row : dataset.rows) {
    if (IsRanked(dataset, row) && (row.label == wanted || row.method == wanted))
      return row.label;
  }
  return "";
}

/// A row that was asked for is in some data set, finished or not.
void RequireBaseline(const ReportModel& model, const ReportOptions& options) {
  if (options.baseline.empty()) return;
  std::vector<std::string> names;
  for (const ReportDataset& dataset : model.datasets) {
    for (const ReportRow& row : dataset.rows) {
      if (row.label == options.baseline || row.method == options.baseline) {
        return;
      }
      names.push_back(row.method);  // labels hold commas
    }
  }
  throw ConfigError(UnknownName("row", options.baseline, names));
}

/// Counts runs by build and environment over the whole model.
class Origins {
 public:
  explicit Origins(const Store& store) : store_(store) {}

  void Add(const RunRow& run, ReportModel& model) {
    const Provenance provenance = ProvenanceOf(store_, run.id);
    AddBuild(provenance.build, model);
    AddEnvironment(run.environment_fingerprint, provenance.environment, model);
    AddWeights(provenance.identity, model);
    model.finished_utc = std::max(model.finished_utc, run.finished_utc);
  }

 private:
  static void AddBuild(const BuildInfo& build, ReportModel& model) {
    for (ReportBuild& each : model.builds) {
      if (each.digest == build.digest && each.git_sha == build.git_sha &&
          each.compiler == build.compiler && each.flags == build.flags &&
          each.torch_version == build.torch_version &&
          each.dirty == build.dirty) {
        ++each.runs;
        return;
      }
    }
    model.builds.push_back({.digest = build.digest,
                            .version = build.version,
                            .git_sha = build.git_sha,
                            .dirty = build.dirty,
                            .compiler = WithoutPaths(build.compiler),
                            .flags = WithoutPaths(build.flags),
                            .torch_version = build.torch_version,
                            .runs = 1});
  }
  static void AddEnvironment(const std::string& fingerprint, const Json& json,
                             ReportModel& model) {
    for (ReportEnvironment& each : model.environments) {
      if (each.fingerprint == fingerprint) {
        ++each.runs;
        return;
      }
    }
    model.environments.push_back({fingerprint, EnvironmentFields(json), 1});
  }
  static void AddWeights(const RunIdentity& identity, ReportModel& model) {
    if (identity.weights_sha256.empty()) return;
    for (const ReportWeights& each : model.weights) {
      if (each.sha256 == identity.weights_sha256) return;
    }
    model.weights.push_back({identity.weights_name, identity.weights_sha256});
  }

  const Store& store_;
};

}  // namespace

ReportModel BuildReportModel(const Store& store, const ReportOptions& options) {
  const auto campaign = FindCampaign(store, options.campaign);
  ReportModel model;
  if (campaign) model.campaign = campaign->name;
  model.store = store.database().filename().string();
  model.store_schema = store.version();
  model.command = WithoutPaths(options.command);
  auto tables = Tables(CellsOf(store, campaign));
  const auto names = NamesOf(store, tables);
  Origins origins(store);
  const RowSources sources{
      .store = store,
      .catalog = options.catalog,
      .campaign = campaign ? campaign->name : "",
      .command = campaign ? WithoutPaths(campaign->command) : "",
      .several_datasets = tables.size() > 1};
  for (CellTable& table : tables) {
    MakeLabelsUnique(table);
    ReportDataset dataset;
    dataset.name = names.at(static_cast<std::size_t>(&table - tables.data()));
    if (const RunRow* witness = Witness(table))
      AddDatasetFacts(store, *witness, options, dataset);
    if (std::count(names.begin(), names.end(), dataset.name) > 1 &&
        !dataset.manifest_sha256.empty()) {
      dataset.name +=
          StrCat(" (pictures ", dataset.manifest_sha256.substr(0, 8), ")");
    }
    for (const CellRow& row : table.rows) {
      dataset.rows.push_back(MakeRow(sources, dataset, row.label, row.cells));
      for (const Cell& cell : row.cells) {
        if (cell.run && cell.run->state == RunState::kDone)
          origins.Add(*cell.run, model);
      }
    }
    dataset.baseline = BaselineLabel(dataset, options);
    AddPublished(store, dataset);
    model.datasets.push_back(std::move(dataset));
  }
  RequireBaseline(model, options);
  return model;
}

}  // namespace tailmark
