#include "methods/nn/costs.h"
#include "methods/psd/psd_options.h"

namespace tailmark {
namespace {

OptionMap Of(const char* variant, const char* name, const char* value) {
  return {{"variant", std::string(variant)}, {name, std::string(value)}};
}

void Add(std::vector<CostTerm>& to, const std::vector<CostTerm>& terms) {
  to.insert(to.end(), terms.begin(), terms.end());
}

/// A teacher's pass of each training image in each epoch; one a part and graph.
void AddTeachers(const char* variant, Cost& cost) {
  const auto passes = [&](const char* teachers, double graphs) {
    const OptionMap when = Of(variant, "teachers", teachers);
    cost.work.push_back({.unit = CostUnit::kImage,
                         .amount = graphs,
                         .times = {"train_images", "epochs", "parts"},
                         .when = when});
    cost.memory.push_back({.unit = CostUnit::kImageTower,
                           .amount = graphs,
                           .times = {"parts"},
                           .when = when});
  };
  passes("both", 2);
  passes("together", 1);
  passes("apart", 1);
  const OptionMap self = Of(variant, "teachers", "self");
  cost.work.push_back({.unit = CostUnit::kImage,
                       .times = {"train_images", "epochs"},
                       .when = self});
  cost.memory.push_back({.unit = CostUnit::kImageTower, .when = self});
}

/// Teachers that are scored without a student.
std::vector<CostTerm> Ensembles() {
  std::vector<CostTerm> terms;
  const auto add = [&](const char* output, double graphs) {
    terms.push_back({.unit = CostUnit::kImage,
                     .amount = graphs,
                     .times = {"test_images", "parts"},
                     .when = {{"output", std::string(output)}}});
  };
  add("together", 1);
  add("apart", 1);
  add("mean", 2);
  return terms;
}

}  // namespace

Cost PsdCost() {
  const auto variant = [](const char* name) -> OptionMap {
    return {{"variant", std::string(name)}};
  };
  Cost cost{.epochs = {{.option = "epochs"}}, .batch = "batch_size"};
  // A student that nobody trains is reckoned as one that is: an ensemble
  // (`output`) takes less.
  Add(cost.work, EveryEpoch(3, variant("finetune")));
  cost.work.push_back({.unit = CostUnit::kImageTower,
                       .amount = 1.5,
                       .times = {"steps"},
                       .when = variant("finetune")});
  // Model, its average twice, gradient and two moments.
  cost.memory.push_back({.unit = CostUnit::kImageTower,
                         .amount = 6,
                         .when = variant("finetune")});
  AddTeachers("finetune", cost);
  // The tower is frozen: a pass forward and one back, of more tokens.
  Add(cost.work, EveryEpoch(2, variant("adapter")));
  cost.work.push_back({.unit = CostUnit::kImageToken,
                       .amount = 2,
                       .times = {"train_images", "epochs", "adapter_tokens"},
                       .when = variant("adapter")});
  AddTeachers("adapter", cost);
  for (const char* name : {"prompt", "linear_probe"}) {
    Add(cost.work, EveryEpoch(1, variant(name)));
  }
  Add(cost.work, ClassTexts(2, "context_length", {"steps"}, variant("prompt")));
  Add(cost.memory, ClassTexts(1, "context_length", {}, variant("prompt")));
  for (const char* name : {"finetune", "adapter"}) {
    cost.memory.push_back(
        {.unit = CostUnit::kImage, .times = {"batch"}, .when = variant(name)});
  }
  Add(cost.work, EveryTestImage(1, {{"output", std::string("student")}}));
  Add(cost.work, Ensembles());
  // The loss, and what the operations of a step cost besides their work.
  cost.work.push_back({.amount = 5e-3, .times = {"steps"}});
  return cost;
}

}  // namespace tailmark
