#pragma once

#include "datasets/dataset.h"

namespace tailmark {

/// Ground truth of the test scenes, [test pictures, 24]. In
/// tailmark::test_labels.
LabelMatrix EmbeddedTestLabels(const DatasetSpec& spec);

}  // namespace tailmark
