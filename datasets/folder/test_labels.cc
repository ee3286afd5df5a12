#include "datasets/folder/test_labels.h"

#include <utility>

#include "datasets/folder/index.h"

namespace tailmark {

LabelMatrix FolderTestLabels(const DatasetSpec& spec) {
  folder::Index index =
      folder::ReadIndex(FromMap<folder::Options>(spec.options), spec.root,
                        /*test_labels=*/true);
  return std::move(index.test_labels);
}

}  // namespace tailmark
