#pragma once

#include "datasets/dataset.h"

namespace tailmark {

/// Labels of the test images, [5,000 or 4,952, 80]. In tailmark::test_labels.
LabelMatrix CocoLtTestLabels(const DatasetSpec& spec);

}  // namespace tailmark
