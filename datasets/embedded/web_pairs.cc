#include "datasets/embedded/web_pairs.h"

#include "datasets/embedded/caption.h"
#include "datasets/embedded/labels.h"
#include "datasets/embedded/scene.h"

namespace tailmark::embedded {
namespace {

constexpr std::uint64_t kWebDomain = 7;

LabelSet DrawClasses(ChanceStream& chance) {
  LabelSet set;
  const auto anchor = static_cast<int>(chance.Below(kClasses));
  set.context = DrawContext(anchor, chance);
  set.classes = {anchor};
  const std::uint32_t roll = chance.Below(100);
  const int companions = roll < 55 ? 0 : (roll < 88 ? 1 : 2);
  AddCompanions(companions, SameForAll(1), set, chance);
  return set;
}

Scene DrawScene(const LabelSet& labels, const Knobs& knobs,
                ChanceStream& chance) {
  Scene scene;
  if (chance.Chance(60)) {
    scene.context = ShownContext(labels.context, 15, chance);
  }
  scene.studio = static_cast<Colour>(chance.Below(kColours));
  const std::uint32_t flaw = chance.Below(100);
  scene.blurry = flaw < 8;
  scene.dark = flaw >= 8 && flaw < 16;
  const bool alone = labels.classes.size() == 1;
  for (const int klass : labels.classes) {
    scene.bodies.push_back(DrawBody(klass, alone, knobs, chance));
  }
  PlaceBodies(scene.bodies, chance);
  return scene;
}

}  // namespace

WebPair DrawWebPair(std::uint64_t seed, std::uint64_t index) {
  ChanceStream chance(seed, kWebDomain, index);
  const LabelSet labels = DrawClasses(chance);
  Knobs knobs = WebKnobs();
  const bool small = chance.Chance(12);
  if (small) {
    knobs.alone_smallest = 110;
    knobs.alone_largest = 150;
    knobs.among_smallest = 90;
    knobs.among_largest = 120;
  }
  const Scene scene = DrawScene(labels, knobs, chance);
  WebPair pair;
  pair.caption = DrawWebCaption(scene, small, chance);
  pair.image = Paint(scene, knobs, chance);
  return pair;
}

}  // namespace tailmark::embedded
