#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/metrics/definition.h"
#include "harness/metrics/diagnostics.h"
#include "harness/metrics/matrix.h"

namespace tailmark {

/// A named set of classes, e.g. head. Groups may overlap and need not cover
/// all.
struct ClassGroup {
  std::string name;
  std::vector<std::int64_t> classes;  ///< Indices in [0, C), each once.
};

/// Images of one class, by what they count as. Their sum is
/// DefinitionResult::images.
struct ClassCounts {
  std::int64_t positives = 0;
  std::int64_t negatives = 0;
  std::int64_t ignored = 0;  ///< Unknown, or difficult where that is ignored.

  /// AP is 1 whatever the scores: worth a flag.
  bool all_positive() const { return positives > 0 && negatives == 0; }
  friend bool operator==(const ClassCounts&, const ClassCounts&) = default;
};

/// Mean AP of a group of classes.
struct GroupMean {
  std::string name;               ///< "total", or the group's.
  std::optional<double> percent;  ///< Over classes with a value; none: nullopt.
  std::int64_t classes = 0;       ///< With a value.
  std::int64_t undefined = 0;     ///< Without: no positive image.
};

/// Everything one definition says about a score matrix.
struct DefinitionResult {
  Definition definition;
  std::int64_t images = 0;  ///< N, or fewer with Empty::kDrop.
  std::vector<std::optional<double>>
      ap;                           ///< [C], fraction; nullopt: undefined.
  std::vector<ClassCounts> counts;  ///< [C].
  std::vector<GroupMean> means;     ///< "total", then the groups as given.

  const GroupMean& total() const { return means.front(); }
};

struct Evaluation {
  std::int64_t rows = 0;
  std::int64_t classes = 0;
  std::vector<ClassGroup> groups;         ///< As given.
  std::vector<DefinitionResult> results;  ///< In the order asked for.
  ScoreDiagnostics diagnostics;

  /// The result of that definition, or null.
  const DefinitionResult* Find(const Definition& definition) const;
};

struct EvaluateOptions {
  /// More cannot change a bit: each class is computed alone, means are summed
  /// in class order.
  int threads = 1;
};

/// AP of every class under every definition (repeats are dropped), from one
/// sort per class. Scores are ranked exactly as given, with -0.0 equal to 0.0;
/// infinities are ranked and counted in the diagnostics.
/// Throws DataError on an empty matrix, shapes that disagree, NaN (naming the
/// first row and class) or a label other than 0 and 1; ConfigError on no
/// definition or a group that names a class twice or one that is not there.
/// Thread-safe.
Evaluation Evaluate(const ScoreMatrix& scores, const LabelSpans& labels,
                    std::span<const ClassGroup> groups,
                    std::span<const Definition> definitions,
                    const EvaluateOptions& options = {});

}  // namespace tailmark
