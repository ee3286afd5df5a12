#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "datasets/dataset.h"
#include "harness/base/options.h"
#include "harness/cli/data_access.h"
#include "harness/launch/plan.h"
#include "methods/partition/partition.h"
#include "reports/model.h"

namespace tailmark {

/// The options of a partition by name, as `describe partition --set` takes
/// them.
struct PartitionSettings {
  std::string partition = "spectral";
  std::string graph = "together";
  std::int64_t parts = 3;
  double exponent = 0.5;
  bool smooth = false;
  std::int64_t merge_below = 50;
  std::string keep = "inertia";
  std::int64_t restarts = 20;
  std::int64_t seed = 0;
  WordList given;

  static constexpr auto Fields() {
    using O = PartitionSettings;
    return std::tuple{
        Field{"partition", &O::partition,
              "By the label graph, at random in the same sizes, or as given",
              OneOf{"spectral|random|given"}},
        Field{"graph", &O::graph, "Edges of classes seen together, or apart",
              OneOf{"together|apart"}},
        Field{"parts", &O::parts, "K, before merging", Between(1, 1000)},
        Field{"exponent", &O::exponent, "Of the conditional frequencies",
              Positive()},
        Field{"smooth", &O::smooth, "(M + 1/2) / (n + 1) instead of M / n"},
        Field{"merge_below", &O::merge_below,
              "Images a part needs, or it joins its nearest; 0: never",
              NonNegative()},
        Field{"keep", &O::keep, "Which of the clusterings to keep",
              OneOf{"inertia|cut|ch"}},
        Field{"restarts", &O::restarts, "Clusterings to choose from",
              Between(1, 1000)},
        Field{"seed", &O::seed, "Of k-means or of the random parts",
              NonNegative()},
        Field{"given", &O::given, "A text a part: class names, ';' between"},
    };
  }
};
PartitionOptions ToOptions(const PartitionSettings& settings);

/// A data set's partition as ToJson(Partition) says it, with the study and the
/// members "dataset" and "train_list_sha256". It is read from
/// `folder`/<sha256>.json when that file is there, has that hash inside and its
/// study has `draws` bootstrap draws; otherwise it is made, and kept there. An
/// empty folder keeps nothing.
Json PartitionOf(const Dataset& dataset, const std::string& name,
                 const PartitionOptions& options, int draws,
                 const std::filesystem::path& folder);

/// Keeps in `folder` the partitions (graph `together`) that a plan's methods
/// start from, for reports: of each data set with a task that has an option
/// "partition".
void KeepPartitions(const Plan& plan, DataAccess& data,
                    const std::filesystem::path& folder);

/// Gives each data set of a report the partition kept for its training list;
/// of several the one with the fewest parts.
void AddLabelGraphs(const std::filesystem::path& folder, ReportModel& model);

}  // namespace tailmark
