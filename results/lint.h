#pragma once

#include <optional>
#include <string>
#include <vector>

#include "results/published.h"

namespace tailmark {

/// Something a table says that cannot be so, or that wants an explanation.
struct LintFinding {
  std::string source;   ///< "hp-dval".
  std::string table;    ///< "table1".
  std::string row;      ///< "LMPT".
  std::string dataset;  ///< "coco-lt".
  std::string cell;     ///< "total", "medium, tail", "CF1".
  /// "group-mean": the weighted mean of the groups is not the total.
  /// "swap": it is once two groups change places.
  /// "f1": F1 is not what its precision and recall give.
  /// "decimals": printed with other decimals than the rest of the table.
  /// "repeated": values of another, unrelated row.
  /// "log": not what the authors' own log says.
  /// "range": outside 0 to 100.
  std::string rule;
  std::optional<double> printed;
  std::optional<double> expected;
  std::string explanation;  ///< With the arithmetic.
};

/// All findings of one paper's tables, table by table, row by row. Rounding is
/// granted to every printed value: half a unit of its last digit.
std::vector<LintFinding> Lint(const Published& published);

/// What the groups of a cell average to, weighted by their classes; nothing
/// when total or a group is missing or the sizes are not known.
struct GroupArithmetic {
  double mean = 0;
  double slack = 0;  ///< What rounding can explain.
  std::string text;  ///< "(22 x 72.05 + 33 x 75.98 + 25 x 79.12) / 80".
  bool Holds(double total) const;
};
std::optional<GroupArithmetic> GroupMeanOf(const PublishedTable& table,
                                           const PublishedRow& row);

}  // namespace tailmark
