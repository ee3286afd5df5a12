#include "harness/cli/report_intervals.h"

#include "harness/base/error.h"
#include "harness/base/log.h"
#include "harness/cli/comparing.h"
#include "reports/summary.h"

namespace tailmark {
namespace {

/// The mean over seeds, or episodes, of a row, resample by resample.
Replicates ReplicatesOf(const Store& store, DataAccess& data,
                        const ReportRow& row, const Definition& definition,
                        const BootstrapOptions& options) {
  std::vector<Replicates> seeds;
  for (const ReportRun* each : DoneRuns(row)) {
    const auto run = DoneRun(store, each->key);
    if (!run) throw DataError(StrCat("run ", each->key, " is gone"));
    for (Replicates& one :
         ResampleRun(store, *run, definition, options, data)) {
      seeds.push_back(std::move(one));
    }
  }
  return MeanOverSeeds(seeds);
}

void AddTo(const Store& store, DataAccess& data,
           const BootstrapOptions& options, ReportDataset& dataset) {
  const std::string id = DefaultDefinition(dataset);
  if (id.empty()) return;  // nothing has run
  const Definition definition = ParseDefinition(id);
  const auto order = RankedRows(dataset, id);
  std::vector<Replicates> means;
  for (const std::size_t i : order) {
    means.push_back(
        ReplicatesOf(store, data, dataset.rows[i], definition, options));
  }
  if (means.empty()) return;
  const std::string method = StrCat("basic bootstrap, B = ", options.resamples);
  const auto ranked = RankRows(means);
  for (const auto& [group, entries] : ranked.groups) {
    for (const auto& entry : entries) {
      ReportRow& row = dataset.rows[order[entry.row]];
      // One row has nothing to be told from.
      if (means.size() > 1) row.letters[group] = entry.letters;
      if (entry.interval) {
        row.intervals[group] = {entry.interval->lo, entry.interval->hi, method};
      }
    }
  }
}

}  // namespace

void AddIntervals(const Store& store, DataAccess& data,
                  const BootstrapOptions& options, ReportModel& model) {
  for (ReportDataset& dataset : model.datasets) {
    try {
      AddTo(store, data, options, dataset);
    } catch (const ConfigError& error) {
      LogWarning(StrCat(dataset.name, " has no intervals: ", error.what()));
    } catch (const DataError& error) {
      LogWarning(StrCat(dataset.name, " has no intervals: ", error.what()));
    }
  }
}

}  // namespace tailmark
