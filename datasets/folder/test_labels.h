#pragma once

#include "datasets/dataset.h"

namespace tailmark {

/// Labels of the test images, [test images, classes]. In
/// tailmark::test_labels.
LabelMatrix FolderTestLabels(const DatasetSpec& spec);

}  // namespace tailmark
