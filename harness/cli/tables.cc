#include "harness/cli/tables.h"

#include <algorithm>
#include <cstdio>

#include "harness/base/error.h"
#include "harness/cli/planning.h"
#include "reports/build_model.h"
#include "reports/console.h"

namespace tailmark {
namespace {

// Columns, not bytes: a character of several bytes is one column wide here.
std::size_t Width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(),
      [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

std::string TextTable(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], Width(row[i]));
    }
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) {
        line += std::string(widths[i] - Width(row[i]) + 2, ' ');
      }
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    text += line + "\n";
  }
  return text;
}

std::string CampaignTable(const Store& store, const std::string& campaign) {
  const std::optional<Catalog> catalog = CatalogIfThere();
  const ReportModel model = BuildReportModel(
      store, {.campaign = campaign, .catalog = catalog ? &*catalog : nullptr});
  return ConsoleTable(model, StdoutStyle());
}

}  // namespace tailmark
