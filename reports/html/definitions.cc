#include <cmath>

#include "harness/base/error.h"
#include "harness/metrics/diagnostics.h"
#include "reports/answers.h"
#include "reports/html/page.h"
#include "reports/summary.h"
#include "reports/text.h"

namespace tailmark::html {
namespace {

std::string RankCell(Figure total, int rank, int usual) {
  if (!total) return "<td class=\"n na\">\u2013</td>";
  const bool moved = rank != usual && rank != 0;
  return StrCat("<td class=\"n", moved ? " flip" : "", "\" data-v=\"",
                Exact(total), "\">", Fixed(*total, 1), "<span class=\"rank\">",
                !moved         ? ""
                : rank < usual ? "\u25b2"
                               : "\u25bc",
                rank, "</span></td>");
}

/// Mean over rows of the total under `definition` minus that under the default.
Figure Shift(const DataPage& page, const std::string& definition) {
  std::vector<double> shifts;
  for (const ReportRow* row : page.ranked) {
    const Figure there = MeanOf(*row, definition, "total");
    const Figure here = MeanOf(*row, page.definition, "total");
    if (there && here) shifts.push_back(*there - *here);
  }
  return Mean(shifts);
}

std::string RanksTable(const DataPage& page) {
  std::string head = "<tr><th scope=\"col\">Method</th>";
  std::vector<std::vector<int>> ranks;
  for (const std::string& definition : page.data.definitions) {
    head += StrCat("<th scope=\"col\" class=\"n\">",
                   Breakable(ShortDefinition(definition)),
                   definition == page.definition
                       ? "<span class=\"sub\">default</span>"
                       : "",
                   "</th>");
    ranks.push_back(RanksUnder(page.data, definition));
  }
  std::string rows;
  for (std::size_t i = 0; i < page.ranked.size(); ++i) {
    const Look& look = page.looks.Of(*page.ranked[i]);
    rows += StrCat(OpenRow(look), "<th scope=\"row\">",
                   Chip(look, look.short_label), "</th>");
    for (std::size_t d = 0; d < ranks.size(); ++d) {
      rows +=
          RankCell(MeanOf(*page.ranked[i], page.data.definitions[d], "total"),
                   ranks[d][i], static_cast<int>(i) + 1);
    }
    rows += "</tr>";
  }
  std::string foot =
      StrCat("<tfoot><tr><th scope=\"row\">Mean shift against <code>",
             EscapeHtml(ShortDefinition(page.definition)), "</code></th>");
  for (const std::string& definition : page.data.definitions) {
    const Figure shift = Shift(page, definition);
    foot += definition == page.definition || !shift
                ? std::string(
                      "<td class=\"n\">\u2013<span class=\"rank\"></span></td>")
                : StrCat("<td class=\"n\">", Signed(*shift, 1),
                         "<span class=\"rank\"></span></td>");
  }
  return Table(page.NextId(),
               StrCat("Total mAP of the same score matrices under ",
                      page.data.definitions.size(),
                      " definitions; small figure: rank under that definition. "
                      "Boxed: the rank differs from the default."),
               head + "</tr>",
               StrCat("<tbody>", rows, "</tbody>", foot, "</tr></tfoot>"),
               "defs gap sorts");
}

struct TieMeans {
  Figure distinct, tied, saturated, best, worst, span;
};

/// Means over seeds, of the span its largest.
TieMeans TiesOf(const ReportRow& row) {
  std::vector<double> distinct, tied, saturated, best, worst;
  TieMeans means;
  const auto keep = [](std::vector<double>& into, const Figure& value) {
    if (value) into.push_back(*value);
  };
  for (const ReportRun* run : DoneRuns(row)) {
    if (!run->ties) continue;
    keep(distinct, run->ties->distinct_per_class);
    keep(tied, run->ties->tied_fraction);
    keep(saturated, run->ties->saturated_fraction);
    keep(best, run->ties->rank_best);
    keep(worst, run->ties->rank_worst);
    if (run->ties->rank_best && run->ties->rank_worst) {
      means.span = std::max(means.span.value_or(0),
                            *run->ties->rank_best - *run->ties->rank_worst);
    }
  }
  means.distinct = Mean(distinct);
  means.tied = Mean(tied);
  means.saturated = Mean(saturated);
  means.best = Mean(best);
  means.worst = Mean(worst);
  return means;
}

/// More than a quarter of the interval, or, where there is none, of a usual
/// one.
bool TiesMatter(const ReportRow& row, double span) {
  const auto it = row.intervals.find("total");
  return span > (it == row.intervals.end()
                     ? 0.05
                     : (it->second.hi - it->second.lo) / 4);
}

Figure Percent(const Figure& fraction) {
  return fraction ? Figure(100 * *fraction) : Figure{};
}

std::string TiesTable(const DataPage& page) {
  std::string rows;
  for (const ReportRow* row : page.ranked) {
    const TieMeans ties = TiesOf(*row);
    if (!ties.distinct && !ties.tied && !ties.best) continue;
    const Look& look = page.looks.Of(*row);
    const bool matter = ties.span && TiesMatter(*row, *ties.span);
    rows +=
        StrCat(OpenRow(look), "<th scope=\"row\">",
               Chip(look, look.short_label), "</th>",
               NumberCell(ties.distinct, 0), NumberCell(Percent(ties.tied), 2),
               NumberCell(Percent(ties.saturated), 2),
               NumberCell(ties.worst, 2), NumberCell(ties.best, 2),
               ties.span ? StrCat("<td class=\"n", matter ? " flip" : "", "\">",
                                  Fixed(*ties.span, 3), "</td>")
                         : std::string("<td class=\"n na\">\u2013</td>"),
               "</tr>");
  }
  if (rows.empty()) return "";
  const std::string head = StrCat(
      "<tr>", HeadCell("Method"), HeadCell("Distinct scores a class", true),
      HeadCell("Tied, %", true), HeadCell("Saturated, %", true),
      HeadCell("Rank mAP, worst tie order", true),
      HeadCell("Rank mAP, best tie order", true),
      HeadCell("Largest span", true), "</tr>");
  return Table(
      page.NextId(),
      StrCat(
          "Ties and saturation over ", Thousands(page.data.test_images),
          " test pictures. Boxed: the order of tied pictures could change the "
          "total by more than a quarter of the interval, or, without one, by "
          "more than ",
          Fixed(kSpanWorthAWarning, 2), " points."),
      head, StrCat("<tbody>", rows, "</tbody>"), "wide-heads sorts");
}

}  // namespace

std::optional<Section> Definitions(const DataPage& page) {
  if (page.ranked.empty() || page.data.definitions.empty()) return {};
  // In statements of their own: each takes an id, and the order of a sum's
  // operands is the compiler's choice.
  const std::string ranks = RanksTable(page);
  const std::string ties = TiesTable(page);
  return Section{
      .id = "definitions",
      .name = "Definitions",
      .question = "Would another definition of AP change the ranking?",
      .answer = DefinitionsAnswer(page.data),
      .body = ranks + ties};
}

}  // namespace tailmark::html
