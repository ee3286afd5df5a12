#pragma once

#include "datasets/dataset.h"

namespace tailmark {

/// Adds every data set that ships with Tailmark.
void RegisterBuiltinDatasets(DatasetRegistry& registry);

}  // namespace tailmark
