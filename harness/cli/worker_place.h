#pragma once

#include <filesystem>
#include <string>

#include "datasets/dataset.h"
#include "harness/plugin/place.h"
#include "harness/record/run_spec.h"

namespace tailmark {

/// What a run tells the host of its plugin. `datasets` must outlive it.
PluginPlace PlaceOf(const RunSpec& spec, const DatasetRegistry& datasets);

/// Limits this process, before it loads code of the run's plugin, to the files
/// that the run needs: labels of test splits that ship with Tailmark are not
/// among them. Where the code runs in a process of its own, that one is limited
/// instead, and more. Says how, for the record.
std::string HoldBack(const RunSpec& spec, const std::filesystem::path& bundle);
/// The same for a plugin that is only asked what it has; `out` is where the
/// answer goes.
void HoldBackToAsk(const std::filesystem::path& plugin,
                   const std::filesystem::path& out);

}  // namespace tailmark
