#pragma once

#include <cstdint>
#include <string>

#include "harness/base/options.h"
#include "methods/partition/partition.h"

namespace tailmark {

/// How a method that groups classes says it, for options structs to derive
/// from. `merge_below` is each method's own: its default differs.
struct PartitionChoice {
  std::string partition = "spectral";
  std::int64_t parts = 5;
  double exponent = 0.5;
  double apart_exponent = 0.5;
  bool smooth = false;
  std::string keep = "inertia";
  std::int64_t restarts = 20;
  std::int64_t partition_seed = 0;
  WordList given_together;
  WordList given_apart;

  static constexpr auto Fields() {
    using O = PartitionChoice;
    return std::tuple{
        Field{"partition", &O::partition,
              "Classes fall into parts by the graphs of the training labels, "
              "at random in parts of the same sizes, or as given",
              OneOf{"spectral|random|given"}},
        Field{"parts", &O::parts, "K of each graph, before merging",
              Between(1, 1000)},
        Field{"exponent", &O::exponent, "Of the graph of classes seen together",
              Positive()},
        Field{"apart_exponent", &O::apart_exponent,
              "Of the graph of classes seen apart: 1/2, or 1/3", Positive()},
        Field{"smooth", &O::smooth, "(M + 1/2) / (n + 1) instead of M / n"},
        Field{"keep", &O::keep,
              "Which clustering: lowest k-means objective, lowest normalised "
              "cut, or best Calinski-Harabasz score, as released",
              OneOf{"inertia|cut|ch"}},
        Field{"restarts", &O::restarts, "Clusterings to choose from",
              Between(1, 1000)},
        Field{"partition_seed", &O::partition_seed,
              "Of k-means and of random parts; not the run's seed",
              NonNegative()},
        Field{"given_together", &O::given_together,
              "With partition=given: a text a part, class names, ';' between"},
        Field{"given_apart", &O::given_apart, "The same of the other graph"},
    };
  }

  PartitionOptions Of(GraphKind graph, std::int64_t merge_below) const {
    const bool apart = graph == GraphKind::kApart;
    return {.kind = PartitionKindByName(partition),
            .graph = graph,
            .parts = static_cast<int>(parts),
            .exponent = apart ? apart_exponent : exponent,
            .smooth = smooth,
            .merge_below = merge_below,
            .keep = KeepRuleByName(keep),
            .restarts = static_cast<int>(restarts),
            .seed = static_cast<std::uint64_t>(partition_seed),
            .given = apart ? given_apart : given_together};
  }
};

}  // namespace tailmark
