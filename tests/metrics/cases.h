#pragma once

#include <cstdint>
#include <vector>

#include "harness/base/seeds.h"
#include "harness/metrics/evaluate.h"

namespace tailmark::testing {

/// A small problem that owns its numbers.
struct Case {
  std::int64_t rows = 0;
  std::int64_t classes = 0;
  std::vector<double> scores;  ///< [rows, classes]
  std::vector<std::uint8_t> positive;
  std::vector<std::uint8_t> known;  ///< May be empty.

  ScoreMatrix view() const;
  LabelSpans labels() const { return {positive, known}; }
};

/// One class: scores and labels row by row.
Case OneClass(std::vector<double> scores, std::vector<std::uint8_t> positive,
              std::vector<std::uint8_t> known = {});

/// Scores are whole numbers in [0, levels), halved: few levels make many ties.
/// Each class gets its own prevalence, some of them 0 or 1. With `masked` a
/// fifth of the cells are not known.
Case RandomCase(ChanceStream& chance, std::int64_t rows, std::int64_t classes,
                std::uint32_t levels, bool masked);

/// The definitions of those ids, full or short.
std::vector<Definition> Definitions(std::initializer_list<const char*> ids,
                                    const LabelPolicy& policy = {});

/// Evaluate() without groups.
Evaluation EvaluateCase(const Case& problem,
                        const std::vector<Definition>& definitions,
                        int threads = 1);

/// AP of a problem's only class.
std::optional<double> ApOf(const Case& problem, const char* id);

/// AP written down as its formula says, with nothing shared with the product:
/// quadratic, for small columns. Cells that don't count are left out before.
/// `sigmoid`: thresholds are held against the sigmoid of the scores.
double NaiveAp(const Definition& definition, const std::vector<double>& scores,
               const std::vector<int>& positive, bool sigmoid = false);

}  // namespace tailmark::testing
