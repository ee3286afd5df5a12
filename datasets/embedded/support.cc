#include <algorithm>

#include "datasets/embedded/benchmark.h"
#include "datasets/embedded/few_shot.h"

namespace tailmark::embedded {
namespace {

// Domains of chance; a support has one number in each.
constexpr std::uint64_t kLabels = 10000;
constexpr std::uint64_t kCompanions = 20000;
constexpr std::uint64_t kDrawing = 30000;
constexpr std::size_t kMostClasses = 4;

std::uint64_t NumberOf(std::int64_t shots, int episode) {
  return static_cast<std::uint64_t>(100 * shots + episode);
}

/// K for each novel class.
Targets NovelTargets(std::int64_t shots) {
  Targets targets{};
  for (int c = 0; c < kClasses; ++c) {
    if (IsNovel(c)) {
      targets[static_cast<std::size_t>(c)] = static_cast<int>(shots);
    }
  }
  return targets;
}

/// How often base classes keep a picture company: as often as they are trained.
Targets BaseWeights() {
  Targets weights = LongTailedTargets();
  for (int c = 0; c < kClasses; ++c) {
    if (IsNovel(c)) weights[static_cast<std::size_t>(c)] = 0;
  }
  return weights;
}

}  // namespace

bool IsNovel(int klass) {
  return GroupByCount(
             kClassTable[static_cast<std::size_t>(klass)].train_count) ==
         Group::kTail;
}

std::vector<std::size_t> QueryRows(const std::vector<LabelSet>& test,
                                   bool novel) {
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < test.size(); ++i) {
    const auto& classes = test[i].classes;
    if (std::any_of(classes.begin(), classes.end(),
                    [&](int c) { return IsNovel(c) == novel; })) {
      rows.push_back(i);
    }
  }
  return rows;
}

std::vector<LabelSet> SupportSets(std::uint64_t seed, std::int64_t shots,
                                  int episode) {
  const std::uint64_t number = NumberOf(shots, episode);
  // From the urn as the benchmark's own parts: K is met exactly.
  auto sets = DrawLabelSets(seed, kLabels + number, NovelTargets(shots));
  const Targets base = BaseWeights();
  for (std::size_t i = 0; i < sets.size(); ++i) {
    ChanceStream chance(seed, kCompanions + number, i);
    const auto room = static_cast<int>(
        kMostClasses - std::min(kMostClasses, sets[i].classes.size()));
    const int wanted = chance.Range(0, 2);
    AddCompanions(std::min(wanted, room), base, sets[i], chance);
  }
  return sets;
}

Image DrawSupportPicture(const FewShotOptions& options, int episode,
                         std::size_t index, const LabelSet& labels) {
  const auto seed = static_cast<std::uint64_t>(options.data_seed);
  return DrawPicture({.seed = seed,
                      .domain = kDrawing + NumberOf(options.shots, episode),
                      .index = index},
                     labels, options.camera);
}

}  // namespace tailmark::embedded
