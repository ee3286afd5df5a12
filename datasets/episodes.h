#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "datasets/dataset.h"

namespace tailmark {

/// What a method may learn from before it is scored on the query images.
struct Episode {
  int number = 1;  ///< From 1, as the protocol's source counts them.
  Split support;   ///< Of role kSupport.
  /// [support, classes of the data set]. Labels of base classes are not known
  /// (`known` is 0), whatever the pictures show: a protocol states none.
  LabelMatrix labels;
};

/// A few-shot protocol. One run covers all episodes in order, and a method
/// starts each from the same state: nothing of one episode reaches the next.
/// The query images are Dataset::test(), the same for all episodes; their
/// labels are those of the test split (datasets/test_labels.h).
/// Dataset::train() is the base training set, with the novel classes unknown;
/// it may be empty.
struct Episodes {
  std::string protocol;    ///< Names it in results: "coco-laso/5-shot/plain".
  std::int64_t shots = 1;  ///< K: positives of each novel class in a support.
  bool exact = true;       ///< Exactly K; else at least K.
  /// Columns of the label matrix; both together are all of them, each
  /// ascending. `novel` ones are learned in an episode, and the protocol's
  /// score is their mean; `base` ones may be learned from Dataset::train().
  std::vector<std::int64_t> base;
  std::vector<std::int64_t> novel;
  std::vector<Episode> episodes;
};

/// Columns of group base and of group novel.
std::vector<std::int64_t> ColumnsOf(const std::vector<ClassInfo>& classes,
                                    Group group);

/// [rows, columns]: some columns of a label matrix, in the order given.
LabelMatrix TakeColumns(const LabelMatrix& labels,
                        std::span<const std::int64_t> columns);

/// Makes all labels of the other columns unknown, and 0.
void KeepKnown(LabelMatrix& labels, std::span<const std::int64_t> columns);

/// SHA-256 of protocol, columns, and ids and labels of every support, in order:
/// what a key is made from.
std::string EpisodesHash(const Episodes& episodes);

}  // namespace tailmark
