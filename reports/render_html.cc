#include <array>
#include <set>

#include "harness/base/error.h"
#include "reports/answers.h"
#include "reports/html/assets.h"
#include "reports/html/page.h"
#include "reports/render.h"
#include "reports/summary.h"
#include "reports/text.h"

namespace tailmark {
namespace {

using html::DataPage;
using html::Section;

/// In the order of the page.
constexpr std::array kSections = {
    html::Leaderboard,      html::GroupProfile, html::ApAgainstCount,
    html::ClassByClass,     html::Definitions,  html::PublishedAndReproduced,
    html::SeedsAndTraining, html::LabelGraph,   html::Cost,
    html::FairnessLedger,   html::TestLedger};

/// A section with its place on the page.
struct Placed {
  Section section;
  std::string id;
  std::size_t dataset =
      0;  ///< Index, or the number of data sets: of the model.
};

std::string Replaced(std::string text, std::string_view what,
                     std::string_view by) {
  for (auto at = text.find(what); at != text.npos;
       at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
  return text;
}

/// Without line breaks, indentation and comments on lines of their own.
std::string Compact(std::string_view text, std::string_view comment,
                    bool join) {
  std::string out;
  while (!text.empty()) {
    const auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    const auto start = line.find_first_not_of(' ');
    line = start == line.npos ? "" : line.substr(start);
    if (line.empty() || line.starts_with(comment)) continue;
    out += line;
    if (!join) out += '\n';
  }
  return out;
}

std::string Styles(const Looks& looks) {
  const std::string light = Compact(html::kLightTokens, "/* ", true);
  const std::string dark = Compact(html::kDarkTokens, "/* ", true);
  std::string css = StrCat(
      ":root{", light, "}@media(prefers-color-scheme:dark){:root{", dark, "}}");
  for (const Look& look : looks.all())
    css += StrCat(".", look.Class(), "{--c:var(--", look.colour, ")}");
  css += Replaced(Compact(html::kPageCss, "/* ", true), "/*LIGHT*/", light);
  for (const Look& look : looks.all()) {
    const std::string m = look.Class();
    css += StrCat(":root:has(#hl-", look.number,
                  ":checked) :is(svg.chart .mk:not(.", m, "):not(.", m,
                  " *),.row:not(.", m, ")){opacity:var(--dim)}");
  }
  return css;
}

/// Every mark once; tables and bars refer to it.
std::string Glyphs(const Looks& looks) {
  Svg svg(0, 0);
  for (const Look& look : looks.all()) {
    svg.Raw(StrCat("<g id=\"g-", look.number, "\">"));
    svg.Mark(look.MarkClasses(), look.shape, 7, 7, 4.6);
    svg.CloseGroup();
  }
  return StrCat(
      "<svg width=\"0\" height=\"0\" aria-hidden=\"true\" "
      "style=\"position:absolute\"><defs>",
      svg.body(), "</defs></svg>");
}

std::string Title(const ReportModel& model) {
  std::string names;
  for (const ReportDataset& dataset : model.datasets) {
    names += StrCat(names.empty() ? " on " : ", ", dataset.name);
  }
  return StrCat(
      model.campaign.empty() ? "Results" : StrCat("Campaign ", model.campaign),
      names);
}

std::vector<Placed> Place(const ReportModel& model, const Looks& looks) {
  std::vector<Placed> all;
  int ids = 0;
  for (std::size_t d = 0; d < model.datasets.size(); ++d) {
    const ReportDataset& dataset = model.datasets[d];
    DataPage page{.data = dataset,
                  .looks = looks,
                  .definition = DefaultDefinition(dataset),
                  .ranked = {},
                  .baseline = BaselineOf(dataset),
                  .suffix = d == 0 ? "" : StrCat("-", d + 1),
                  .ids = &ids};
    for (const std::size_t i : RankedRows(dataset, page.definition)) {
      page.ranked.push_back(&dataset.rows[i]);
    }
    for (const auto& make : kSections) {
      if (auto section = make(page)) {
        all.push_back({*section, section->id + page.suffix, d});
      }
    }
  }
  if (auto section = html::Provenance(model, looks, &ids)) {
    all.push_back({*section, section->id, model.datasets.size()});
  }
  return all;
}

/// True at the first section of a data set, where there are several.
bool StartsDataset(const ReportModel& model, const std::vector<Placed>& all,
                   std::size_t i) {
  return model.datasets.size() > 1 &&
         (i == 0 || all[i].dataset != all[i - 1].dataset);
}

std::string Navigation(const ReportModel& model,
                       const std::vector<Placed>& all) {
  std::string out;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::size_t d = all[i].dataset;
    if (StartsDataset(model, all, i)) {
      out +=
          StrCat("<b>",
                 d < model.datasets.size() ? EscapeHtml(model.datasets[d].name)
                                           : "all",
                 "</b>");
    }
    out += StrCat("<a href=\"#", all[i].id, "\"><span>", i + 1, "</span>",
                  EscapeHtml(all[i].section.name), "</a>");
  }
  return out;
}

std::string Highlighter(const ReportModel& model, const Looks& looks) {
  std::set<std::string> ranked;
  for (const ReportDataset& dataset : model.datasets) {
    for (const std::size_t i :
         RankedRows(dataset, DefaultDefinition(dataset))) {
      ranked.insert(dataset.rows[i].label);
    }
  }
  if (ranked.size() < 2) return "";
  std::string out =
      "<fieldset class=\"hl\"><legend>Highlight</legend><label><input "
      "type=\"radio\" name=\"hl\" "
      "checked><span>all</span></label>";
  for (const Look& look : looks.all()) {
    if (!ranked.contains(look.label)) continue;
    out +=
        StrCat("<label><input type=\"radio\" name=\"hl\" id=\"hl-", look.number,
               "\">", html::Chip(look, look.short_label), "</label>");
  }
  return out + "</fieldset>";
}

std::string Main(const ReportModel& model, const std::vector<Placed>& all) {
  std::string out;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& [section, id, d] = all[i];
    if (StartsDataset(model, all, i) && d < model.datasets.size()) {
      out += StrCat("<p class=\"data\">", EscapeHtml(model.datasets[d].name),
                    "</p>");
    }
    out += StrCat("<section id=\"", id, "\" aria-labelledby=\"h-", id,
                  "\"><p class=\"kicker\">", i + 1, " \u00b7 ",
                  EscapeHtml(section.name), "</p><h2 id=\"h-", id, "\">",
                  EscapeHtml(section.question), "</h2>");
    if (!section.answer.empty())
      out += StrCat("<p class=\"answer\">", EscapeHtml(section.answer), "</p>");
    out += section.body + "</section>\n";
  }
  return out;
}

}  // namespace

