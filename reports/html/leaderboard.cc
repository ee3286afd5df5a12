#include <algorithm>

#include "harness/base/error.h"
#include "reports/answers.h"
#include "reports/html/page.h"
#include "reports/summary.h"
#include "reports/text.h"

namespace tailmark::html {
namespace {

constexpr double kBarWidth = 132;
constexpr double kBarHeight = 20;

struct Board {
  const DataPage& page;
  std::vector<std::string> groups;
  std::vector<const ReportRow*> leads;  ///< Best of each group; null: none.
  Scale x;
  std::vector<double> ticks;
  bool tested = false;     ///< Letters are there.
  bool intervals = false;  ///< Intervals are there.
};

const ReportInterval* IntervalOf(const ReportRow& row,
                                 const std::string& group) {
  const auto it = row.intervals.find(group);
  return it == row.intervals.end() ? nullptr : &it->second;
}

std::string LettersOf(const ReportRow& row, const std::string& group) {
  const auto it = row.letters.find(group);
  return it == row.letters.end() ? "" : it->second;
}

Board MakeBoard(const DataPage& page) {
  Board board{
      .page = page, .groups = GroupsOf(page.data), .x = Scale(0, 1, 0, 1)};
  Extent extent;
  for (const std::string& group : board.groups) {
    const ReportRow* lead = nullptr;
    for (const ReportRow* row : page.ranked) {
      for (const double v : SeedValues(*row, page.definition, group))
        extent.Add(v);
      const Figure mean = MeanOf(*row, page.definition, group);
      if (mean && (!lead || *mean > *MeanOf(*lead, page.definition, group)))
        lead = row;
      if (const ReportInterval* interval = IntervalOf(*row, group)) {
        extent.Add(interval->lo);
        extent.Add(interval->hi);
        board.intervals = true;
      }
      board.tested = board.tested || !LettersOf(*row, group).empty();
    }
    board.leads.push_back(lead);
  }
  const Extent shown = extent.Padded(0.05, 1);
  board.x = Scale(shown.lo, shown.hi, 0, kBarWidth);
  board.ticks = Ticks(shown.lo, shown.hi, 5);
  return board;
}

/// Whether no other ranked row shares a letter in this group.
bool StandsAlone(const Board& board, const ReportRow& row,
                 const std::string& group) {
  const std::string letters = LettersOf(row, group);
  if (letters.empty()) return false;
  return std::none_of(
      board.page.ranked.begin(), board.page.ranked.end(),
      [&](const ReportRow* other) {
        return other != &row &&
               LettersOf(*other, group).find_first_of(letters) !=
                   std::string::npos;
      });
}

std::string Bar(const Board& board, const ReportRow& row,
                const std::string& group) {
  const DataPage& page = board.page;
  const Look& look = page.looks.Of(row);
  const Figure mean = MeanOf(row, page.definition, group);
  if (!mean) return "";
  Svg svg(kBarWidth, kBarHeight);
  svg.Raw(StrCat("<use href=\"#cg", page.suffix, "\"/>"));
  if (page.baseline && page.baseline != &row) {
    if (const Figure zero = MeanOf(*page.baseline, page.definition, group)) {
      svg.VerticalLine("ref", board.x(*zero), 0, kBarHeight);
    }
  }
  if (const ReportInterval* interval = IntervalOf(row, group)) {
    svg.HorizontalLine("iv", board.x(interval->lo), board.x(interval->hi), 7);
  }
  svg.Raw(StrCat("<use href=\"#g-", look.number, "\" x=\"",
                 Coord(board.x(*mean) - 7), "\"/>"));
  const auto seeds = SeedValues(row, page.definition, group);
  if (seeds.size() > 1) {
    std::string d;
    for (const double value : seeds)
      d += StrCat("M", Coord(board.x(value)), " 16h0");
    svg.Path("seed", d);
  }
  return svg.Decoration("cellbar");
}

std::string ValueCell(const Board& board, const ReportRow& row, std::size_t g) {
  const std::string& group = board.groups[g];
  const Figure mean = MeanOf(row, board.page.definition, group);
  const std::string open = StrCat("<td role=\"cell\" class=\"val\" data-l=\"",
                                  EscapeHtml(group), "\"");
  if (!mean) return StrCat(open, "><span class=\"na\">\u2013</span></td>");
  std::string value = Fixed(*mean, 1);
  if (board.leads[g] == &row && board.page.ranked.size() > 1) {
    value = StandsAlone(board, row, group) ? StrCat("<b>", value, "</b>")
                                           : StrCat("<u>", value, "</u>");
  }
  std::string cell = StrCat(open, " data-v=\"", Exact(mean),
                            "\"><span class=\"v\">", value, "</span>");
  if (const Figure sd = ShownSpread(row, board.page.definition, group)) {
    cell += StrCat(" <span class=\"sd\">\u00b1 ", Fixed(*sd, 2), "</span>");
  }
  if (const std::string letters = LettersOf(row, group); !letters.empty()) {
    cell += StrCat(
        "<abbr class=\"cl\" title=\"not distinguishable from rows "
        "sharing a letter\">",
        EscapeHtml(letters), "</abbr>");
  }
  cell += Bar(board, row, group);
  if (const ReportInterval* interval = IntervalOf(row, group)) {
    cell += StrCat("<span class=\"vh\">95 % interval ", Fixed(interval->lo, 1),
                   " to ", Fixed(interval->hi, 1), "</span>");
  }
  return cell + "</td>";
}

std::string SeedsCell(const ReportRow& row) {
  const std::size_t done = DoneRuns(row).size();
  std::string text = done == row.runs.size()
                         ? StrCat(done)
                         : StrCat(done, " of ", row.runs.size());
  if (!row.stochastic && done == 1)
    text += "<span class=\"sub\">deterministic</span>";
  return StrCat("<td role=\"cell\" class=\"n\" data-l=\"seeds\" data-v=\"",
                done, "\">", text, "</td>");
}

std::string Sub(std::string_view text) {
  return text.empty()
             ? ""
             : StrCat("<span class=\"sub\">", EscapeHtml(text), "</span>");
}

std::string RankedBody(const Board& board) {
  std::string rows;
  int rank = 0;
  for (const ReportRow* row : board.page.ranked) {
    const Look& look = board.page.looks.Of(*row);
    ++rank;
    rows += StrCat("<tr role=\"row\" class=\"row ", look.Class(),
                   "\"><td role=\"cell\" class=\"n rk\">", rank,
                   "</td><th role=\"rowheader\" scope=\"row\">",
                   Chip(look, row->label), Sub(row->note), "</th>");
    for (std::size_t g = 0; g < board.groups.size(); ++g)
      rows += ValueCell(board, *row, g);
    rows += SeedsCell(*row) + "</tr>";
  }
  if (const Figure chance = ChanceOf(board.page.data);
      chance && !rows.empty()) {
    rows +=
        "<tr role=\"row\" class=\"row quiet\"><td role=\"cell\" class=\"n "
        "rk\"></td>"
        "<th role=\"rowheader\" scope=\"row\">Chance<span "
        "class=\"sub\">positives / test "
        "pictures</span></th>";
    for (const std::string& group : board.groups) {
      rows += StrCat(
          "<td role=\"cell\" class=\"val\" data-l=\"", EscapeHtml(group), "\">",
          group == "total"
              ? StrCat("<span class=\"v\">", Fixed(*chance, 1), "</span>")
              : std::string("<span class=\"na\">\u2013</span>"),
          "</td>");
    }
    rows += "<td role=\"cell\" class=\"n\"></td></tr>";
  }
  return rows.empty() ? "" : StrCat("<tbody>", rows, "</tbody>");
}

std::string Brand(std::string_view brand) {
  static constexpr std::string_view kStyled[] = {"best_on_test", "foreign",
                                                 "partial", "missing"};
  const bool styled = std::find(std::begin(kStyled), std::end(kStyled),
                                brand) != std::end(kStyled);
  return StrCat(
      " <span class=\"brand", styled ? StrCat(" b-", brand) : "", "\">",
      brand == "foreign" ? std::string("foreign pipeline") : EscapeHtml(brand),
      "</span>");
}

std::string OpenOffRow(const ReportRow& row, std::string_view brands,
                       std::string_view note) {
  return StrCat(
      "<tr role=\"row\" class=\"off\"><td role=\"cell\" class=\"n "
      "rk\">\u2013</td>"
      "<th role=\"rowheader\" scope=\"row\">",
      EscapeHtml(row.label), brands, Sub(note), "</th>");
}

/// Branded rows that have figures.
std::string BrandedRow(const Board& board, const ReportRow& row) {
  std::string brands;
  for (const std::string& brand : row.brands) brands += Brand(brand);
  std::string note = row.note;
  if (const Figure optimism = OptimismOf(row);
      optimism && row.selection == "best_on_test") {
    const Figure picked = PickedOf(row);
    note += StrCat(note.empty() ? "" : "; ",
                   "shown is the last epoch; picked on test labels",
                   picked ? StrCat(" ", Fixed(*picked, 1)) : "", ", optimism ",
                   Signed(*optimism, 1), " over last");
  }
  std::string out = OpenOffRow(row, brands, note);
  for (const std::string& group : board.groups) {
    const Figure mean = MeanOf(row, board.page.definition, group);
    out += StrCat(
        "<td role=\"cell\" class=\"val\" data-l=\"", EscapeHtml(group), "\">",
        mean ? StrCat("<span class=\"v\">", Fixed(*mean, 1), "</span>")
             : std::string("<span class=\"na\">\u2013</span>"),
        "</td>");
  }
  return out + SeedsCell(row) + "</tr>";
}

std::string MissingRows(const Board& board, const ReportRow& row) {
  std::string out;
  const std::size_t done = DoneRuns(row).size();
  for (const OpenRuns& open : OpenRunsOf(row)) {
    std::string why =
        StrCat("<span class=\"x\">\u2715</span> ", EscapeHtml(open.state));
    if (!open.reason.empty()) why += StrCat(": ", EscapeHtml(open.reason));
    if (!open.mend.empty()) why += StrCat(". ", Code(open.mend));
    out += StrCat(OpenOffRow(row, Brand("missing"), open.seeds),
                  "<td role=\"cell\" class=\"val\" colspan=\"",
                  board.groups.size(), "\">", why,
                  "</td><td role=\"cell\" class=\"n\" data-l=\"seeds\">", done,
                  " of ", row.runs.size(), "</td></tr>");
  }
  return out;
}

std::string UnrankedBody(const Board& board) {
  std::string rows;
  for (const ReportRow& row : board.page.data.rows) {
    if (!row.brands.empty() && !DoneRuns(row).empty())
      rows += BrandedRow(board, row);
  }
  for (const ReportRow& row : board.page.data.rows)
    rows += MissingRows(board, row);
  if (rows.empty()) return "";
  return StrCat("<tbody class=\"unranked\"><tr role=\"row\"><th colspan=\"",
                board.groups.size() + 3,
                "\" scope=\"rowgroup\" class=\"divider\">Not ranked: other "
                "rules apply, or "
                "missing</th></tr>",
                rows, "</tbody>");
}

std::string Head(const Board& board) {
  Svg axis(kBarWidth, 12);
  for (const double tick : board.ticks) {
    axis.Text(board.x(tick), 10,
              Fixed(tick, tick == static_cast<int>(tick) ? 0 : 1), "tick",
              Anchor::kMiddle);
  }
  std::string head =
      "<tr><th scope=\"col\" class=\"n\">#</th><th scope=\"col\">Method</th>";
  for (const std::string& group : board.groups) {
    head +=
        StrCat("<th scope=\"col\" class=\"val\"",
               group == "total" ? " data-sorted=\"descending\"" : "", ">",
               EscapeHtml(group), " mAP", axis.Decoration("cellbar"), "</th>");
  }
  return head + "<th scope=\"col\" class=\"n\">Seeds</th></tr>";
}

std::string Key(const Board& board) {
  if (board.page.ranked.empty()) return "";
  const Look& look = board.page.looks.Of(*board.page.ranked.front());
  std::string key =
      StrCat("<ul class=\"key\"><li class=\"", look.Class(),
             "\"><svg width=\"44\" height=\"20\" aria-hidden=\"true\">",
             board.intervals ? "<path class=\"iv\" d=\"M4 7H40\"/>" : "",
             "<use href=\"#g-", look.number,
             "\" x=\"15\"/><path class=\"seed\" d=\"M18 16h0M23 16h0M27 "
             "16h0\"/></svg> mean",
             board.intervals ? ", interval over pictures" : "",
             ", single seeds below</li>");
  if (board.page.baseline) {
    key += StrCat(
        "<li><svg width=\"12\" height=\"20\" aria-hidden=\"true\"><path "
        "class=\"ref\" "
        "d=\"M6 0V20\"/></svg> ",
        EscapeHtml(board.page.baseline->label), " in this column</li>");
  }
  if (board.tested) {
    key +=
        "<li><b>bold</b> best and distinguishable from every other row</li>"
        "<li><u>underlined</u> best, but not distinguishable from another</li>"
        "<li><abbr class=\"cl\">a b</abbr> rows sharing a letter are not "
        "distinguishable</li>";
  } else {
    key +=
        "<li><u>underlined</u> best of the column; not tested against the "
        "others</li>";
  }
  return key + "</ul>";
}

}  // namespace

std::optional<Section> Leaderboard(const DataPage& page) {
  if (page.data.rows.empty()) return {};
  const Board board = MakeBoard(page);
  std::string d;
  for (const double tick : board.ticks)
    d += StrCat("M", Coord(board.x(tick)), " 0V20");
  const std::string grid = StrCat(
      "<svg width=\"0\" height=\"0\" aria-hidden=\"true\" "
      "style=\"position:absolute\"><defs><path id=\"cg",
      page.suffix, "\" class=\"grid\" d=\"", d, "\"/></defs></svg>");
  const std::string caption = StrCat(
      "Leaderboard on <i>", EscapeHtml(page.data.name),
      "</i>, mean average precision in percent, ",
      Code(ShortDefinition(page.definition)), ". Mean \u00b1 sd over ",
      SpreadUnit(page.data) == "episodes" ? "episodes" : "training seeds",
      board.intervals ? "; the bar is the 95 % interval over test pictures."
                      : ".");
  return Section{.id = "leaderboard",
                 .name = "Leaderboard",
                 .question = "Which method is best, and how sure is that?",
                 .answer = LeaderboardAnswer(page.data),
                 .body = grid +
                         Table(page.NextId(), caption, Head(board),
                               RankedBody(board) + UnrankedBody(board),
                               "lead cards sorts") +
                         Key(board)};
}

}  // namespace tailmark::html
