#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/base/json.h"
#include "harness/metrics/gate.h"

namespace tailmark {

/// A method on a data set, as a gate saw it.
struct GateRow {
  std::string dataset;
  std::string label;
  std::string definition;         ///< Full id; "" when nothing was compared.
  std::vector<GateCell> cells;    ///< "total" first.
  std::optional<double> p_table;  ///< Of the total, Benjamini-Hochberg over
                                  ///< all rows.
};

/// Everything that `tailmark check` found.
struct GateReport {
  std::string baseline;
  std::string accepted_utc;
  std::string why;
  std::string campaign;
  std::vector<GateRow> rows;
  /// Against the oldest acceptance of that name; empty when it is the same.
  /// Warns, never fails: what was accepted on purpose stays accepted.
  std::vector<GateRow> drift;

  std::vector<Outcome> Outcomes() const;  ///< Of `rows`.
  /// Cells in which two numbers were held against each other.
  std::int64_t Compared() const;
};

/// Fills p_table.
void FinishGate(GateReport& report);

/// {baseline, campaign, compared, outcomes: {...}, rows: [...], drift: [...]}.
OrderedJson GateJson(const GateReport& report, int exit_code);
/// A table for a job's summary page.
std::string GateMarkdown(const GateReport& report);
/// JUnit: a testsuite per row, a testcase per group. Regression and what else
/// fails is <failure>, error and missing <error>, new, inconclusive and not
/// comparable <skipped>. Valid by reports/junit.xsd.
std::string GateJunit(const GateReport& report, bool strict);
/// For a terminal.
std::string GateText(const GateReport& report);

}  // namespace tailmark
