#include "methods/nn/costs.h"

#include <utility>

namespace tailmark {
namespace {

OptionMap With(OptionMap options, const OptionMap& more) {
  for (const auto& [name, value] : more) options[name] = value;
  return options;
}

std::vector<CostTerm> Once(const char* images, const OptionMap& when) {
  return {{.unit = CostUnit::kImage, .times = {images}, .when = when},
          {.unit = CostUnit::kPicture, .times = {images}, .when = when}};
}

}  // namespace

std::vector<SharedWork> FrozenFeatures(const OptionMap& when) {
  const OptionMap mirrored = With(when, {{"augment", std::string("flip")}});
  return {{.name = "train", .terms = Once("train_images", when)},
          {.name = "train mirrored", .terms = Once("train_images", mirrored)},
          {.name = "test", .terms = Once("test_images", when)}};
}

std::vector<SharedWork> FrozenTestFeatures() {
  return {{.name = "test", .terms = Once("test_images", {})}};
}

std::vector<CostTerm> EveryEpoch(double passes, const OptionMap& when) {
  return {{.unit = CostUnit::kImage,
           .amount = passes,
           .times = {"train_images", "epochs"},
           .when = when},
          {.unit = CostUnit::kPicture,
           .times = {"train_images", "epochs"},
           .when = when}};
}

std::vector<CostTerm> EveryTestImage(double passes, const OptionMap& when) {
  return {{.unit = CostUnit::kImage,
           .amount = passes,
           .times = {"test_images"},
           .when = when},
          {.unit = CostUnit::kPicture, .times = {"test_images"}, .when = when}};
}

std::vector<CostTerm> ClassTexts(double sets, const std::string& words,
                                 std::vector<std::string> times,
                                 const OptionMap& when) {
  times.emplace_back("classes");
  std::vector<std::string> of_words = times;
  of_words.push_back(words);
  return {{.unit = CostUnit::kTextToken,
           .amount = sets,
           .times = std::move(of_words),
           .when = when},
          {.unit = CostUnit::kTextToken,
           .amount = sets * kNameTokens,
           .times = std::move(times),
           .when = when}};
}

std::vector<CostTerm> Together(
    std::initializer_list<std::vector<CostTerm>> lists) {
  std::vector<CostTerm> all;
  for (const auto& list : lists)
    all.insert(all.end(), list.begin(), list.end());
  return all;
}

Cost PromptFitCost() {
  const OptionMap kept = {{"acceleration", true}, {"bn", std::string("eval")}};
  const OptionMap plain = {{"acceleration", false}};
  const OptionMap moving = {{"acceleration", true},
                            {"bn", std::string("train")}};
  // Plainly a text has all the positions there are, also behind its end, and
  // is encoded again for every 64 test images.
  constexpr double kPositions = 77;
  constexpr double kTestBatch = 64;
  Cost cost{.epochs = {{.option = "epochs"}},
            .batch = "batch_size",
            .shared = FrozenFeatures(kept)};
  // The text tower is frozen: a pass forward and one back.
  cost.work =
      Together({ClassTexts(2, "length", {"steps"}, {{"acceleration", true}}),
                EveryEpoch(1, plain), EveryEpoch(1, moving),
                EveryTestImage(1, plain), EveryTestImage(1, moving)});
  cost.work.push_back({.unit = CostUnit::kTextToken,
                       .amount = 2 * kPositions,
                       .times = {"steps", "classes"},
                       .when = plain});
  cost.work.push_back({.unit = CostUnit::kTextToken,
                       .amount = kPositions / kTestBatch,
                       .times = {"test_images", "classes"},
                       .when = plain});
  // The loss, and what the operations of a step cost besides their work.
  cost.work.push_back({.amount = 2.5e-3, .times = {"steps"}});
  cost.memory = ClassTexts(1, "length", {}, {{"acceleration", true}});
  cost.memory.push_back({.unit = CostUnit::kTextToken,
                         .amount = kPositions,
                         .times = {"classes"},
                         .when = plain});
  return cost;
}

}  // namespace tailmark
