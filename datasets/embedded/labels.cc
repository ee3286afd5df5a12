#include "datasets/embedded/labels.h"

#include <algorithm>

namespace tailmark::embedded {
namespace {

using Weights = std::array<std::uint32_t, kClasses>;

Weights WeightsOf(const Targets& owed) {
  Weights weights{};
  std::transform(owed.begin(), owed.end(), weights.begin(),
                 [](int n) { return static_cast<std::uint32_t>(n); });
  return weights;
}

int DrawCompanionCount(ChanceStream& chance) {
  const std::uint32_t roll = chance.Below(100);
  if (roll < 25) return 0;
  if (roll < 58) return 1;
  return roll < 83 ? 2 : 3;
}

}  // namespace

Targets LongTailedTargets() {
  Targets targets{};
  for (std::size_t c = 0; c < targets.size(); ++c) {
    targets[c] = kClassTable[c].train_count;
  }
  return targets;
}

Targets SameForAll(int positives) {
  Targets targets{};
  targets.fill(positives);
  return targets;
}

int DrawWeighted(std::span<const std::uint32_t> weights, ChanceStream& chance) {
  std::uint32_t total = 0;
  for (const std::uint32_t weight : weights) total += weight;
  if (total == 0) return -1;
  std::uint32_t left = chance.Below(total);
  int index = 0;
  for (const std::uint32_t weight : weights) {
    if (left < weight) break;
    left -= weight;
    ++index;
  }
  return index;
}

Context DrawContext(int anchor, ChanceStream& chance) {
  const ClassSpec& spec = kClassTable[static_cast<std::size_t>(anchor)];
  if (spec.anywhere || chance.Chance(12)) {
    return static_cast<Context>(chance.Below(kContexts));
  }
  return spec.context;
}

void AddCompanions(int companions, const Targets& weight, LabelSet& set,
                   ChanceStream& chance) {
  Weights weights = WeightsOf(weight);
  for (int c = 0; c < kClasses; ++c) {
    weights[static_cast<std::size_t>(c)] *=
        static_cast<std::uint32_t>(Affinity(c, set.context));
  }
  for (const int c : set.classes) weights[static_cast<std::size_t>(c)] = 0;
  for (int i = 0; i < companions; ++i) {
    const int c = DrawWeighted(weights, chance);
    if (c < 0) return;
    weights[static_cast<std::size_t>(c)] = 0;
    set.classes.push_back(c);
  }
}

std::vector<LabelSet> DrawLabelSets(std::uint64_t seed, std::uint64_t domain,
                                    const Targets& targets) {
  Targets owed = targets;
  std::vector<LabelSet> sets;
  while (true) {
    ChanceStream chance(seed, domain, sets.size());
    const int anchor = DrawWeighted(WeightsOf(owed), chance);
    if (anchor < 0) return sets;
    LabelSet set;
    set.context = DrawContext(anchor, chance);
    set.classes = {anchor};
    const int companions = DrawCompanionCount(chance);
    AddCompanions(companions, owed, set, chance);
    for (const int c : set.classes) --owed[static_cast<std::size_t>(c)];
    sets.push_back(std::move(set));
  }
}

}  // namespace tailmark::embedded
