#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/cli/args.h"
#include "harness/cli/scored_data.h"
#include "harness/metrics/comparison.h"
#include "results/campaign.h"

namespace tailmark {

/// Finished runs of one recipe on one data set: a row of a table.
struct ComparedRow {
  std::string dataset;
  std::string label;
  std::vector<RunRow> runs;  ///< By seed.
  std::string data;          ///< As DataName() beside the rows found with it.
};

/// What a word on the command line stands for: a campaign (all its rows), a
/// label or else a method of the newest campaign, or of another as
/// CAMPAIGN/LABEL, or a run key or its beginning. Runs that are not done are
/// left out. Throws ConfigError with the nearest name.
std::vector<ComparedRow> FindRows(const Store& store, const std::string& word);

/// The rows of a campaign: "" is the newest.
std::vector<ComparedRow> RowsOf(const Store& store,
                                const std::string& campaign);

/// One run over the resamples: its test split, or each of its episodes.
std::vector<Replicates> ResampleRun(const Store& store, const RunRow& run,
                                    const Definition& definition,
                                    const BootstrapOptions& options,
                                    DataAccess& data);

/// The runs of a row over the same resamples, seed by seed. Counts one look at
/// the test labels each.
std::vector<Replicates> Resample(Store& store, const ComparedRow& row,
                                 const Definition& definition,
                                 const BootstrapOptions& options,
                                 DataAccess& data);

/// The definition that ranks, completed by the data set's own policy.
Definition DefinitionOf(const Store& store, const RunRow& run,
                        const std::string& id);

/// Why two runs cannot be compared at all: other images, labels, or selection;
/// "" when they can.
std::string WhyNotComparable(const Store& store, const RunRow& a,
                             const RunRow& b);

/// Whether two rows are of one data set under the same options and episodes: a
/// grid may have several of one name.
bool OnTheSameData(const Store& store, const ComparedRow& a,
                   const ComparedRow& b);

/// Values over seeds or episodes of one group.
struct UnitValues {
  std::vector<double> a;
  std::vector<double> b;
  bool paired = false;  ///< Episodes, or runs of the same seeds.
  std::string unit;     ///< "seed" or "episode".
};
UnitValues UnitsOf(const Store& store, const ComparedRow& a,
                   const ComparedRow& b, const Definition& definition,
                   const std::string& group);

/// Rows of one data set against each other over the same resamples.
struct RowStanding {
  Definition definition;
  std::int64_t images = 0;
  /// One group: rows from the best down.
  struct Entry {
    std::size_t row = 0;  ///< In the list given.
    std::optional<double> percent;
    std::optional<Interval> interval;  ///< Basic, 95 %.
    std::string letters;  ///< Rows that share one are not distinguishable.
  };
  std::map<std::string, std::vector<Entry>> groups;
  std::vector<std::string> group_names;  ///< "total" first.
};
/// `means`: one a row, of the same images and resamples.
RowStanding RankRows(const std::vector<Replicates>& means);

/// `compare` with one word: all rows of a campaign against each other, as
/// letters a group. The exit code.
int CompareCampaign(const std::string& campaign, const std::string& definition,
                    const BootstrapOptions& bootstrap, bool json,
                    const GlobalOptions& global);

/// A comparison over images as JSON: {groups: {total: {...}}, classes: [...]}.
OrderedJson ToJson(const PairedComparison& compared,
                   const std::vector<std::string>& class_names);

}  // namespace tailmark
