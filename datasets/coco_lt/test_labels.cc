#include "datasets/coco_lt/test_labels.h"

#include <algorithm>

#include "datasets/coco_lt/coco_lt.h"
#include "datasets/lists/list_files.h"
#include "harness/base/environment.h"

namespace tailmark {
namespace {

LabelMatrix WithoutEmptyRows(const LabelMatrix& labels) {
  LabelMatrix out{.classes = labels.classes};
  for (std::int64_t row = 0; row < labels.rows; ++row) {
    const auto first = labels.positive.begin() + row * labels.classes;
    const auto last = first + labels.classes;
    if (std::find(first, last, 1) == last) continue;
    out.positive.insert(out.positive.end(), first, last);
    ++out.rows;
  }
  return out;
}

}  // namespace

LabelMatrix CocoLtTestLabels(const DatasetSpec& spec) {
  const auto folder = SharedFile("datasets/coco_lt");
  const auto classes = lists::ReadClasses(folder / "classes.txt");
  const auto ids = lists::ReadImages(folder / "test_ids.txt");
  LabelMatrix labels = lists::ReadLabelRows(folder / "test_labels.txt",
                                            ids.size(), classes.size());
  return FromMap<coco_lt::Options>(spec.options).empty == "drop"
             ? WithoutEmptyRows(labels)
             : labels;
}

}  // namespace tailmark
