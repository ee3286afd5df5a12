#include "harness/base/error.h"
#include "reports/answers.h"
#include "reports/html/page.h"
#include "reports/summary.h"
#include "reports/text.h"

namespace tailmark::html {
namespace {

/// "3", or "1–3" when runs differ.
std::string Scorings(const ReportRow& row) {
  Figure lo, hi;
  for (const ReportRun* run : DoneRuns(row)) {
    if (!run->test_evaluations) continue;
    const auto n = static_cast<double>(*run->test_evaluations);
    lo = std::min(lo.value_or(n), n);
    hi = std::max(hi.value_or(n), n);
  }
  if (!lo) return "";
  return *lo == *hi ? Fixed(*lo, 0)
                    : StrCat(Fixed(*lo, 0), "\u2013", Fixed(*hi, 0));
}

/// Mean over the runs that were made on a GPU, of one run.
Figure GpuHours(const ReportRow& row) {
  if (row.device != "cuda") return {};
  double seconds = 0;
  double runs = 0;
  for (const ReportRun* run : DoneRuns(row)) {
    for (const ReportPhase& phase : run->phases) seconds += phase.wall_s;
    runs += 1;
  }
  if (runs == 0) return {};
  return seconds / runs / 3600;
}

}  // namespace

std::optional<Section> FairnessLedger(const DataPage& page) {
  if (page.ranked.empty()) return {};
  const std::string head =
      StrCat("<tr>", HeadCell("Method"), HeadCell("Version", true),
             HeadCell("Trained parameters", true), HeadCell("Runs", true),
             HeadCell("Epochs", true), HeadCell("Weights"), HeadCell("Input"),
             HeadCell("Text used"), HeadCell("Extra data"),
             HeadCell("Runs it starts from", true), HeadCell("GPU hours", true),
             "</tr>");
  std::string rows;
  for (const ReportRow* row : page.ranked) {
    const Look& look = page.looks.Of(*row);
    rows += StrCat(
        OpenRow(look), "<th scope=\"row\">", Chip(look, look.short_label),
        "</th><td class=\"n\">", row->version, "</td>",
        TextCell(
            row->trained_parameters ? Thousands(*row->trained_parameters) : "",
            true),
        TextCell(StrCat(DoneRuns(*row).size()), true),
        TextCell(row->epochs, true), TextCell(row->weights),
        TextCell(row->input), TextCell(row->text), TextCell(row->extra_data),
        TextCell(StrCat(row->needed_runs), true), NumberCell(GpuHours(*row), 2),
        "</tr>");
  }
  return Section{.id = "fairness",
                 .name = "Fairness ledger",
                 .question = "Did all rows get the same?",
                 .answer = FairnessAnswer(page.data),
                 .body = Table(page.NextId(),
                               "What each row was given. A cell that differs "
                               "from the rest of its column is "
                               "worth a question.",
                               head, StrCat("<tbody>", rows, "</tbody>"),
                               "wide-heads sorts")};
}

namespace {

/// The brand, and the total of the epoch that was picked.
std::string PickedCell(const ReportRow& row) {
  const Figure picked = PickedOf(row);
  return StrCat("<span class=\"brand b-best_on_test\">best_on_test</span>",
                picked ? StrCat(" ", Fixed(*picked, 1)) : "");
}

}  // namespace

std::optional<Section> TestLedger(const DataPage& page) {
  std::string rows;
  for (const ReportRow& row : page.data.rows) {
    if (DoneRuns(row).empty()) continue;
    const Look& look = page.looks.Of(row);
    const Figure optimism = OptimismOf(row);
    const bool chosen = row.selection == "best_on_test";
    rows += StrCat(
        OpenRow(look), "<th scope=\"row\">",
        row.brands.empty() ? Chip(look, look.short_label)
                           : EscapeHtml(row.label),
        "</th><td class=\"n\">", DoneRuns(row).size(), "</td>",
        TextCell(Scorings(row), true), "<td>", Code(row.selection), "</td><td>",
        chosen ? PickedCell(row) : "never", "</td>",
        optimism ? StrCat("<td class=\"n\">", Signed(*optimism, 1), "</td>")
                 : std::string("<td class=\"n na\">\u2013</td>"),
        "</tr>");
  }
  if (rows.empty()) return {};
  const std::string head =
      StrCat("<tr>", HeadCell("Method"), HeadCell("Runs", true),
             HeadCell("Scorings of the test split, each run", true),
             HeadCell("Selection"), HeadCell("Test labels used to choose"),
             HeadCell("Best on test \u2212 last", true), "</tr>");
  return Section{.id = "ledger",
                 .name = "Test-evaluation ledger",
                 .question = "How often were the test labels touched?",
                 .answer = LedgerAnswer(page.data),
                 .body = Table(page.NextId(),
                               "How often each recipe touched the test labels. "
                               "Scorings by epoch feed the curves "
                               "above and nothing else.",
                               head, StrCat("<tbody>", rows, "</tbody>"),
                               "wide-heads sorts")};
}

}  // namespace tailmark::html
