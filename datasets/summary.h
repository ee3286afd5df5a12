#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "harness/base/json.h"

namespace tailmark {

/// Counts of one split.
struct SplitSummary {
  std::int64_t images = 0;
  std::int64_t labels = 0;              ///< Positives in all.
  std::int64_t without_label = 0;       ///< Images.
  std::vector<std::int64_t> positives;  ///< [C]
  double labels_per_image() const {
    return images == 0
               ? 0
               : static_cast<double>(labels) / static_cast<double>(images);
  }
};

/// What `tailmark data show` prints.
struct DatasetSummary {
  std::vector<ClassInfo> classes;
  SplitSummary train;
  std::int64_t test_images = 0;
  std::optional<SplitSummary> test;  ///< Where test labels were given.
  /// Training images that show both, [C, C], symmetric; the diagonal are the
  /// positives.
  std::vector<std::int64_t> together;

  std::int64_t Together(std::size_t a, std::size_t b) const {
    return together[a * classes.size() + b];
  }
  std::int64_t ClassesIn(Group group) const;
};

/// `test_labels` may be null: only `tailmark` has them.
DatasetSummary Summarise(const Dataset& dataset,
                         const LabelMatrix* test_labels = nullptr);

/// Sizes, groups, a line for each class, and the classes it is most often seen
/// with.
std::string ToText(const DatasetSummary& summary);

/// {classes:[{name, group, train, test}], groups:{head: n, ...},
/// splits:{train:{images, labels, without_label}, ...}, together:[[...]]}.
Json ToJson(const DatasetSummary& summary);

}  // namespace tailmark
