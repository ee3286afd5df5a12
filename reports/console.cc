#include "reports/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "harness/base/environment.h"
#include "harness/base/error.h"
#include "reports/summary.h"
#include "reports/text.h"

namespace tailmark {
namespace {

constexpr std::size_t kNarrowestName = 12;
constexpr std::size_t kGap = 2;

struct Line {
  std::string rank;
  std::string name;
  std::vector<std::string> cells;  ///< Groups, then seeds.
  std::vector<bool> best;          ///< As cells; bold where true.
};

std::string Paint(std::string_view text, std::string_view code,
                  const ConsoleStyle& style) {
  if (!style.colour) return std::string(text);
  return StrCat("\x1b[", code, "m", text, "\x1b[0m");
}

std::string Pad(const std::string& text, std::size_t width, bool right) {
  const std::size_t length = Utf8Length(text);
  const std::string fill(width > length ? width - length : 0, ' ');
  return right ? fill + text : text + fill;
}

std::string Cell(const ReportRow& row, const std::string& definition,
                 const std::string& group, bool spread) {
  const Figure mean = MeanOf(row, definition, group);
  if (!mean) return "\u2013";
  std::string text = Fixed(*mean, 1);
  if (const Figure sd = ShownSpread(row, definition, group); sd && spread) {
    text += StrCat(" \u00b1 ", Fixed(*sd, 2));
  }
  return text;
}

std::string SeedsCell(const ReportRow& row) {
  const std::size_t done = DoneRuns(row).size();
  return done == row.runs.size() ? StrCat(done)
                                 : StrCat(done, " of ", row.runs.size());
}

std::string NameCell(const ReportRow& row) {
  std::string name = EscapeTerminal(row.label);
  for (const std::string& brand : row.brands) {
    name += StrCat(" [", EscapeTerminal(brand), "]");
  }
  return name;
}

std::vector<Line> LinesOf(const ReportDataset& dataset, bool spread) {
  const std::string definition = DefaultDefinition(dataset);
  const auto groups = GroupsOf(dataset);
  const auto ranked = RankedRows(dataset, definition);
  std::vector<Figure> best(groups.size());
  for (const std::size_t i : ranked) {
    for (std::size_t g = 0; g < groups.size(); ++g) {
      const Figure mean = MeanOf(dataset.rows[i], definition, groups[g]);
      if (mean && (!best[g] || *mean > *best[g])) best[g] = mean;
    }
  }
  std::vector<Line> lines;
  const auto add = [&](const ReportRow& row, const std::string& rank) {
    Line line{.rank = rank, .name = NameCell(row)};
    for (std::size_t g = 0; g < groups.size(); ++g) {
      line.cells.push_back(Cell(row, definition, groups[g], spread));
      line.best.push_back(rank != "-" && best[g] &&
                          MeanOf(row, definition, groups[g]) == best[g]);
    }
    line.cells.push_back(SeedsCell(row));
    line.best.push_back(false);
    lines.push_back(std::move(line));
  };
  for (std::size_t i = 0; i < ranked.size(); ++i) {
    add(dataset.rows[ranked[i]], StrCat(i + 1));
  }
  for (const std::size_t i : UnrankedRows(dataset)) add(dataset.rows[i], "-");
  return lines;
}

struct Widths {
  std::size_t rank = 1;
  std::size_t name = 6;
  std::vector<std::size_t> cells;

