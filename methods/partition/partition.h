#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/json.h"
#include "methods/partition/label_graph.h"
#include "methods/partition/spectral.h"

namespace tailmark {

/// How classes are cut into parts.
enum class PartitionKind : std::uint8_t {
  kSpectral,  ///< By the label graph.
  kRandom,    ///< At random, in parts of the sizes the spectral one has.
  kGiven      ///< As listed: an oracle's groups.
};
std::string_view NameOf(PartitionKind kind);  ///< "spectral", ...
/// Throws ConfigError with the nearest name.
PartitionKind PartitionKindByName(std::string_view name);

struct PartitionOptions {
  PartitionKind kind = PartitionKind::kSpectral;
  GraphKind graph = GraphKind::kTogether;
  int parts = 5;          ///< K, before any merging.
  double exponent = 0.5;  ///< Of the graph.
  bool smooth = false;    ///< Of the graph.
  /// A part with fewer images that show one of its classes joins the part it
  /// has the largest mean edge weight with; 0: never.
  std::int64_t merge_below = 50;
  KeepRule keep = KeepRule::kInertia;
  int restarts = 20;
  std::uint64_t seed = 0;
  /// For kGiven: a line a part, names of classes with ";" between. Classes that
  /// no line names make a part of their own.
  std::vector<std::string> given;
};

/// Training labels [rows, classes], row by row, 0 or 1, and the names.
struct PartitionLabels {
  std::span<const std::uint8_t> labels;
  std::span<const std::string> names;
};

/// What is known of a partition. C classes, K parts.
struct Partition {
  PartitionOptions options;
  std::vector<std::string> names;                ///< [C]
  std::vector<int> part_of;                      ///< [C] 0..K-1.
  std::vector<std::vector<std::int64_t>> parts;  ///< Classes, ascending.
  std::vector<std::int64_t> images;  ///< [K] that show a class of the part.
  std::vector<std::string> merges;   ///< What the merge rule did, in words.
  double cut = 0;                    ///< NormalisedCut
  double calinski_harabasz = 0;
  /// Mean over pairs of classes: of one part, of two. Always of the graph
  /// `together`, so that both kinds compare.
  double weight_within = 0;
  double weight_between = 0;
  SquareMatrix edges;     ///< The graph that was cut.
  SquareMatrix together;  ///< The graph of kind kTogether.
  std::string labels_sha256;

  std::int64_t num_parts() const {
    return static_cast<std::int64_t>(parts.size());
  }
};

/// A function of labels and options alone. Throws ConfigError when `given`
/// names a class that is not there, or one twice.
Partition MakePartition(const PartitionLabels& labels,
                        const PartitionOptions& options);

/// How far a partition is an accident of the draw: the mean adjusted Rand index
/// against partitions of `draws` bootstrap samples of the training images.
double BootstrapRand(const PartitionLabels& labels, const Partition& partition,
                     int draws, std::uint64_t seed);

/// `weight_within` of random parts of the same sizes: mean and deviation.
struct RandomWeight {
  double mean = 0;
  double deviation = 0;
};
RandomWeight WeightOfRandomParts(const Partition& partition, int draws,
                                 std::uint64_t seed);

/// What stability costs seconds to find out.
struct PartitionStudy {
  double bootstrap_rand = 0;
  int bootstrap_draws = 0;
  RandomWeight random;
  int random_draws = 0;
};

/// {schema: "tailmark-partition/1", options, classes, parts: [{classes,
/// images}], part_of, cut, ..., together: [[...]], sha256}. `sha256` is
/// HashOf(options, names, labels): what the partition is a function of.
Json ToJson(const Partition& partition,
            const std::optional<PartitionStudy>& study = std::nullopt);
/// The `sha256` above, without making the partition.
std::string PartitionHash(const PartitionLabels& labels,
                          const PartitionOptions& options);

}  // namespace tailmark
