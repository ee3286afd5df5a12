#include <algorithm>
#include <cmath>

#include "harness/base/error.h"
#include "reports/answers.h"
#include "reports/html/page.h"
#include "reports/summary.h"
#include "reports/text.h"

namespace tailmark::html {
namespace {

constexpr double kStep = 5;  // AP points a colour step.

struct Heat {
  const DataPage& page;
  std::vector<const ReportRow*> columns;
};

/// "p3", "q1" or "": colour step of a difference.
std::string Tint(double difference) {
  const double size = std::abs(difference);
  if (size < 1) return "";
  return StrCat(difference > 0 ? "p" : "q",
                std::min(5, static_cast<int>(size / kStep) + 1));
}

std::string HeatCell(const Heat& heat, const ReportRow& row, std::size_t c) {
  const Figure mine = ClassMean(row, c);
  if (heat.page.baseline == nullptr) {
    return mine ? StrCat("<td class=\"h\">", Fixed(*mine, 1), "</td>")
                : std::string("<td class=\"h na\">\u2013</td>");
  }
  const Figure theirs = ClassMean(*heat.page.baseline, c);
  if (!mine || !theirs) return "<td class=\"h na\">\u2013</td>";
  const double difference = *mine - *theirs;
  const std::string tint = Tint(difference);
  return StrCat("<td class=\"h", tint.empty() ? "" : " ", tint, "\">",
                Signed(difference, 0), "</td>");
}

std::string GroupHead(const Heat& heat, const std::string& group) {
  const DataPage& page = heat.page;
  std::string row =
      StrCat("<tr class=\"gh\"><th colspan=\"2\" scope=\"rowgroup\">",
             EscapeHtml(group), "</th>");
  const Figure zero =
      page.baseline ? MeanOf(*page.baseline, page.definition, group) : Figure{};
  if (page.baseline) row += NumberCell(zero, 1);
  for (const ReportRow* column : heat.columns) {
    const Figure mean = MeanOf(*column, page.definition, group);
    if (!mean || (page.baseline && !zero)) {
      row += "<td class=\"n na\">\u2013</td>";
    } else {
      row += StrCat("<td class=\"n\">",
                    zero ? Signed(*mean - *zero, 1) : Fixed(*mean, 1), "</td>");
    }
  }
  return row + "</tr>";
}

std::string GroupBody(const Heat& heat, const std::string& group,
                      const std::vector<std::size_t>& order) {
  const DataPage& page = heat.page;
  std::string rows;
  for (const std::size_t c : order) {
    const ReportClass& each = page.data.classes[c];
    if (each.group != group) continue;
    rows += StrCat("<tr><th scope=\"row\">", EscapeHtml(each.name),
                   "</th><td class=\"n\">", Thousands(each.train_positives),
                   "</td>");
    if (page.baseline) rows += NumberCell(ClassMean(*page.baseline, c), 1);
    for (const ReportRow* column : heat.columns)
      rows += HeatCell(heat, *column, c);
    rows += "</tr>";
  }
  return rows.empty()
             ? ""
             : StrCat("<tbody>", GroupHead(heat, group), rows, "</tbody>");
}

std::string Head(const Heat& heat) {
  std::string head =
      "<tr><th scope=\"col\">Class</th><th scope=\"col\" class=\"n\">n</th>";
  if (heat.page.baseline) {
    const Look& zero = heat.page.looks.Of(*heat.page.baseline);
    head += StrCat(
        "<th scope=\"col\" class=\"hc\"><svg class=\"g\" "
        "aria-hidden=\"true\"><use href=\"#g-",
        zero.number, "\"/></svg><span>", EscapeHtml(zero.short_label),
        " AP</span></th>");
  }
  for (const ReportRow* row : heat.columns) {
    const Look& look = heat.page.looks.Of(*row);
    head += StrCat(
        "<th scope=\"col\" class=\"hc\"><svg class=\"g\" "
        "aria-hidden=\"true\"><use href=\"#g-",
        look.number, "\"/></svg><span>", EscapeHtml(look.short_label),
        "</span></th>");
  }
  return head + "</tr>";
}

std::string ScaleKey(const std::string& baseline) {
  std::string key =
      StrCat("<p class=\"scale\" aria-hidden=\"true\"><span>worse than ",
             EscapeHtml(baseline), "</span>");
  for (const char* tint :
       {"q5", "q4", "q3", "q2", "q1", "", "p1", "p2", "p3", "p4", "p5"}) {
    key += *tint == '\0' ? std::string("<i></i>")
                         : StrCat("<i class=\"", tint, "\"></i>");
  }
  return key +
         "<span>better</span><span class=\"n\">steps of 5 AP points, last "
         "open</span></p>";
}

}  // namespace

std::optional<Section> ClassByClass(const DataPage& page) {
  Heat heat{page, {}};
  for (const ReportRow* row : page.ranked) {
    if (row != page.baseline) heat.columns.push_back(row);
  }
  if (heat.columns.empty() || page.data.classes.empty()) return {};
  std::vector<std::size_t> order(page.data.classes.size());
  for (std::size_t c = 0; c < order.size(); ++c) order[c] = c;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) {
                     return page.data.classes[a].train_positives >
                            page.data.classes[b].train_positives;
                   });
  std::string bodies;
  for (const std::string& group : page.data.groups)
    bodies += GroupBody(heat, group, order);
  if (bodies.empty()) return {};
  const std::string zero = page.baseline ? page.baseline->label : "";
  const std::string caption =
      page.baseline
          ? StrCat(
                "Difference in AP to ", EscapeHtml(zero),
                ", points, mean over seeds. Classes by training pictures (n).")
          : "AP in percent, mean over seeds. Classes by training pictures (n).";
  return Section{
      .id = "classes",
      .name = "Class by class",
      .question = page.baseline
                      ? StrCat("What does each method add to ", zero, "?")
                      : std::string("Which classes are hard?"),
      .answer = ClassesAnswer(page.data),
      .body = (page.baseline ? ScaleKey(zero) : "") +
              Table(page.NextId(), caption, Head(heat), bodies, "heat sorts")};
}

}  // namespace tailmark::html
