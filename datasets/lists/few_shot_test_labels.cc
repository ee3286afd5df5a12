#include "datasets/lists/few_shot_test_labels.h"

#include "datasets/lists/few_shot_lists.h"

namespace tailmark::lists {

LabelMatrix ReadFewShotTestLabels(const std::filesystem::path& folder,
                                  bool only_base) {
  const auto classes = ReadFewShotClasses(folder);
  const std::string kind = only_base ? "base_test" : "query";
  const auto ids = ReadImages(folder / (kind + "_ids.txt"));
  const LabelMatrix labels = ReadLabelRows(folder / (kind + "_labels.txt"),
                                           ids.size(), classes.size());
  return only_base ? TakeColumns(labels, ColumnsOf(classes, Group::kBase))
                   : labels;
}

}  // namespace tailmark::lists
