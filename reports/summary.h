#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "reports/model.h"

namespace tailmark {

/// The figures that reports derive from a model: means over seeds, spread,
/// order. Nothing is rounded here.

/// Figures of the done runs of a row, by seed; undefined ones are left out.
std::vector<double> SeedValues(const ReportRow& row,
                               std::string_view definition,
                               std::string_view group);
/// Mean over seeds; empty when no done run defines it.
Figure MeanOf(const ReportRow& row, std::string_view definition,
              std::string_view group);
/// Sample standard deviation over seeds (two passes, n - 1); empty below two.
Figure SpreadOf(const ReportRow& row, std::string_view definition,
                std::string_view group);
/// Of a few-shot row: each episode's mean over the done seeds, in order; empty
/// when it has no episodes.
std::vector<double> EpisodeMeans(const ReportRow& row,
                                 std::string_view definition,
                                 std::string_view group);
/// What stands behind a mean: the sd over episodes where there are some, else
/// over seeds. Never over images.
Figure ShownSpread(const ReportRow& row, std::string_view definition,
                   std::string_view group);
/// What ShownSpread() is over: "episodes" or "seeds".
std::string SpreadUnit(const ReportDataset& dataset);
Figure Mean(const std::vector<double>& values);
Figure SampleSd(const std::vector<double>& values);

/// Mean AP of one class over the done runs, default definition.
Figure ClassMean(const ReportRow& row, std::size_t index);

std::vector<const ReportRun*> DoneRuns(const ReportRow& row);

/// Runs of a row that are not done for one and the same reason.
struct OpenRuns {
  std::string seeds;  ///< "seed 2", "seeds 0, 1, 2".
  std::string state;
  std::string reason;
  std::string mend;
};
std::vector<OpenRuns> OpenRunsOf(const ReportRow& row);

/// "ap.step" of "ap.step/difficult=positive/...", and "ap.rank/ties=best".
std::string ShortDefinition(std::string_view definition);
/// The first definition; "" when there is none.
std::string DefaultDefinition(const ReportDataset& dataset);
/// "total" and then the groups of the data set.
std::vector<std::string> GroupsOf(const ReportDataset& dataset);

/// Label for charts.
const std::string& ShortLabel(const ReportRow& row);

/// A row is ranked when it has a total and no brand.
bool IsRanked(const ReportDataset& dataset, const ReportRow& row);
/// Indices of the ranked rows, best total first, equal totals by label.
std::vector<std::size_t> RankedRows(const ReportDataset& dataset,
                                    std::string_view definition);
/// Indices of all other rows, by label.
std::vector<std::size_t> UnrankedRows(const ReportDataset& dataset);
/// The baseline's row, or nullptr.
const ReportRow* BaselineOf(const ReportDataset& dataset);

/// mAP of a scorer that knows nothing: mean share of positives among the test
/// images, percent; empty when the counts are unknown.
Figure ChanceOf(const ReportDataset& dataset);

/// Wall seconds of all phases; empty when none were recorded.
Figure WallSeconds(const ReportRun& run);
/// Highest resident set over the phases, bytes.
Figure PeakBytes(const ReportRun& run);

/// The total with the epoch picked on test labels, mean over seeds; empty
/// unless the row's selection is "best_on_test".
Figure PickedOf(const ReportRow& row);
/// That minus the last epoch's, or the highest of the test curve minus its
/// last, mean over seeds: what choosing the epoch on test labels added, or
/// would have. Empty without test scores of epochs.
Figure OptimismOf(const ReportRow& row);
Figure OptimismOf(const ReportRun& run);  ///< Of one.
/// The first curve "test/..." of a run, or nullptr.
const ReportCurve* TestCurve(const ReportRun& run);

}  // namespace tailmark
