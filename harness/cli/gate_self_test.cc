// The gate, tried on scores of its own before it judges anybody's.

#include <cstdio>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/seeds.h"
#include "harness/cli/gating.h"

namespace tailmark {
namespace {

constexpr std::int64_t kImages = 600;
constexpr std::int64_t kClasses = 6;

struct World {
  std::vector<float> scores;
  std::vector<float> worse;
  std::vector<std::uint8_t> labels;
};

/// Present classes score higher; in `worse` one image in five has lost that.
World MakeWorld() {
  World world;
  ChanceStream chance(7, 1, 0);
  for (std::int64_t row = 0; row < kImages; ++row) {
    for (std::int64_t c = 0; c < kClasses; ++c) {
      const bool present = chance.Chance(10 + 5 * static_cast<int>(c));
      const double noise = chance.Unit() + chance.Unit() + chance.Unit();
      const bool spoilt = present && chance.Chance(20);
      world.scores.push_back(static_cast<float>(noise + (present ? 1 : 0)));
      world.worse.push_back(
          static_cast<float>(noise + (present && !spoilt ? 1 : 0)));
      world.labels.push_back(present ? 1 : 0);
    }
  }
  return world;
}

Replicates Draw(const std::vector<float>& scores, const World& world) {
  const std::vector<ClassGroup> groups = {{.name = "head", .classes = {4, 5}},
                                          {.name = "medium", .classes = {2, 3}},
                                          {.name = "tail", .classes = {0, 1}}};
  return BootstrapImages({.values = std::span<const float>(scores),
                          .rows = kImages,
                          .classes = kClasses},
                         {.positive = world.labels}, groups, Definition{},
                         {.resamples = 1000});
}

bool Red(const std::vector<GateCell>& cells) {
  std::vector<Outcome> outcomes;
  for (const GateCell& cell : cells) outcomes.push_back(cell.outcome);
  return Fails(outcomes, false, {});
}

}  // namespace

std::string GateSelfTest(bool& good) {
  const World world = MakeWorld();
  const Replicates as_is = Draw(world.scores, world);
  const Replicates worse = Draw(world.worse, world);
  const auto same = JudgeImages(ComparePaired(as_is, as_is), {});
  const auto injected = JudgeImages(ComparePaired(as_is, worse), {});
  const SeedGroup seeds{.name = "total",
                        .reference = {60.1, 60.3, 59.9, 60.0, 60.2},
                        .candidate = {60.2, 60.0, 60.1}};
  const SeedGroup fallen{.name = "total",
                         .reference = seeds.reference,
                         .candidate = {58.1, 58.3, 58.0}};
  const bool green = !Red(same) && !Red(JudgeSeeds(std::span(&seeds, 1), {}));
  const bool red = Red(injected) && Red(JudgeSeeds(std::span(&fallen, 1), {}));
  good = green && red;
  char text[200];
  std::snprintf(
      text, sizeof text,
      "A/A: %s; an injected loss of %.2f points: %s; seeds that fell "
      "by 2 points: %s\n",
      green ? "green" : "RED, a false alarm", -*injected.front().difference,
      Red(injected) ? "red" : "GREEN, not seen",
      Red(JudgeSeeds(std::span(&fallen, 1), {})) ? "red" : "GREEN, not seen");
  return text;
}

}  // namespace tailmark
