#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "harness/cli/data_access.h"
#include "results/pack.h"

namespace tailmark {

/// True when the lists and labels of the run's data set ship with Tailmark, or
/// are made: anybody can check them by their hash. False for a user's own.
bool HasCommittedLabels(DataAccess& data, const RunSpec& spec);

/// Adds the test labels of the run's data set to what goes into a pack, once a
/// list: HASH/labels.json, HASH being the hash of list and labels in the key.
/// Throws ConfigError for a data set with episodes, DataError when the data are
/// not here.
void AddLabels(DataAccess& data, const RunSpec& spec, PackedLabels& labels);

/// Labels from committed lists, else from the pack, else from `root`; each is
/// checked against the hash in the run's identity. Throws DataError when there
/// are none or others. Keeps what it read.
class LabelFinder {
 public:
  /// `data` must outlive it.
  LabelFinder(DataAccess& data, std::filesystem::path root)
      : data_(data), root_(std::move(root)) {}
  const DatasetFacts& Find(const RunSpec& spec,
                           const std::filesystem::path& packed);

 private:
  DataAccess& data_;
  std::filesystem::path root_;
  std::map<std::string, DatasetFacts> packed_;
};

}  // namespace tailmark
