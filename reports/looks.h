#pragma once

#include <map>
#include <string>
#include <vector>

#include "reports/model.h"
#include "reports/svg.h"

namespace tailmark {

/// How a row is drawn wherever it appears: colour = family, shape = family,
/// hollow = variant of the family.
struct Look {
  int number = 0;      ///< Class "m-<number>" in the page.
  std::string colour;  ///< Custom property without dashes: "hp", "x2".
  Shape shape = Shape::kCircle;
  bool hollow = false;
  std::string label;        ///< Full name.
  std::string short_label;  ///< For charts.

  std::string Class() const;  ///< "m-3".
  /// Classes of a mark: "mk m-3 ho".
  std::string MarkClasses() const;
};

/// One look a row label, the same on every data set of the model. Known
/// families have a colour of their own; others get the free ones by name.
class Looks {
 public:
  explicit Looks(const ReportModel& model);

  const Look& Of(const ReportRow& row) const;
  /// In order of number.
  const std::vector<Look>& all() const { return looks_; }

 private:
  std::vector<Look> looks_;
  std::map<std::string, std::size_t> by_label_;
};

}  // namespace tailmark
