#pragma once

#include "datasets/dataset.h"

namespace tailmark {

/// Labels of the query, [926, 20], or for base=only of the base test images,
/// [3,562, 14]. In tailmark::test_labels.
LabelMatrix Voc07FewShotTestLabels(const DatasetSpec& spec);

}  // namespace tailmark
