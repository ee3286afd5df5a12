#include "results/verdicts.h"

#include "harness/base/clock.h"

namespace tailmark {

VerdictWriter::VerdictWriter(const Sql& sql, std::string_view kind)
    : kind_(kind),
      utc_(UtcNow()),
      insert_(sql.Prepare(
          "INSERT INTO verdict(kind, utc, subject, reference, definition_id, "
          "grp, difference, ci_lo, ci_hi, p, p_adjusted, mde, margin, test, "
          "outcome, tier, tries, reason) SELECT ?, ?, ?, ?, id, ?, ?, ?, ?, ?, "
          "?, ?, ?, ?, ?, ?, ?, ? FROM metric_definition WHERE name = ?")) {}

void VerdictWriter::Write(const JudgedCell& cell) {
  insert_.Run(kind_, utc_, cell.subject, cell.reference, cell.group,
              cell.difference, cell.lo, cell.hi, cell.p, cell.p_adjusted,
              cell.mde, cell.margin, cell.test, cell.outcome, cell.tier,
              cell.tries, cell.reason, cell.definition);
}

}  // namespace tailmark
