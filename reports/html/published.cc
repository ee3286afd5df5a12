#include <algorithm>

#include "harness/base/error.h"
#include "reports/answers.h"
#include "reports/html/page.h"
#include "reports/summary.h"
#include "reports/text.h"

namespace tailmark::html {
namespace {

std::string Pill(const std::string& verdict) {
  std::string name = verdict;
  std::replace(name.begin(), name.end(), ' ', '-');
  return StrCat("<span class=\"pill v-", name, "\">", EscapeHtml(verdict),
                "</span>");
}

/// What the linter objects to, in a word each.
std::string LintCell(const ReportPublished& row) {
  if (row.lint.empty()) return "<td><span class=\"ok\">none</span></td>";
  std::string flags;
  for (const auto& [rule, why] : row.lint) {
    flags += StrCat("<span class=\"flag\" title=\"", EscapeHtml(why), "\">",
                    EscapeHtml(rule), "</span>");
  }
  return StrCat("<td>", flags, "</td>");
}

bool Contradicts(const ReportPublished& row) {
  return std::any_of(row.lint.begin(), row.lint.end(), [](const auto& each) {
    return each.first == "group-mean" || each.first == "swap";
  });
}

const ReportPrinted* Find(const ReportPublished& row,
                          const std::string& column) {
  for (const ReportPrinted& cell : row.cells) {
    if (cell.column == column) return &cell;
  }
  return nullptr;
}

/// The figure that stands for the row: the first one that was measured, else
/// the first.
const ReportPrinted& Main(const ReportPublished& row) {
  for (const ReportPrinted& cell : row.cells) {
    if (cell.theirs) return cell;
  }
  return row.cells.front();
}

std::string OursCells(const ReportPublished& row) {
  const ReportPrinted& main = Main(row);
  if (!main.theirs) {
    return StrCat("<td class=\"n\"><span class=\"x\">\u2715</span></td>",
                  NumberCell({}, 1), NumberCell({}, 1));
  }
  std::string first = StrCat("<td class=\"n\" data-v=\"", Exact(main.theirs),
                             "\">", Fixed(*main.theirs, 1));
  if (main.sd) {
    first +=
        StrCat(" <span class=\"sd\">\u00b1 ", Fixed(*main.sd, 2), "</span>");
  }
  return StrCat(first, "<span class=\"sub\">", EscapeHtml(main.column),
                ", n = ", main.runs, "</span></td>",
                main.difference ? StrCat("<td class=\"n\">",
                                         Signed(*main.difference, 1), "</td>")
                                : NumberCell({}, 1),
                NumberCell(main.ours, 1));
}

std::string RowOf(const ReportPublished& row,
                  const std::vector<std::string>& columns) {
  const bool bad = Contradicts(row);
  const std::string status = row.status == "second_hand"  ? "second-hand"
                             : row.status == "author_log" ? "authors\u2019 log"
                                                          : row.status;
  std::string out = StrCat("<tr><th scope=\"row\">", EscapeHtml(row.row),
                           "<span class=\"sub\">", EscapeHtml(row.dataset),
                           ", ", EscapeHtml(status),
                           row.stand_in ? ", stand-in" : "", "</span></th>");
  for (const std::string& column : columns) {
    const ReportPrinted* cell = Find(row, column);
    out += cell == nullptr
               ? std::string("<td class=\"n na\">\u2013</td>")
               : StrCat("<td class=\"n\" data-v=\"", Exact(cell->printed),
                        "\">", Fixed(cell->printed, cell->decimals), "</td>");
  }
  out += row.group_mean ? StrCat("<td class=\"n", bad ? " sus" : "",
                                 "\" data-v=\"", Exact(*row.group_mean), "\">",
                                 Fixed(*row.group_mean, 2), "</td>")
                        : std::string("<td class=\"n na\">\u2013</td>");
  return StrCat(out, LintCell(row), OursCells(row), "<td>", Pill(row.verdict),
                "<span class=\"sub\">", EscapeHtml(row.reason),
                "</span></td></tr>");
}

std::vector<std::string> ColumnsOf(
    const std::vector<const ReportPublished*>& rows) {
  std::vector<std::string> columns;
  for (const ReportPublished* row : rows) {
    for (const ReportPrinted& cell : row->cells) {
      if (std::find(columns.begin(), columns.end(), cell.column) ==
          columns.end()) {
        columns.push_back(cell.column);
      }
    }
  }
  return columns;
}

/// One table of a paper.
std::string OneTable(const DataPage& page,
                     const std::vector<const ReportPublished*>& rows) {
  const auto columns = ColumnsOf(rows);
  std::string head = StrCat(
      "<tr><th scope=\"col\" rowspan=\"2\">Published row</th><th "
      "scope=\"colgroup\" colspan=\"",
      columns.size(),
      "\" class=\"grp\">as printed</th><th scope=\"col\" rowspan=\"2\" "
      "class=\"n\">Group mean</th><th scope=\"col\" "
      "rowspan=\"2\">Lint</th><th scope=\"colgroup\" colspan=\"3\" "
      "class=\"grp\">ours</th><th scope=\"col\" "
      "rowspan=\"2\">Verdict</th></tr><tr>");
  for (const std::string& column : columns) head += HeadCell(column, true);
  head += StrCat(HeadCell("their way", true), HeadCell("diff.", true),
                 HeadCell("our way", true), "</tr>");
  std::string body;
  for (const ReportPublished* row : rows) body += RowOf(*row, columns);
  const ReportPublished& first = *rows.front();
  std::string profiles;
  for (const ReportPublished* row : rows) {
    if (row->definition.empty()) continue;
    const std::string text = StrCat(
        " ", EscapeHtml(row->row), ": ", Code(row->definition), ", ",
        row->selection == "best_on_test" ? "best epoch on test" : "last epoch",
        ".");
    if (profiles.find(text) == std::string::npos) profiles += text;
  }
  return Table(
      page.NextId(),
      StrCat(Code(StrCat(first.source, ":", first.table)), " \u00b7 ",
             EscapeHtml(first.title),
             ". Group mean: printed groups weighted by their sizes; it must "
             "equal the printed total. Their way: our runs, scored and picked "
             "as the row was; our way: ",
             Code("ap.step"), " of the last epoch.", profiles),
      head, StrCat("<tbody>", body, "</tbody>"), "pub");
}

/// The sums behind every flag.
std::string Arithmetic(const std::vector<const ReportPublished*>& rows) {
  std::string lines;
  for (const ReportPublished* row : rows) {
    if (row->lint.empty()) continue;
    for (const auto& [rule, why] : row->lint) {
      lines += StrCat(EscapeHtml(row->row), ", ", EscapeHtml(rule), ": ",
                      EscapeHtml(why), "\n");
    }
  }
  if (lines.empty()) return "";
  return StrCat(
      "<details><summary>What the linter objects to, with its "
      "arithmetic</summary><p>A total over all classes is the mean of its "
      "groups, weighted by their sizes. Half a unit of the last digit is "
      "granted to every printed value. A row that contradicts itself gets the "
      "verdict <i>table inconsistent</i>.</p><pre>",
      lines, "</pre></details>");
}

std::string Legend() {
  std::string out = "<ul class=\"key\">";
  for (const auto& [verdict, meaning] :
       {std::pair{"reproduced", "equal within the margin, shown (TOST)"},
        {"consistent", "where one more run would lie, too few seeds for TOST"},
        {"below", "outside, lower"},
        {"above", "outside, higher: look for leakage"},
        {"not comparable", "made otherwise than printed"},
        {"table inconsistent", "the linter objects"},
        {"not run", "with what is missing"}}) {
    out += StrCat("<li>", Pill(verdict), " ", meaning, "</li>");
  }
  return out + "</ul>";
}

}  // namespace

std::optional<Section> PublishedAndReproduced(const DataPage& page) {
  if (page.data.published.empty()) return {};
  std::string body;
  std::vector<const ReportPublished*> rows;
  std::vector<const ReportPublished*> all;
  const auto flush = [&] {
    if (!rows.empty()) body += OneTable(page, rows);
    rows.clear();
  };
  for (const ReportPublished& row : page.data.published) {
    if (!rows.empty() && (rows.back()->source != row.source ||
                          rows.back()->table != row.table)) {
      flush();
    }
    rows.push_back(&row);
    all.push_back(&row);
  }
  flush();
  body += Arithmetic(all);
  body += Legend();
  return Section{.id = "published",
                 .name = "Published and reproduced",
                 .question = "Do we find what the papers print?",
                 .answer = PublishedAnswer(page.data),
                 .body = body};
}

}  // namespace tailmark::html
