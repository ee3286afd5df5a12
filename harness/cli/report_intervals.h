#pragma once

#include "harness/cli/data_access.h"
#include "harness/metrics/bootstrap.h"
#include "reports/model.h"
#include "results/store.h"

namespace tailmark {

/// Fills the intervals and letters of every ranked row from its score matrices,
/// with the same resamples for all rows of a data set. A data set whose labels
/// are not here, or whose definition is not resampled, is left as it is, with a
/// warning. Looks at test labels to say how sure a number is, and picks nothing
/// by them: not counted as a look.
void AddIntervals(const Store& store, DataAccess& data,
                  const BootstrapOptions& options, ReportModel& model);

}  // namespace tailmark
