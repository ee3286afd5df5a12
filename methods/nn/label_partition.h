#pragma once

#include <string>
#include <vector>

#include "harness/api/source.h"
#include "methods/partition/partition.h"

namespace tailmark {

/// The partition of a training split's labels; an unknown label counts as
/// absent.
Partition PartitionOfLabels(const TrainSource& train,
                            const std::vector<std::string>& class_names,
                            const PartitionOptions& options);

}  // namespace tailmark
