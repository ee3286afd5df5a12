#include <algorithm>
#include <cmath>

#include "harness/base/error.h"
#include "reports/answers.h"
#include "reports/html/page.h"
#include "reports/summary.h"
#include "reports/text.h"

namespace tailmark::html {
namespace {

constexpr double kCountsWidth = 1080, kHeight = 540;
constexpr double kCountsTop = 40, kBottom = 142;
constexpr double kLeft = 44;
constexpr std::size_t kMostRows = 5;
/// Beyond this only the classes that stand out get a name, and no mark has a
/// tooltip: 80 classes would not fit, nor would the page.
constexpr std::size_t kNamedClasses = 32;
constexpr double kNameGap = 13;  // Pixels between turned names.

struct Point {
  std::size_t index = 0;  ///< Of the class.
  double n = 0;           ///< Training pictures, at least 0.5.
};

struct Plot {
  const DataPage& page;
  std::vector<const ReportRow*> rows;
  std::vector<Point> points;  ///< Frequent first.
  double right = 0;           ///< Pixels kept for the names of the lines.
  Scale x;
  Scale y;
};

std::size_t HalfWindow(const Plot& plot) {
  return std::max<std::size_t>(1, plot.points.size() / 8);
}

/// The best of every family, and the baseline.
std::vector<const ReportRow*> RowsShown(const DataPage& page) {
  std::vector<const ReportRow*> rows;
  std::vector<std::string> colours;
  for (const ReportRow* row : page.ranked) {
    const std::string& colour = page.looks.Of(*row).colour;
    const bool again =
        std::find(colours.begin(), colours.end(), colour) != colours.end();
    if (page.ranked.size() > kMostRows && again && row != page.baseline)
      continue;
    const std::size_t limit =
        page.baseline == nullptr || row == page.baseline ||
                std::find(rows.begin(), rows.end(), page.baseline) != rows.end()
            ? kMostRows
            : kMostRows - 1;
    if (rows.size() >= limit) continue;
    rows.push_back(row);
    colours.push_back(colour);
  }
  return rows;
}

Plot MakePlot(const DataPage& page) {
  Plot plot{.page = page,
            .rows = RowsShown(page),
            .x = Scale(0, 1, 0, 1),
            .y = Scale(0, 1, 0, 1)};
  for (std::size_t c = 0; c < page.data.classes.size(); ++c) {
    plot.points.push_back(
        {c, std::max(0.5, static_cast<double>(
                              page.data.classes[c].train_positives))});
  }
  std::stable_sort(plot.points.begin(), plot.points.end(),
                   [](const Point& a, const Point& b) { return a.n > b.n; });
  Extent extent;
  for (const ReportRow* row : plot.rows) {
    for (const Point& point : plot.points) {
      if (const Figure ap = ClassMean(*row, point.index)) extent.Add(*ap);
    }
  }
  const Extent shown = extent.Padded(0.06, 2);
  plot.right = 1.1 * NamesOf(plot.rows, page.looks).width + 22;
  plot.x = Scale(plot.points.front().n * 1.17, plot.points.back().n / 1.17,
                 kLeft, kCountsWidth - plot.right, true);
  plot.y = Scale(shown.hi, shown.lo, kCountsTop, kHeight - kBottom);
  return plot;
}

void DrawBands(const Plot& plot, Svg& svg) {
  const double top = kCountsTop - 22;
  struct Band {
    const char* name;
    const char* text;
    double lo;
    double hi;
  };
  constexpr Band kBands[] = {{"head", "head \u00b7 n \u2265 100", 100, 1e18},
                             {"medium", "medium \u00b7 20\u201399", 20, 100},
                             {"tail", "tail \u00b7 n < 20", 1e-9, 20}};
  const auto& groups = plot.page.data.groups;
  int index = 0;
  for (const Band& band : kBands) {
    if (std::find(groups.begin(), groups.end(), band.name) == groups.end())
      continue;
    const double from = std::min(band.hi, plot.x.from());
    const double to = std::max(band.lo, plot.x.to());
    if (from <= to) continue;
    const double width = plot.x(to) - plot.x(from);
    svg.Rect(StrCat("band", index++ % 2), plot.x(from), top, width,
             kHeight - kCountsTop - kBottom + 22);
    if (width > 90)
      svg.Text(plot.x(from) + 8, kCountsTop - 7, band.text, "bandlab");
  }
}

void DrawAxes(const Plot& plot, Svg& svg) {
  for (const double tick : Ticks(plot.y.to(), plot.y.from(), 8)) {
    svg.HorizontalLine("grid", kLeft, kCountsWidth - plot.right, plot.y(tick));
    svg.Text(kLeft - 6, plot.y(tick) + 4, TickLabel(tick), "tick",
             Anchor::kEnd);
  }
  svg.Text(kLeft - 34, 12, "AP, %", "tick");
  for (const double tick : LogTicks(plot.x.to(), plot.x.from(), 10)) {
    svg.VerticalLine("tk", plot.x(tick), kHeight - 17, kHeight - 22);
    svg.Text(plot.x(tick), kHeight - 3, TickLabel(tick), "tick",
             Anchor::kMiddle);
  }
  svg.HorizontalLine("axis", kLeft, kCountsWidth - plot.right, kHeight - 17);
  svg.Text(kCountsWidth - plot.right + 8, kHeight - 18, "training", "tick");
  svg.Text(kCountsWidth - plot.right + 8, kHeight - 4, "pictures, log", "tick");
}

/// Which classes get a name: all, or the largest gains and losses of each
/// group.
std::vector<bool> Named(const Plot& plot) {
  std::vector<bool> named(plot.points.size(),
                          plot.points.size() <= kNamedClasses);
  if (plot.points.size() <= kNamedClasses) return named;
  const ReportRow* row = plot.rows.front();
  const ReportRow* zero =
      plot.page.baseline == row ? nullptr : plot.page.baseline;
  for (const std::string& group : plot.page.data.groups) {
    std::vector<std::pair<double, std::size_t>> gains;
    for (std::size_t i = 0; i < plot.points.size(); ++i) {
      const std::size_t c = plot.points[i].index;
      if (plot.page.data.classes[c].group != group) continue;
      const Figure mine = ClassMean(*row, c);
      const Figure theirs = zero ? ClassMean(*zero, c) : Figure(0.0);
      if (mine && theirs) gains.emplace_back(*mine - *theirs, i);
    }
    std::sort(gains.begin(), gains.end());
    for (std::size_t k = 0; k < std::min<std::size_t>(3, gains.size()); ++k) {
      named[gains[k].second] = true;
      named[gains[gains.size() - 1 - k].second] = true;
    }
  }
  return named;
}

/// Turned names under the plot, pushed apart where classes lie close.
void DrawNames(const Plot& plot, Svg& svg) {
  const auto named = Named(plot);
  std::vector<std::size_t> shown;
  for (std::size_t i = 0; i < named.size(); ++i) {
    if (named[i]) shown.push_back(i);
  }
  std::vector<double> at;
  for (const std::size_t i : shown) {
    const double wanted = plot.x(plot.points[i].n);
    at.push_back(at.empty() ? wanted : std::max(wanted, at.back() + kNameGap));
  }
  double limit = kCountsWidth - plot.right;
  for (std::size_t k = at.size(); k-- > 0;) {
    at[k] = std::min(at[k], limit);
    limit = at[k] - kNameGap;
  }
  const double y = kHeight - kBottom;
  std::string ticks;
  for (std::size_t k = 0; k < shown.size(); ++k) {
    const Point& point = plot.points[shown[k]];
    ticks += StrCat("M", Coord(plot.x(point.n)), " ", Coord(y), "v4L",
                    Coord(at[k]), " ", Coord(y + 12));
    svg.TurnedText(at[k] + 4, y + 24, -58,
                   Shorten(plot.page.data.classes[point.index].name, 16),
                   "lab");
  }
  svg.Path("tk", ticks);
}

void DrawRanges(const Plot& plot, Svg& svg) {
  std::string d;
  for (const Point& point : plot.points) {
    Extent extent;
    for (const ReportRow* row : plot.rows) {
      if (const Figure ap = ClassMean(*row, point.index)) extent.Add(*ap);
    }
    if (extent.empty) continue;
    d += StrCat("M", Coord(plot.x(point.n)), " ", Coord(plot.y(extent.hi)), "V",
                Coord(plot.y(extent.lo)));
  }
  svg.Path("rng", d);
}

/// Mean over neighbours in the order of counts, so that the eye gets a line;
/// classes with one count share a point.
std::vector<std::pair<double, double>> MovingMean(const Plot& plot,
                                                  const ReportRow& row) {
  const std::size_t half = HalfWindow(plot);
  std::vector<std::pair<double, double>> line;
  for (std::size_t i = 0; i < plot.points.size();) {
    std::size_t last = i;
    while (last + 1 < plot.points.size() &&
           plot.points[last + 1].n == plot.points[i].n) {
      ++last;
    }
    std::vector<double> values;
    const std::size_t to = std::min(plot.points.size(), last + half + 1);
    for (std::size_t k = i < half ? 0 : i - half; k < to; ++k) {
      if (const Figure ap = ClassMean(row, plot.points[k].index)) {
        values.push_back(*ap);
      }
    }
    if (const Figure mean = Mean(values)) {
      line.emplace_back(plot.x(plot.points[i].n), plot.y(*mean));
    }
    i = last + 1;
  }
  return line;
}

void DrawMarks(const Plot& plot, const ReportRow& row, Svg& svg) {
  const Look& look = plot.page.looks.Of(row);
  const bool many = plot.points.size() > kNamedClasses;
  std::string d;
  for (const Point& point : plot.points) {
    const Figure ap = ClassMean(row, point.index);
    if (!ap) continue;
    const double x = plot.x(point.n);
    const double y = plot.y(*ap);
    if (many) {
      d += MarkPath(look.shape, x, y, 3);
    } else {
      svg.Mark(look.MarkClasses(), look.shape, x, y, 3.3,
               StrCat(plot.page.data.classes[point.index].name, ", ",
                      look.short_label, ": ", Fixed(*ap, 1)));
    }
  }
  if (many) svg.Path(look.MarkClasses(), d);
}

/// Names of the lines at their right ends, pushed apart.
void DrawLegend(const Plot& plot,
                std::vector<std::pair<double, const Look*>> ends, Svg& svg) {
  std::sort(ends.begin(), ends.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  const double x = kCountsWidth - plot.right;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    if (i > 0) ends[i].first = std::max(ends[i].first, ends[i - 1].first + 17);
    const Look& look = *ends[i].second;
    svg.OpenGroup(StrCat("mk ", look.Class()));
    svg.Text(x + 22, ends[i].first + 4, Shorten(look.short_label, 24), "dl");
    svg.CloseGroup();
    svg.Mark(look.MarkClasses(), look.shape, x + 11, ends[i].first, 4);
  }
}

std::string Draw(const Plot& plot) {
  Svg svg(kCountsWidth, kHeight);
  DrawBands(plot, svg);
  DrawAxes(plot, svg);
  DrawNames(plot, svg);
  DrawRanges(plot, svg);
  std::vector<std::pair<double, const Look*>> ends;
  std::string words =
      "Average precision per class against training pictures on a log axis, "
      "frequent classes left.";
  for (const ReportRow* row : plot.rows) {
    const Look& look = plot.page.looks.Of(*row);
    const auto line = MovingMean(plot, *row);
    if (line.empty()) continue;
    svg.Polyline(StrCat("ln mk ", look.Class()), line);
    ends.emplace_back(line.back().second, &look);
    words += StrCat(" ", row->label, ":");
    for (const std::string& group : plot.page.data.groups) {
      if (const Figure mean = MeanOf(*row, plot.page.definition, group)) {
        words += StrCat(" ", group, " ", Fixed(*mean, 1));
      }
    }
    words += ".";
  }
  for (const ReportRow* row : plot.rows) DrawMarks(plot, *row, svg);
  DrawLegend(plot, ends, svg);
  return svg.Chart(
      plot.page.NextId(),
      StrCat("AP against training count, ",
             Count(static_cast<std::int64_t>(plot.points.size()), "class",
                   "classes"),
             ", ",
             Count(static_cast<std::int64_t>(plot.rows.size()), "method")),
      words, "wide");
}

}  // namespace

std::optional<Section> ApAgainstCount(const DataPage& page) {
  if (page.ranked.empty() || page.data.classes.size() < 2) return {};
  const Plot plot = MakePlot(page);
  const std::size_t window = 2 * HalfWindow(plot) + 1;
  return Section{
      .id = "counts",
      .name = "Classes",
      .question = "Does accuracy follow the number of training pictures?",
      .answer = CountsAnswer(page.data),
      .body = StrCat("<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
                     "aria-label=\"Chart: AP "
                     "against training count\">",
                     Draw(plot),
                     "</div><p class=\"note\">Each mark is one class, mean "
                     "over seeds; lines are moving "
                     "means over ",
                     window, " classes.",
                     plot.rows.size() < page.ranked.size()
                         ? " The best row of each family is drawn."
                         : "",
                     plot.points.size() > kNamedClasses
                         ? " Named: each group\u2019s largest gains and losses "
                           "of the best row."
                         : "",
                     "</p>")};
}

}  // namespace tailmark::html
