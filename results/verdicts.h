#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "results/sql.h"

namespace tailmark {

/// One row of the table `verdict`: whoever judges what. Numbers in points;
/// nothing where a test gives none.
struct JudgedCell {
  std::string subject;
  std::string reference;
  std::string definition;  ///< Of a number that is stored.
  std::string group;
  std::optional<double> difference = {}, lo = {}, hi = {};
  std::optional<double> p = {}, p_adjusted = {}, mde = {}, margin = {};
  std::string test;
  std::string outcome;
  std::optional<int> tier = {};
  int tries = 1;
  std::string reason = {};
};

/// Stores verdicts of one kind ("check", "reproduce") and one moment. Within a
/// transaction of the caller.
class VerdictWriter {
 public:
  VerdictWriter(const Sql& sql, std::string_view kind);
  /// A definition that the store does not know leaves no row.
  void Write(const JudgedCell& cell);

 private:
  std::string kind_;
  std::string utc_;
  Statement insert_;
};

}  // namespace tailmark
