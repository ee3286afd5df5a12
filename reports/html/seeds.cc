#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>

#include "harness/base/error.h"
#include "reports/answers.h"
#include "reports/html/page.h"
#include "reports/summary.h"
#include "reports/text.h"

namespace tailmark::html {
namespace {

constexpr double kDotsWidth = 640;
constexpr double kTop = 12;

struct Dots {
  const ReportRow* row = nullptr;
  std::vector<double> values;
  double mean = 0;
  double sd = 0;
  double half = 0;  ///< Of the 95 % prediction interval of one more seed.
};

std::vector<Dots> DotsOf(const DataPage& page) {
  std::vector<Dots> all;
  for (const ReportRow* row : page.ranked) {
    Dots dots{.row = row, .values = SeedValues(*row, page.definition, "total")};
    if (dots.values.size() < 2) continue;
    const auto n = static_cast<double>(dots.values.size());
    dots.mean = *Mean(dots.values);
    dots.sd = *SampleSd(dots.values);
    const boost::math::students_t t(n - 1);
    dots.half =
        boost::math::quantile(t, 0.975) * dots.sd * std::sqrt(1 + 1 / n);
    all.push_back(std::move(dots));
  }
  return all;
}

std::string SeedChart(const DataPage& page, const std::vector<Dots>& all) {
  const NameColumn names = NamesOf(page.ranked, page.looks);
  const double height = kTop + kChartRow * static_cast<double>(all.size()) + 24;
  Extent extent;
  for (const Dots& dots : all) {
    for (const double value : dots.values) extent.Add(value);
  }
  // Two seeds give intervals so wide that nothing else would be seen: they are
  // clipped to twice the range of what was measured.
  const Extent shown = extent.Padded(0.5, 1);
  const Scale x(shown.lo, shown.hi, names.width, kDotsWidth - 70);
  Svg svg(kDotsWidth, height);
  for (const double tick : Ticks(shown.lo, shown.hi, 8)) {
    svg.VerticalLine("grid", x(tick), 2, height - 22);
    svg.Text(x(tick), height - 6, TickLabel(tick), "tick", Anchor::kMiddle);
  }
  std::string words;
  double y = kTop + 4;
  for (const Dots& dots : all) {
    const Look& look = page.looks.Of(*dots.row);
    svg.OpenGroup(StrCat("mk ", look.Class()));
    svg.Text(names.width - 8, y + 4, Shorten(look.short_label, names.letters),
             "", Anchor::kEnd);
    const double from = x(std::max(shown.lo, dots.mean - dots.half));
    const double to = x(std::min(shown.hi, dots.mean + dots.half));
    svg.Rect("pi", from, y - 6, std::max(1.5, to - from), 12);
    svg.Text(kDotsWidth - 4, y + 4, StrCat("sd ", Fixed(dots.sd, 2)), "tick",
             Anchor::kEnd);
    svg.CloseGroup();
    words += StrCat(words.empty() ? "" : "; ", look.short_label, ":");
    for (const ReportRun* run : DoneRuns(*dots.row)) {
      const auto it = run->values.find(page.definition);
      if (it == run->values.end() || !it->second.contains("total") ||
          !it->second.at("total"))
        continue;
      const double value = *it->second.at("total");
      svg.Mark(look.MarkClasses(), look.shape, x(value), y, 3.6,
               StrCat(look.short_label, ", seed ", run->seed, ": ",
                      Fixed(value, 2)));
      words += StrCat(" ", Fixed(value, 2));
    }
    y += kChartRow;
  }
  return svg.Chart(page.NextId(), "Total mAP of every run", words, "mid");
}

// ---- Curves
// ------------------------------------------------------------------

constexpr double kCurveWidth = 204, kCurveHeight = 156;
constexpr double kCurveLeft = 40, kCurveTop = 26, kCurveBottom = 24;

const ReportCurve* LossCurve(const ReportRun& run) {
  for (const ReportCurve& curve : run.curves) {
    const bool loss = curve.name == "loss" || curve.name.ends_with("/loss");
    if (loss && !curve.points.empty()) return &curve;
  }
  return nullptr;
}

using CurveOf = const ReportCurve* (*)(const ReportRun&);

struct CurveSet {
  CurveOf of;
  bool test;  ///< mAP of the test split: best and optimism are shown.
};

std::vector<const ReportCurve*> CurvesOf(const ReportRow& row, CurveOf of) {
  std::vector<const ReportCurve*> curves;
  for (const ReportRun* run : DoneRuns(row)) {
    if (const ReportCurve* curve = of(*run)) curves.push_back(curve);
  }
  return curves;
}

void DrawCurve(const Look& look, const ReportCurve& curve, const Scale& x,
               const Scale& y, bool test, Svg& svg) {
  std::vector<std::pair<double, double>> line;
  std::size_t best = 0;
  for (std::size_t i = 0; i < curve.points.size(); ++i) {
    line.emplace_back(x(static_cast<double>(curve.points[i].first)),
                      y(curve.points[i].second));
    if (curve.points[i].second > curve.points[best].second) best = i;
  }
  svg.Polyline(StrCat("ln mk thin ", look.Class()), line);
  if (!test) return;
  svg.OpenGroup(look.Class());
  svg.Circle("bt", line[best].first, line[best].second, 4.2);
  svg.CloseGroup();
  svg.Mark(look.MarkClasses(), look.shape, line.back().first,
           line.back().second, 2.8);
}

std::string CurvePanel(const DataPage& page, const ReportRow& row,
                       const CurveSet& set, const Extent& range) {
  const Look& look = page.looks.Of(row);
  const auto curves = CurvesOf(row, set.of);
  Extent steps;
  for (const ReportCurve* curve : curves) {
    steps.Add(static_cast<double>(curve->points.front().first));
    steps.Add(static_cast<double>(curve->points.back().first));
  }
  const Scale x(steps.lo, steps.hi, kCurveLeft, kCurveWidth - 14);
  const Scale y(range.hi, range.lo, kCurveTop, kCurveHeight - kCurveBottom);
  Svg svg(kCurveWidth, kCurveHeight);
  svg.Text(kCurveLeft, 14, Shorten(look.short_label, 22), "pt");
  for (const double tick : Ticks(range.lo, range.hi, 4)) {
    svg.HorizontalLine("grid", kCurveLeft, kCurveWidth - 8, y(tick));
    svg.Text(kCurveLeft - 5, y(tick) + 4, TickLabel(tick), "tick",
             Anchor::kEnd);
  }
  svg.Text(x(steps.lo), kCurveHeight - 10, Coord(steps.lo), "tick",
           Anchor::kMiddle);
  if (steps.hi > steps.lo) {
    svg.Text(x(steps.hi), kCurveHeight - 10, Coord(steps.hi), "tick",
             Anchor::kMiddle);
  }
  std::string words =
      StrCat(Count(static_cast<std::int64_t>(curves.size()), "seed"),
             ", steps ", Coord(steps.lo), " to ", Coord(steps.hi), "; last ");
  for (std::size_t i = 0; i < curves.size(); ++i) {
    DrawCurve(look, *curves[i], x, y, set.test, svg);
    words += StrCat(i ? ", " : "",
                    Fixed(curves[i]->points.back().second, set.test ? 1 : 3));
  }
  if (const Figure optimism = set.test ? OptimismOf(row) : Figure{}) {
    svg.Text(kCurveWidth - 8, kCurveHeight - kCurveBottom - 4,
             StrCat("optimism ", Signed(*optimism, 1)), "tick", Anchor::kEnd);
    words += StrCat("; best minus last ", Fixed(*optimism, 2));
  }
  return svg.Chart(
      page.NextId(),
      StrCat(set.test ? "Test mAP by epoch, " : "Training loss by epoch, ",
             row.label),
      words);
}

/// Small multiples on one scale; losses of different kinds get their own.
std::string Panels(const DataPage& page, const CurveSet& set) {
  Extent all;
  for (const ReportRow* row : page.ranked) {
    for (const ReportCurve* curve : CurvesOf(*row, set.of)) {
      for (const auto& point : curve->points) all.Add(point.second);
    }
  }
  if (all.empty) return "";
  std::string panels;
  for (const ReportRow* row : page.ranked) {
    const auto curves = CurvesOf(*row, set.of);
    if (curves.empty()) continue;
    Extent own;
    for (const ReportCurve* curve : curves) {
      for (const auto& point : curve->points) own.Add(point.second);
    }
    panels +=
        CurvePanel(page, *row, set,
                   (set.test ? all : own).Padded(0.05, set.test ? 1 : 1e-6));
  }
  return StrCat("<div class=\"multi five\">", panels, "</div>");
}

}  // namespace

std::optional<Section> SeedsAndTraining(const DataPage& page) {
  const auto dots = DotsOf(page);
  const std::string test = Panels(page, {TestCurve, true});
  const std::string loss = Panels(page, {LossCurve, false});
  if (dots.empty() && test.empty() && loss.empty()) return {};
  std::string body;
  if (!dots.empty()) {
    body += StrCat(
        "<figure><h3>Between seeds</h3><div class=\"scroll\" tabindex=\"0\" "
        "role=\"region\" aria-label=\"Chart: total mAP of every run\">",
        SeedChart(page, dots),
        "</div><figcaption>Total mAP; each mark is one run. The pale block is "
        "the 95 % prediction interval of one more seed, cut at the edges; few "
        "runs make it wide.</figcaption></figure>");
  }
  if (!test.empty()) {
    body +=
        "<h3>Test mAP by epoch</h3><p class=\"note\">Filled mark: the epoch "
        "reported (<code>last</code>). "
        "Ring: best on test, for the optimism only.</p>" +
        test;
  }
  if (!loss.empty()) {
    body +=
        "<h3>Training loss by epoch</h3><p class=\"note\">One line a seed; "
        "each panel has its own scale.</p>" +
        loss;
  }
  return Section{
      .id = "seeds",
      .name = "Seeds and training",
      .question =
          test.empty()
              ? "How much is luck?"
              : "How much is luck, and how much was choosing the epoch?",
      .answer = SeedsAnswer(page.data),
      .body = body};
}

}  // namespace tailmark::html
