#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tailmark {

/// A measured or derived number; empty means undefined, which is never 0.
using Figure = std::optional<double>;

/// One printed number and ours.
struct ReportPrinted {
  std::string column;  ///< "total", "5-shot".
  double printed = 0;
  int decimals = 0;
  Figure theirs;  ///< Our runs, scored and picked as the row was.
  Figure sd;      ///< Of these over seeds.
  std::int64_t runs = 0;
  Figure difference;    ///< `theirs` minus printed; none of a stand-in.
  Figure ours;          ///< Our runs under ap.step, last epoch.
  std::string verdict;  ///< "reproduced", ...
  std::string reason;
};

/// A row of a published table beside our runs of it.
struct ReportPublished {
  std::string source, table, title, row, dataset;
  std::string status;      ///< "primary", "second_hand", "author_log".
  std::string profile;     ///< "" when not known.
  std::string definition;  ///< Full id it was scored with; "" without runs.
  std::string selection;
  std::string verdict;
  std::string reason;
  bool stand_in = false;  ///< Our runs are on other data.
  Figure group_mean;
  std::string arithmetic;  ///< "(22 x 72.05 + ...) / 80".
  std::vector<std::pair<std::string, std::string>> lint;  ///< Rule, why.
  std::vector<ReportPrinted> cells;
};

}  // namespace tailmark
