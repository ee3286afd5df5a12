#include "harness/cli/partitions.h"

#include <map>
#include <set>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/log.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;

constexpr int kRandomDraws = 200;
constexpr int kDraws = 10;
constexpr std::uint64_t kStudySeed = 1;

/// The kept file when it is what it says; nothing otherwise.
std::optional<Json> Kept(const fs::path& file, const std::string& sha256,
                         int draws) {
  if (!fs::exists(file)) return std::nullopt;
  try {
    Json kept = ReadJson(file);
    if (kept.value("sha256", "") == sha256 && kept.contains("study") &&
        kept["study"].value("bootstrap_draws", -1) == draws) {
      return kept;
    }
  } catch (const DataError& error) {
    LogWarning(StrCat(error.what(), "; making the partition again"));
  }
  return std::nullopt;
}

}  // namespace

PartitionOptions ToOptions(const PartitionSettings& settings) {
  return {.kind = PartitionKindByName(settings.partition),
          .graph = GraphKindByName(settings.graph),
          .parts = static_cast<int>(settings.parts),
          .exponent = settings.exponent,
          .smooth = settings.smooth,
          .merge_below = settings.merge_below,
          .keep = KeepRuleByName(settings.keep),
          .restarts = static_cast<int>(settings.restarts),
          .seed = static_cast<std::uint64_t>(settings.seed),
          .given = settings.given};
}

Json PartitionOf(const Dataset& dataset, const std::string& name,
                 const PartitionOptions& options, int draws,
                 const fs::path& folder) {
  std::vector<std::string> names;
  for (const ClassInfo& each : dataset.classes()) names.push_back(each.name);
  const PartitionLabels labels{.labels = dataset.train_labels().positive,
                               .names = names};
  const std::string sha256 = PartitionHash(labels, options);
  const fs::path file =
      folder.empty() ? fs::path() : folder / (sha256 + ".json");
  if (!file.empty()) {
    if (auto kept = Kept(file, sha256, draws)) return *kept;
  }
  const Partition partition = MakePartition(labels, options);
  const PartitionStudy study{
      .bootstrap_rand = BootstrapRand(labels, partition, draws, kStudySeed),
      .bootstrap_draws = draws,
      .random = WeightOfRandomParts(partition, kRandomDraws, kStudySeed),
      .random_draws = kRandomDraws};
  Json json = ToJson(partition, study);
  json["dataset"] = name;
  json["train_list_sha256"] = ListHash(dataset.train(), dataset.train_labels());
  if (!file.empty()) {
    MakeFolders(folder);
    WriteFileAtomic(file, json.dump(1) + "\n");
  }
  return json;
}

namespace {

/// The settings among a method's options, by their names.
PartitionSettings SettingsOf(const OptionMap& options) {
  OptionMap mine;
  for (const FieldInfo& field : DescribeOptions<PartitionSettings>()) {
    const auto it = options.find(field.name);
    if (it != options.end()) mine[field.name] = it->second;
  }
  return FromMap<PartitionSettings>(mine);
}

ReportLabelGraph GraphOf(const Json& kept) {
  ReportLabelGraph graph;
  for (const Json& row : kept.at("together")) {
    for (const Json& cell : row) graph.together.push_back(cell.get<double>());
  }
  graph.part_of = kept.at("part_of").get<std::vector<int>>();
  for (const Json& part : kept.at("parts")) {
    graph.images.push_back(part.at("images").get<std::int64_t>());
  }
  graph.weight_within = kept.at("weight_within").get<double>();
  graph.random_weight = kept.at("study").at("random_weight_mean").get<double>();
  graph.bootstrap_rand = kept.at("study").at("bootstrap_rand").get<double>();
  graph.sha256 = kept.at("sha256").get<std::string>();
  return graph;
}

bool IsShown(const Json& kept, const ReportDataset& dataset) {
  const Json& options = kept.at("options");
  return kept.value("schema", "") == "tailmark-partition/1" &&
         kept.value("train_list_sha256", "") == dataset.train_list_sha256 &&
         options.at("graph") == "together" &&
         options.at("partition") == "spectral" &&
         kept.at("classes").size() == dataset.classes.size();
}

}  // namespace

void KeepPartitions(const Plan& plan, DataAccess& data,
                    const fs::path& folder) {
  std::set<std::string> seen;
  for (const PlanTask& task : plan.tasks) {
    const RunIdentity& id = task.spec.identity;
    if (!id.method_options.contains("partition") || id.limit != 0 ||
        task.state == RunState::kSkipped) {
      continue;
    }
    const PartitionOptions options = ToOptions(SettingsOf(id.method_options));
    if (options.kind != PartitionKind::kSpectral) continue;
    if (!seen.insert(StrCat(id.train_list_sha256, options.parts)).second) {
      continue;
    }
    const OpenedData& opened = data.Open({.name = id.dataset,
                                          .options = id.dataset_options,
                                          .root = task.spec.place.data_root});
    PartitionOf(*opened.dataset, id.dataset, options, kDraws, folder);
  }
}

void AddLabelGraphs(const fs::path& folder, ReportModel& model) {
  if (!fs::is_directory(folder)) return;
  std::map<std::string, Json> kept;  // By name, so that reports repeat.
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".json") {
      kept[entry.path().filename().string()] = ReadJson(entry.path());
    }
  }
  for (ReportDataset& dataset : model.datasets) {
    for (const auto& [name, json] : kept) {
      if (!IsShown(json, dataset)) continue;
      ReportLabelGraph graph = GraphOf(json);
      if (!dataset.label_graph ||
          graph.images.size() < dataset.label_graph->images.size()) {
        dataset.label_graph = std::move(graph);
      }
    }
  }
}

}  // namespace tailmark
