#pragma once

#include <string>

#include "reports/model.h"

namespace tailmark {

/// How a terminal wants its table.
struct ConsoleStyle {
  int width = 80;       ///< Columns; names are cut and spreads left out to fit.
  bool colour = false;  ///< Escape sequences for bold and red.
};

/// Of stdout: its width (else COLUMNS, else 80), colours when it is a terminal
/// and NO_COLOR is unset.
ConsoleStyle StdoutStyle();

/// The leaderboard of every data set as plain text, best first: total and
/// groups as mean ± sd (n), then rows that are not ranked and what is missing
/// with its reason and the command that mends it. Ends in a newline.
std::string ConsoleTable(const ReportModel& model, const ConsoleStyle& style);

}  // namespace tailmark
