#include "datasets/test_labels.h"

#include <stdexcept>
#include <utility>
#include <vector>

#include "datasets/coco_fewshot/test_labels.h"
#include "datasets/coco_lt/test_labels.h"
#include "datasets/embedded/test_labels.h"
#include "datasets/folder/test_labels.h"
#include "datasets/voc07_fewshot/test_labels.h"
#include "datasets/voc_lt/test_labels.h"
#include "harness/base/error.h"
#include "harness/base/suggest.h"

namespace tailmark {

void TestLabelRegistry::Add(std::string name, Loader loader) {
  if (!loaders_.emplace(name, std::move(loader)).second) {
    throw std::logic_error(
        StrCat("test labels of '", name, "' registered twice"));
  }
}

LabelMatrix TestLabelRegistry::Load(const DatasetSpec& spec) const {
  // "folder:holidays" is `folder` under a name of the user's.
  const std::string registered = spec.name.substr(0, spec.name.find(':'));
  if (const auto it = loaders_.find(registered); it != loaders_.end()) {
    return it->second(spec);
  }
  std::vector<std::string> names;
  for (const auto& entry : loaders_) names.push_back(entry.first);
  throw ConfigError(UnknownName("data set", spec.name, names));
}

TestLabelRegistry BuiltinTestLabels() {
  TestLabelRegistry registry;
  registry.Add("coco-fewshot", CocoFewShotTestLabels);
  registry.Add("coco-lt", CocoLtTestLabels);
  registry.Add("embedded", EmbeddedTestLabels);
  registry.Add("embedded-fewshot", EmbeddedFewShotTestLabels);
  registry.Add("folder", FolderTestLabels);
  registry.Add("voc07-fewshot", Voc07FewShotTestLabels);
  registry.Add("voc-lt", VocLtTestLabels);
  return registry;
}

}  // namespace tailmark
