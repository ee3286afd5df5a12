#include "datasets/voc07_fewshot/test_labels.h"

#include "datasets/lists/few_shot_test_labels.h"
#include "datasets/voc07_fewshot/voc07_fewshot.h"
#include "harness/base/environment.h"

namespace tailmark {

LabelMatrix Voc07FewShotTestLabels(const DatasetSpec& spec) {
  const auto options = FromMap<voc07_fewshot::Options>(spec.options);
  return lists::ReadFewShotTestLabels(SharedFile("datasets/voc07_fewshot"),
                                      options.base == "only");
}

}  // namespace tailmark
