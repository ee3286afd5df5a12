#pragma once

#include "datasets/dataset.h"

namespace tailmark {

/// Labels of the query, [15,927 or 40,504, 80], or for base=only of the base
/// test images, [38,819, 64]. In tailmark::test_labels.
LabelMatrix CocoFewShotTestLabels(const DatasetSpec& spec);

}  // namespace tailmark
