#include <algorithm>
#include <cmath>

#include "harness/base/error.h"
#include "reports/html/page.h"
#include "reports/text.h"

namespace tailmark::html {

std::string Chip(const Look& look, std::string_view text) {
  return StrCat(
      "<span class=\"chip\"><svg class=\"g\" aria-hidden=\"true\"><use "
      "href=\"#g-",
      look.number, "\"/></svg>", EscapeHtml(text), "</span>");
}

std::string OpenRow(const Look& look) {
  return StrCat("<tr class=\"row ", look.Class(), "\">");
}

std::string Table(int id, std::string_view caption, std::string_view head,
                  std::string_view bodies, std::string_view classes) {
  return StrCat(
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
      "aria-labelledby=\"c",
      id, "\"><table class=\"", classes, "\"><caption id=\"c", id, "\"><span>",
      caption, "</span></caption><thead>", head, "</thead>", bodies,
      "</table></div>");
}

std::string HeadCell(std::string_view text, bool number) {
  return StrCat("<th scope=\"col\"", number ? " class=\"n\"" : "", ">",
                EscapeHtml(text), "</th>");
}

std::string NumberCell(Figure value, int decimals) {
  if (!value) return "<td class=\"n na\">\u2013</td>";
  const std::string text =
      decimals == 0 ? Thousands(std::llround(*value)) : Fixed(*value, decimals);
  return StrCat("<td class=\"n\" data-v=\"", Exact(value), "\">", text,
                "</td>");
}

std::string TextCell(std::string_view text, bool number) {
  if (text.empty()) {
    return StrCat("<td class=\"", number ? "n " : "", "na\">\u2013</td>");
  }
  return StrCat("<td", number ? " class=\"n\"" : "", ">", EscapeHtml(text),
                "</td>");
}

std::string Code(std::string_view text) {
  return StrCat("<code class=\"wrap\">", EscapeHtml(text), "</code>");
}

std::string Breakable(std::string_view id) {
  std::string out;
  for (const char c : EscapeHtml(id)) {
    out += c;
    if (c == '/') out += "<wbr>";
  }
  return StrCat("<code>", out, "</code>");
}

NameColumn NamesOf(const std::vector<const ReportRow*>& rows,
                   const Looks& looks) {
  constexpr std::size_t kLongest = 24;
  constexpr double kLetter = 6.4;  // Mean advance of the chart's 12 px font.
  std::size_t letters = 8;
  for (const ReportRow* row : rows) {
    letters = std::max(letters, Utf8Length(looks.Of(*row).short_label));
  }
  letters = std::min(letters, kLongest);
  return {static_cast<double>(letters) * kLetter + 14, letters};
}

}  // namespace tailmark::html