  std::size_t Total() const {
    std::size_t sum = rank + kGap + name;
    for (const std::size_t each : cells) sum += kGap + each;
    return sum;
  }
};

Widths Measure(const std::vector<std::string>& heads,
               const std::vector<Line>& lines) {
  Widths widths;
  for (const std::string& head : heads) {
    widths.cells.push_back(Utf8Length(head));
  }
  for (const Line& line : lines) {
    widths.rank = std::max(widths.rank, Utf8Length(line.rank));
    widths.name = std::max(widths.name, Utf8Length(line.name));
    for (std::size_t i = 0; i < line.cells.size(); ++i) {
      widths.cells[i] = std::max(widths.cells[i], Utf8Length(line.cells[i]));
    }
  }
  return widths;
}

std::string Missing(const ReportDataset& dataset, const ConsoleStyle& style) {
  std::string out;
  for (const ReportRow& row : dataset.rows) {
    for (const OpenRuns& open : OpenRunsOf(row)) {
      out +=
          StrCat(Paint("\u2715", "31", style), " ", EscapeTerminal(row.label),
                 ", ", open.seeds, ": ", EscapeTerminal(open.state));
      if (!open.reason.empty())
        out += StrCat(": ", EscapeTerminal(open.reason));
      if (!open.mend.empty())
        out += StrCat("\n    ", EscapeTerminal(open.mend));
      out += "\n";
    }
  }
  return out;
}

std::string TableOf(const ReportDataset& dataset, const ConsoleStyle& style) {
  auto heads = GroupsOf(dataset);
  heads.push_back("seeds");
  const auto limit = static_cast<std::size_t>(std::max(style.width, 20));
  auto lines = LinesOf(dataset, true);
  Widths widths = Measure(heads, lines);
  // First the names give way, down to what still tells rows apart, then the
  // spreads.
  const std::size_t wanted = std::min(widths.name, kNarrowestName * 2);
  if (widths.Total() - widths.name + wanted > limit) {
    lines = LinesOf(dataset, false);
    widths = Measure(heads, lines);
  }
  if (widths.Total() > limit) {
    const std::size_t rest = widths.Total() - widths.name;
    widths.name = std::max(limit > rest ? limit - rest : 0,
                           std::min(widths.name, kNarrowestName));
  }

  const std::string gap(kGap, ' ');
  std::string out =
      Pad("#", widths.rank, true) + gap + Pad("method", widths.name, false);
  for (std::size_t i = 0; i < heads.size(); ++i) {
    out += gap + Pad(EscapeTerminal(heads[i]), widths.cells[i], true);
  }
  out = Paint(out, "2", style) + "\n";
  for (const Line& line : lines) {
    out += Pad(line.rank, widths.rank, true) + gap +
           Pad(Shorten(line.name, widths.name), widths.name, false);
    for (std::size_t i = 0; i < line.cells.size(); ++i) {
      const std::string cell = Pad(line.cells[i], widths.cells[i], true);
      out += gap + (line.best[i] ? Paint(cell, "1", style) : cell);
    }
    out += "\n";
  }
  return out;
}

}  // namespace

ConsoleStyle StdoutStyle() {
  ConsoleStyle style;
  const bool terminal = isatty(STDOUT_FILENO) == 1;
  winsize size{};
  if (terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 &&
      size.ws_col > 0) {
    style.width = size.ws_col;
  } else if (const auto columns = GetEnv("COLUMNS")) {
    int width = 0;
    const auto end = columns->data() + columns->size();
    if (std::from_chars(columns->data(), end, width).ptr == end && width > 0) {
      style.width = width;
    }
  }
  style.colour = terminal && !GetEnv("NO_COLOR") && GetEnv("TERM") != "dumb";
  return style;
}

std::string ConsoleTable(const ReportModel& model, const ConsoleStyle& style) {
  std::string out;
  for (const ReportDataset& dataset : model.datasets) {
    if (!out.empty()) out += "\n";
    out +=
        StrCat(Paint(EscapeTerminal(dataset.name), "1", style), ": mAP in %, ",
               EscapeTerminal(ShortDefinition(DefaultDefinition(dataset))),
               ", mean \u00b1 sd over ", SpreadUnit(dataset), "\n");
    out += TableOf(dataset, style);
    if (const Figure chance = ChanceOf(dataset)) {
      out += StrCat("chance: ", Fixed(*chance, 1), "\n");
    }
    out += Missing(dataset, style);
  }
  return out;
}

}  // namespace tailmark
