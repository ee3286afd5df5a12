#include "datasets/coco_fewshot/test_labels.h"

#include "datasets/coco_fewshot/coco_fewshot.h"
#include "datasets/lists/few_shot_test_labels.h"
#include "datasets/lists/list_files.h"
#include "harness/base/environment.h"

namespace tailmark {
namespace {

LabelMatrix TakeRows(const LabelMatrix& labels,
                     const std::vector<std::int64_t>& rows) {
  LabelMatrix out{.rows = static_cast<std::int64_t>(rows.size()),
                  .classes = labels.classes};
  for (const std::int64_t row : rows) {
    const auto first = labels.positive.begin() + row * labels.classes;
    out.positive.insert(out.positive.end(), first, first + labels.classes);
  }
  return out;
}

}  // namespace

LabelMatrix CocoFewShotTestLabels(const DatasetSpec& spec) {
  const auto options = FromMap<coco_fewshot::Options>(spec.options);
  const auto folder = SharedFile("datasets/coco_fewshot");
  const bool only = options.base == "only";
  LabelMatrix labels = lists::ReadFewShotTestLabels(folder, only);
  if (only || options.query == "plain") return labels;
  return TakeRows(labels,
                  lists::ReadNumbers(folder / "query_laso.txt",
                                     static_cast<std::size_t>(labels.rows)));
}

}  // namespace tailmark
