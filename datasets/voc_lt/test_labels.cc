#include "datasets/voc_lt/test_labels.h"

#include "datasets/lists/list_files.h"
#include "datasets/voc_lt/voc_lt.h"
#include "harness/base/environment.h"
#include "harness/base/error.h"

namespace tailmark {

LabelMatrix VocLtTestLabels(const DatasetSpec& spec) {
  FromMap<voc_lt::Options>(spec.options);  // Refuses unknown ones.
  const auto folder = SharedFile("datasets/voc_lt");
  const auto classes = lists::ReadClasses(folder / "classes.txt");
  const auto ids = lists::ReadImages(folder / "test_ids.txt");
  LabelMatrix labels = lists::ReadLabelRows(folder / "test_labels.txt",
                                            ids.size(), classes.size());
  const LabelMatrix difficult = lists::ReadLabelRows(
      folder / "test_difficult.txt", ids.size(), classes.size());
  labels.known.assign(labels.positive.size(), 1);
  for (std::size_t i = 0; i < labels.positive.size(); ++i) {
    if (difficult.positive[i] == 0) continue;
    if (labels.positive[i] == 0) {
      throw DataError(StrCat((folder / "test_difficult.txt").string(), ":",
                             i / classes.size() + 1, ": class ",
                             i % classes.size(), " is no label of the image"));
    }
    labels.known[i] = 0;
  }
  return labels;
}

}  // namespace tailmark