std::string RenderHtml(const ReportModel& model) {
  const Looks looks(model);
  const auto sections = Place(model, looks);
  const std::string title = EscapeHtml(Title(model));
  return StrCat(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta "
      "name=\"viewport\" "
      "content=\"width=device-width,initial-scale=1\"><meta "
      "name=\"color-scheme\" content=\"light dark\">\n"
      "<title>Tailmark report: ",
      title, "</title><style>", Styles(looks), "</style></head><body>",
      Glyphs(looks),
      "\n<a class=\"skip\" href=\"#main\">Skip to the results</a>\n<header><p "
      "class=\"brandline\"><b>Tailmark</b> report</p><h1>",
      title, "</h1><p class=\"finding\">", EscapeHtml(FindingOf(model)), "</p>",
      html::Meta(model), "</header>\n<nav aria-label=\"Sections\">",
      Navigation(model, sections), "</nav>", Highlighter(model, looks),
      "<main id=\"main\">\n", Main(model, sections),
      "</main><footer><p>mAP and AP in percent. Spread (\u00b1) is the "
      "standard "
      "deviation over training seeds; it says nothing about other test "
      "pictures. An undefined figure is "
      "\u2013, never 0.</p></footer><script>",
      Compact(html::kPageJs, "//", false), "</script></body></html>\n");
}

}  // namespace tailmark
