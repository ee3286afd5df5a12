#pragma once

#include <string>
#include <vector>

#include "harness/record/catalog.h"
#include "reports/model.h"
#include "results/campaign.h"
#include "results/query.h"

namespace tailmark {

/// Pieces of BuildReportModel: one row and its runs from the store.

struct RowSources {
  const Store& store;
  const Catalog* catalog = nullptr;
  std::string campaign;
  std::string command;  ///< Of the campaign; "" when there is none.
  bool several_datasets = false;
};

/// `cells`: those of one recipe, by seed. `dataset` knows its definitions.
ReportRow MakeRow(const RowSources& sources, const ReportDataset& dataset,
                  const std::string& label, const std::vector<Cell>& cells);

/// Fills `dataset.published`: the rows of published tables that rows of the
/// data set make (what `tailmark reproduce` kept), and what else those tables
/// print of it. Nothing where nothing was kept.
void AddPublished(const Store& store, ReportDataset& dataset);

/// "cpu.model" and what it says: the fields of an environment that may move a
/// number, nested names joined by dots. Empty values, paths, host names, serial
/// numbers and job ids are left out.
std::vector<std::pair<std::string, std::string>> EnvironmentFields(
    const Json& environment);

}  // namespace tailmark
