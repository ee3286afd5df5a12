#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "datasets/embedded/classes.h"
#include "harness/base/seeds.h"

namespace tailmark::embedded {

/// Which classes a picture shows, and the context that brought them together.
struct LabelSet {
  Context context = Context::kKitchen;
  std::vector<int> classes;  ///< Without repetition; the anchor first.
};

/// Positives each class shall have in a split.
using Targets = std::array<int, kClasses>;
Targets LongTailedTargets();
Targets SameForAll(int positives);

/// An index with a chance proportional to its weight; -1 when all are 0.
int DrawWeighted(std::span<const std::uint32_t> weights, ChanceStream& chance);

/// The anchor's own context; any of them when the class lives anywhere, and now
/// and then for others.
Context DrawContext(int anchor, ChanceStream& chance);

/// Adds up to `companions` classes to `set`, by weight[c] * Affinity(c,
/// context) and without repetition; fewer when nothing is left to draw from.
void AddCompanions(int companions, const Targets& weight, LabelSet& set,
                   ChanceStream& chance);

/// Label sets that meet `targets` exactly, drawn from an urn: every label is
/// owed to its class until it has been given, so that all pictures look alike
/// in distribution and none is without a label.
std::vector<LabelSet> DrawLabelSets(std::uint64_t seed, std::uint64_t domain,
                                    const Targets& targets);

}  // namespace tailmark::embedded
