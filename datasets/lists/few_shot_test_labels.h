#pragma once

#include <filesystem>

#include "datasets/dataset.h"

namespace tailmark::lists {

/// Ground truth of the query, [query, classes], or of the images that base
/// classes are tested on, [images, base classes]. In tailmark::test_labels.
LabelMatrix ReadFewShotTestLabels(const std::filesystem::path& folder,
                                  bool only_base);

}  // namespace tailmark::lists
