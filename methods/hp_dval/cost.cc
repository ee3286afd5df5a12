#include <utility>

#include "methods/hp_dval/hp_dval.h"
#include "methods/nn/costs.h"

namespace tailmark {
namespace {

OptionMap OneOption(const char* name, const char* value) {
  return {{name, std::string(value)}};
}

OptionMap Both(const char* stage, const char* name, const char* value) {
  return {{"stage", std::string(stage)}, {name, std::string(value)}};
}

CostTerm Numbers(double towers, const OptionMap& when) {
  return {.unit = CostUnit::kImageTower, .amount = towers, .when = when};
}

/// Of a stage that trains the tower: student forward and back, and the teacher.
void AddTower(const char* stage, Cost& cost) {
  const OptionMap when = OneOption("stage", stage);
  const OptionMap recompute = {{"stage", std::string(stage)},
                               {"recompute", true}};
  const OptionMap keep = {{"stage", std::string(stage)}, {"recompute", false}};
  const auto add = [&](const std::vector<CostTerm>& terms) {
    cost.work.insert(cost.work.end(), terms.begin(), terms.end());
  };
  add(EveryEpoch(3, when));
  add({{.unit = CostUnit::kImage,
        .times = {"train_images", "epochs"},
        .when = Both(stage, "teacher", "separate")},
       {.unit = CostUnit::kImage,
        .times = {"train_images", "epochs"},
        .when = recompute},
       {.unit = CostUnit::kImageTower, .times = {"steps"}, .when = when}});
  // Student, its average, gradient and the optimiser's two moments.
  cost.memory.push_back(Numbers(5, when));
  cost.memory.push_back(
      {.unit = CostUnit::kImage, .times = {"batch"}, .when = keep});
  // Of each block what goes into it, and one block whole.
  cost.memory.push_back({.unit = CostUnit::kImage,
                         .amount = 0.15,
                         .times = {"batch"},
                         .when = recompute});
}

/// Of a stage that trains two prompts.
void AddPrompts(const char* stage, Cost& cost) {
  const OptionMap when = OneOption("stage", stage);
  const auto texts = ClassTexts(4, "context_tokens", {"steps"}, when);
  cost.work.insert(cost.work.end(), texts.begin(), texts.end());
  const auto kept = ClassTexts(2, "context_tokens", {}, when);
  cost.memory.insert(cost.memory.end(), kept.begin(), kept.end());
}

/// The text tower beside the image tower, in stage 1 of the release.
void AddTrainedText(Cost& cost) {
  const OptionMap when = Both("1", "text_encoder", "trained");
  constexpr double kTemplateWords = 4;
  cost.work.push_back({.unit = CostUnit::kTextToken,
                       .amount = 3 * (kTemplateWords + kNameTokens),
                       .times = {"steps", "classes"},
                       .when = when});
  cost.work.push_back(
      {.unit = CostUnit::kTextTower, .times = {"steps"}, .when = when});
  cost.memory.push_back(
      {.unit = CostUnit::kTextTower, .amount = 5, .when = when});
  cost.memory.push_back({.unit = CostUnit::kTextToken,
                         .amount = kTemplateWords + kNameTokens,
                         .times = {"classes"},
                         .when = when});
}

}  // namespace

Cost HpDvalCost() {
  Cost cost{
      .epochs = {{.option = "stage2_epochs", .when = OneOption("stage", "2")},
                 {.option = "stage1_epochs"}},
      .batch = "batch_size"};
  AddTower("1", cost);
  AddTower("joint", cost);
  const auto frozen = EveryEpoch(1, OneOption("stage", "2"));
  cost.work.insert(cost.work.end(), frozen.begin(), frozen.end());
  cost.memory.push_back(Numbers(1, OneOption("stage", "2")));
  AddPrompts("2", cost);
  AddPrompts("joint", cost);
  AddTrainedText(cost);
  const auto test = EveryTestImage(1);
  cost.work.insert(cost.work.end(), test.begin(), test.end());
  // The base classes' fit of few-shot protocols: student and teacher.
  cost.work.push_back({.unit = CostUnit::kImage,
                       .amount = 4,
                       .times = {"train_images", "base_epochs"},
                       .when = OneOption("student_init", "base-run"),
                       .once = true});
  // Both views of an image: a score, rank and norm for each class and token.
  for (const auto& images :
       {std::vector<std::string>{"train_images", "epochs"}, {"test_images"}}) {
    CostTerm views{.amount = 3e-5, .times = images};
    views.times.emplace_back("classes");
    cost.work.push_back(std::move(views));
  }
  // The loss, and what the operations of a step cost besides their work.
  cost.work.push_back({.amount = 4e-3, .times = {"steps"}});
  return cost;
}

}  // namespace tailmark
