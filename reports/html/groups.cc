#include <algorithm>

#include "harness/base/error.h"
#include "reports/answers.h"
#include "reports/html/page.h"
#include "reports/summary.h"
#include "reports/text.h"

namespace tailmark::html {
namespace {

constexpr double kGroupWidth = 340;
constexpr double kGroupTop = 30;

/// "8 classes, n 121–900".
std::string SizeOf(const ReportDataset& data, const std::string& group) {
  std::int64_t classes = 0, least = 0, most = 0;
  for (const ReportClass& each : data.classes) {
    if (each.group != group) continue;
    least = classes == 0 ? each.train_positives
                         : std::min(least, each.train_positives);
    most = std::max(most, each.train_positives);
    ++classes;
  }
  std::string out = Count(classes, "class", "classes");
  if (classes > 0) {
    out += least == most
               ? StrCat(", n ", Thousands(least))
               : StrCat(", n ", Thousands(least), "\u2013", Thousands(most));
  }
  return out;
}

struct Profile {
  const DataPage& page;
  NameColumn names;
  Scale x;
  std::vector<double> ticks;
};

Profile MakeProfile(const DataPage& page) {
  Extent extent;
  for (const ReportRow* row : page.ranked) {
    for (const std::string& group : page.data.groups) {
      if (const Figure mean = MeanOf(*row, page.definition, group))
        extent.Add(*mean);
      for (const double v : SeedValues(*row, page.definition, group))
        extent.Add(v);
      if (const auto it = row->intervals.find(group);
          it != row->intervals.end()) {
        extent.Add(it->second.lo);
        extent.Add(it->second.hi);
      }
    }
  }
  const Extent shown = extent.Padded(0.06, 1);
  const NameColumn names = NamesOf(page.ranked, page.looks);
  return {page, names, Scale(shown.lo, shown.hi, names.width, kGroupWidth - 34),
          Ticks(shown.lo, shown.hi, 6)};
}

void DrawRow(const Profile& profile, const ReportRow& row,
             const std::string& group, double y, Svg& svg, std::string& words) {
  const DataPage& page = profile.page;
  const Look& look = page.looks.Of(row);
  svg.OpenGroup(StrCat("mk ", look.Class()));
  svg.Text(profile.names.width - 8, y + 4,
           Shorten(look.short_label, profile.names.letters), "", Anchor::kEnd);
  const Figure mean = MeanOf(row, page.definition, group);
  if (!mean) {
    svg.Text(profile.names.width, y + 4, "\u2013", "tick");
    svg.CloseGroup();
    return;
  }
  double right = profile.x(*mean) + 5;
  std::string figures = StrCat(row.label, " ", Fixed(*mean, 1));
  if (const auto it = row.intervals.find(group); it != row.intervals.end()) {
    svg.HorizontalLine("iv", profile.x(it->second.lo), profile.x(it->second.hi),
                       y);
    right = std::max(right, profile.x(it->second.hi));
    figures += StrCat(" (", Fixed(it->second.lo, 1), " to ",
                      Fixed(it->second.hi, 1), ")");
  }
  const auto seeds = SeedValues(row, page.definition, group);
  if (seeds.size() > 1) {
    std::string d;
    for (const double v : seeds)
      d += StrCat("M", Coord(profile.x(v)), " ", Coord(y + 8), "h0");
    svg.Path("seed", d);
  }
  svg.Text(right + 5, y + 4, Fixed(*mean, 1), "val");
  svg.CloseGroup();
  svg.Mark(look.MarkClasses(), look.shape, profile.x(*mean), y, 5, figures);
  words += StrCat(words.empty() ? "" : "; ", figures);
}

std::string DrawGroup(const Profile& profile, const std::string& group) {
  const DataPage& page = profile.page;
  const double height =
      kGroupTop + kChartRow * static_cast<double>(page.ranked.size()) + 26;
  Svg svg(kGroupWidth, height);
  std::string title = group;
  if (!title.empty() && title[0] >= 'a' && title[0] <= 'z')
    title[0] = static_cast<char>(title[0] - 32);
  svg.Text(profile.names.width, 14, title, "pt");
  svg.Text(kGroupWidth - 12, 14, SizeOf(page.data, group), "tick",
           Anchor::kEnd);
  for (const double tick : profile.ticks) {
    svg.VerticalLine("grid", profile.x(tick), kGroupTop - 8, height - 24);
    svg.Text(profile.x(tick), height - 8, TickLabel(tick), "tick",
             Anchor::kMiddle);
  }
  if (page.baseline) {
    if (const Figure zero = MeanOf(*page.baseline, page.definition, group)) {
      svg.VerticalLine("ref", profile.x(*zero), kGroupTop - 8, height - 24);
    }
  }
  std::string words;
  double y = kGroupTop + 6;
  for (const ReportRow* row : page.ranked) {
    DrawRow(profile, *row, group, y, svg, words);
    y += kChartRow;
  }
  return svg.Chart(page.NextId(), StrCat("mAP of the ", group, " classes"),
                   words);
}

}  // namespace

std::optional<Section> GroupProfile(const DataPage& page) {
  if (page.ranked.empty() || page.data.groups.empty()) return {};
  const Profile profile = MakeProfile(page);
  std::string charts;
  for (const std::string& group : page.data.groups)
    charts += DrawGroup(profile, group);
  return Section{
      .id = "groups",
      .name = "Groups",
      .question = "Who gains where?",
      .answer = GroupsAnswer(page.data),
      .body = StrCat(
          "<div class=\"multi\">", charts,
          "</div><p class=\"note\">mAP in percent; n: training pictures of "
          "a class. Small dots: single seeds.</p>")};
}

}  // namespace tailmark::html
