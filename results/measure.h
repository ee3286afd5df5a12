#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/metrics/evaluate.h"
#include "harness/record/bundle.h"
#include "results/ingest.h"

namespace tailmark {

/// A score matrix of a bundle, read, checked and scored.
struct Measured {
  ScoreFile file;
  std::size_t split = 0;  ///< In DatasetFacts::splits.
  std::string bytes;      ///< Of the file.
  /// One matrix of many (an epoch) has means only: no class rows.
  bool with_classes = true;
  Evaluation evaluation;
  /// Set when there is a NaN; then nothing was evaluated.
  std::string nan;
};

/// "test.epoch-3" -> "test".
std::string SplitOf(const std::string& scores);

/// The classes of each group that occurs, in the order head, medium, tail,
/// base, novel.
std::vector<ClassGroup> GroupsOf(const std::vector<ClassFacts>& classes);

/// Reads `file` of the bundle, compares hash, type and shape with the record
/// and the data set, and scores it under the default definitions of `policy`.
/// Throws DataError naming the file.
Measured Measure(const std::filesystem::path& bundle, const ScoreFile& file,
                 const DatasetFacts& facts, const LabelPolicy& policy);

}  // namespace tailmark
