#pragma once

#include "datasets/dataset.h"
#include "harness/plugin/place.h"
#include "harness/record/run_spec.h"

namespace tailmark {

/// What a run tells the host of its plugin. `datasets` must outlive it.
PluginPlace PlaceOf(const RunSpec& spec, const DatasetRegistry& datasets);

}  // namespace tailmark
