#include "harness/cli/partitions.h"

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/log.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;

constexpr int kRandomDraws = 200;
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
  if (!file.empty()) {
    MakeFolders(folder);
    WriteFileAtomic(file, json.dump(1) + "\n");
  }
  return json;
}

}  // namespace tailmark
