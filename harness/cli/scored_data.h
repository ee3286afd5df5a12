#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/base/json.h"
#include "harness/cli/data_access.h"
#include "harness/metrics/arrays.h"
#include "harness/metrics/evaluate.h"
#include "results/query.h"

namespace tailmark {

/// Everything one evaluation needs, from files or from a stored run.
struct ScoredData {
  ScoreArray scores;
  std::vector<std::uint8_t> labels;
  std::vector<std::uint8_t> known;  ///< Empty: all known.
  std::vector<ClassGroup> groups;
  std::vector<std::string> class_names;  ///< Empty for files.
  std::vector<std::string> image_ids;    ///< Empty for files.
  LabelPolicy policy;
  std::string name;

  LabelSpans label_spans() const {
    return {.positive = labels, .known = known};
  }
};

/// {"head": [class indices], ...}. Throws DataError.
std::vector<ClassGroup> ReadGroups(const std::string& path,
                                   std::int64_t classes);

/// Scores [N, C] with labels; `known` and `groups` may be "". Throws DataError.
ScoredData DataFromFiles(const std::string& scores, const std::string& labels,
                         const std::string& known, const std::string& groups);

/// Names of the score matrices that a run counts by: "test", or, of a run over
/// episodes, "test.episode-1", ...
std::vector<std::string> CountedScores(const Store& store, const RunRow& run);

/// Scores of a stored run with their labels: `scores` is one of
/// CountedScores(). Throws ConfigError when the run is not done, DataError when
/// its data are not here.
ScoredData DataFromRun(const Store& store, const RunRow& run, DataAccess& data,
                       const std::string& scores = "test");

/// A number, or null where there is none.
OrderedJson NumberOrNull(const std::optional<double>& value, double factor = 1);

}  // namespace tailmark
