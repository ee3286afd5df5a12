#pragma once

#include <string>

#include "harness/record/catalog.h"
#include "reports/model.h"
#include "results/store.h"

namespace tailmark {

struct ReportOptions {
  /// By name (the newest of it); "" means the newest campaign, or, in a store
  /// that has none, every run.
  std::string campaign;
  /// Full or short id of the definition that ranks; "" means ap.step. Throws
  /// ConfigError when no run of a data set was measured under it.
  std::string definition;
  /// Label or method of the row that others are held against; "" means
  /// zero_shot_clip, where there is such a row. Throws ConfigError with the
  /// nearest name when there is none.
  std::string baseline;
  /// Printed as what writes this report again.
  std::string command;
  /// What only the engine knows of methods (text used, randomness); may be
  /// null. Not owned.
  const Catalog* catalog = nullptr;
};

/// Gathers a campaign from the store: every cell, finished or not, in the
/// order of data sets and rows as planned. Absolute paths in what people wrote
/// or a worker said are cut to their last part; hosts are left out. Throws
/// ConfigError for an unknown campaign, StoreError.
ReportModel BuildReportModel(const Store& store,
                             const ReportOptions& options = {});

}  // namespace tailmark
