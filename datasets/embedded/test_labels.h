#pragma once

#include "datasets/dataset.h"

namespace tailmark {

/// Ground truth of the test scenes, [test pictures, 24]. In
/// tailmark::test_labels.
LabelMatrix EmbeddedTestLabels(const DatasetSpec& spec);

/// Ground truth of the query scenes of `embedded-fewshot`, [query pictures,
/// 24], or [pictures with a base class, 16] for base=only.
LabelMatrix EmbeddedFewShotTestLabels(const DatasetSpec& spec);

}  // namespace tailmark
