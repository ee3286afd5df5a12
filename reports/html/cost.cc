#include <algorithm>
#include <functional>

#include "harness/base/error.h"
#include "reports/answers.h"
#include "reports/html/page.h"
#include "reports/summary.h"
#include "reports/text.h"

namespace tailmark::html {
namespace {

constexpr double kCostWidth = 400;
constexpr double kCostTop = 22;

using Value = Figure (*)(const ReportRun&);
using Format = std::function<std::string(double)>;

Figure MeanOver(const ReportRow& row, Value value) {
  std::vector<double> values;
  for (const ReportRun* run : DoneRuns(row)) {
    if (const Figure each = value(*run); each && *each > 0)
      values.push_back(*each);
  }
  return Mean(values);
}

/// Lollipops on a log axis, value beside the mark; "" when nothing is known.
std::string Lollipops(const DataPage& page, const std::string& title,
                      const std::string& unit, Value value, double tick_unit,
                      const Format& format) {
  Extent extent;
  for (const ReportRow* row : page.ranked) {
    if (const Figure mean = MeanOver(*row, value))
      extent.Add(*mean / tick_unit);
  }
  if (extent.empty) return "";
  const NameColumn names = NamesOf(page.ranked, page.looks);
  const double height =
      kCostTop + kChartRow * static_cast<double>(page.ranked.size()) + 22;
  const Scale x(extent.lo / 3, extent.hi * 1.5, names.width, kCostWidth - 76,
                true);
  Svg svg(kCostWidth, height);
  svg.Text(0, 12, StrCat(title, ", ", unit, ", log axis"), "pt");
  for (const double tick : LogTicks(x.from(), x.to(), 6)) {
    svg.VerticalLine("grid", x(tick), kCostTop - 4, height - 20);
    svg.Text(x(tick), height - 5, TickLabel(tick), "tick", Anchor::kMiddle);
  }
  std::string words;
  double y = kCostTop;
  for (const ReportRow* row : page.ranked) {
    const Look& look = page.looks.Of(*row);
    const Figure mean = MeanOver(*row, value);
    svg.OpenGroup(StrCat("mk ", look.Class()));
    svg.Text(names.width - 8, y + 13, Shorten(look.short_label, names.letters),
             "lab", Anchor::kEnd);
    if (mean) {
      const double at = x(*mean / tick_unit);
      svg.HorizontalLine("stem", names.width, at, y + 9);
      svg.Text(at + 9, y + 13, format(*mean), "val");
    } else {
      svg.Text(names.width, y + 13, "\u2013 not recorded", "tick");
    }
    svg.CloseGroup();
    if (mean) {
      svg.Mark(look.MarkClasses(), look.shape, x(*mean / tick_unit), y + 9,
               4.6);
    }
    words += StrCat(words.empty() ? "" : "; ", row->label, " ",
                    mean ? format(*mean) : "not recorded");
    y += kChartRow;
  }
  return StrCat("<figure>", svg.Chart(page.NextId(), title, words),
                "</figure>");
}

/// Phase -> mean wall seconds over the done runs.
std::vector<std::pair<std::string, double>> PhasesOf(const ReportRow& row) {
  std::vector<std::pair<std::string, double>> phases;
  const auto runs = DoneRuns(row);
  for (const ReportRun* run : runs) {
    for (const ReportPhase& phase : run->phases) {
      auto it = phases.begin();
      while (it != phases.end() && it->first != phase.phase) ++it;
      if (it == phases.end()) it = phases.insert(it, {phase.phase, 0.0});
      it->second += phase.wall_s / static_cast<double>(runs.size());
    }
  }
  return phases;
}

std::string PhaseTable(const DataPage& page) {
  std::vector<std::string> names;
  for (const ReportRow* row : page.ranked) {
    for (const auto& phase : PhasesOf(*row)) {
      if (std::find(names.begin(), names.end(), phase.first) == names.end())
        names.push_back(phase.first);
    }
  }
  if (names.empty()) return "";
  std::string head = StrCat("<tr>", HeadCell("Method"));
  for (const std::string& name : names) head += HeadCell(name, true);
  std::string rows;
  for (const ReportRow* row : page.ranked) {
    const Look& look = page.looks.Of(*row);
    const auto phases = PhasesOf(*row);
    rows += StrCat(OpenRow(look), "<th scope=\"row\">",
                   Chip(look, look.short_label), "</th>");
    for (const std::string& name : names) {
      Figure seconds;
      for (const auto& phase : phases) {
        if (phase.first == name) seconds = phase.second;
      }
      rows += seconds ? StrCat("<td class=\"n\" data-v=\"", Exact(seconds),
                               "\">", Duration(*seconds), "</td>")
                      : std::string("<td class=\"n na\">\u2013</td>");
    }
    rows += "</tr>";
  }
  return Table(page.NextId(),
               "Wall time by phase, mean over seeds. A phase served from a "
               "cache is short.",
               head + "</tr>", StrCat("<tbody>", rows, "</tbody>"),
               "gap sorts");
}

}  // namespace

std::optional<Section> Cost(const DataPage& page) {
  const std::string time = Lollipops(page, "Wall time of one run", "seconds",
                                     WallSeconds, 1, Duration);
  const std::string memory = Lollipops(page, "Peak memory of the worker", "MiB",
                                       PeakBytes, 1024.0 * 1024.0, Mebibytes);
  if (time.empty() && memory.empty()) return {};
  return Section{.id = "cost",
                 .name = "Cost",
                 .question = "What does a point of mAP cost?",
                 .answer = CostAnswer(page.data),
                 .body = StrCat("<div class=\"pair\">", time, memory, "</div>",
                                PhaseTable(page))};
}

}  // namespace tailmark::html
