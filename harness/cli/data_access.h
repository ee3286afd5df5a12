#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "datasets/dataset.h"
#include "datasets/test_labels.h"
#include "harness/launch/plan.h"
#include "results/ingest.h"

namespace tailmark {

/// A data set as `tailmark` sees it: with its test labels.
struct OpenedData {
  std::unique_ptr<Dataset> dataset;
  LabelMatrix test_labels;
};

/// Where the images of a data set lie that `tailmark data fetch` got without
/// --root: NAME below $TAILMARK_DATA, else below ~/.local/share/tailmark. Empty
/// for other data sets.
std::filesystem::path DefaultDataRoot(const DatasetInfo& info);

/// Every built-in data set. Opened ones are kept, since runs share them.
class DataAccess {
 public:
  /// `cache` is where hashes of image files are kept between calls; "" for
  /// nowhere.
  explicit DataAccess(std::filesystem::path cache = {});

  const DatasetRegistry& registry() const { return registry_; }
  /// Throws ConfigError for an unknown name, DataError when files are absent or
  /// wrong.
  const OpenedData& Open(const DatasetSpec& spec);

  /// What plans and keys are made from. `limit`: the first rows of each split.
  PlannedData Facts(const DatasetUse& use, const OptionMap& options,
                    std::int64_t limit);
  /// What ingest scores a run against. Throws DataError when the data here are
  /// not those of the identity (version, manifest, lists).
  const DatasetFacts& FactsOf(const RunSpec& spec);
  /// The same from lists and labels alone: pictures need not be here, and their
  /// manifest is not compared. Enough to score what is scored already.
  const DatasetFacts& LabelsOf(const RunSpec& spec);

 private:
  const DatasetFacts& Gather(const RunSpec& spec, bool pictures);

  std::filesystem::path cache_;
  DatasetRegistry registry_;
  TestLabelRegistry test_labels_;
  std::map<std::string, OpenedData> opened_;
  std::map<std::string, DatasetFacts> facts_;
};

}  // namespace tailmark
