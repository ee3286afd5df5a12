#include "datasets/embedded/benchmark.h"

#include <array>

#include "datasets/embedded/scene.h"

namespace tailmark::embedded {
namespace {

constexpr int kTestPositives = 120;
constexpr int kBalancedPositives = 150;
constexpr int kOtherContext = 20;    ///< Percent.
constexpr int kSecondInstance = 20;  ///< Percent.
constexpr std::size_t kMostBodies = 5;

std::uint64_t LabelDomain(Part part) {
  constexpr std::array<std::uint64_t, 3> kDomains = {1000, 1001, 1002};
  return kDomains[static_cast<std::size_t>(part)];
}

// Not the domain of the labels: pictures can then be drawn one by one, without
// the urn's history.
std::uint64_t DrawingDomain(Part part) { return 1000 + LabelDomain(part); }

std::vector<int> WithSecondInstances(std::vector<int> classes,
                                     ChanceStream& chance) {
  const std::size_t labels = classes.size();
  for (std::size_t i = 0; i < labels && classes.size() < kMostBodies; ++i) {
    if (chance.Chance(kSecondInstance)) classes.push_back(classes[i]);
  }
  return classes;
}

}  // namespace

std::vector<LabelSet> LabelSetsOf(Part part, std::uint64_t seed) {
  switch (part) {
    case Part::kTrain:
      return DrawLabelSets(seed, LabelDomain(part), LongTailedTargets());
    case Part::kTest:
      return DrawLabelSets(seed, LabelDomain(part), SameForAll(kTestPositives));
    case Part::kBalanced:
      return DrawLabelSets(seed, LabelDomain(part),
                           SameForAll(kBalancedPositives));
  }
  return {};
}

Context ContextOf(Part part, std::uint64_t seed, std::uint64_t index,
                  const LabelSet& labels) {
  ChanceStream chance(seed, DrawingDomain(part), index);
  return ShownContext(labels.context, kOtherContext, chance);
}

Image DrawPicture(Part part, std::uint64_t seed, std::uint64_t index,
                  const LabelSet& labels, bool camera) {
  return DrawPicture(
      {.seed = seed, .domain = DrawingDomain(part), .index = index}, labels,
      camera);
}

Image DrawPicture(const PictureStream& stream, const LabelSet& labels,
                  bool camera) {
  const Knobs knobs = BenchmarkKnobs(camera);
  ChanceStream chance(stream.seed, stream.domain, stream.index);
  Scene scene;
  // The first draw, as in ContextOf().
  scene.context = ShownContext(labels.context, kOtherContext, chance);
  const auto classes = WithSecondInstances(labels.classes, chance);
  for (const int klass : classes) {
    scene.bodies.push_back(DrawBody(klass, classes.size() == 1, knobs, chance));
  }
  PlaceBodies(scene.bodies, chance);
  return Paint(scene, knobs, chance);
}

}  // namespace tailmark::embedded
