#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "harness/base/error.h"
#include "harness/base/json.h"
#include "reports/render.h"
#include "tests/reports/markup.h"
#include "tests/reports/sample.h"

namespace tailmark {
namespace {

constexpr std::size_t kBudget = 150'000;

struct Page {
  const char* name;
  ReportModel model;
};

ReportModel Later() {
  ReportModel model = LargeModel(8, 24);
  for (ReportRow& row : model.datasets[0].rows) {
    for (const char* group : {"total", "head", "medium", "tail"}) {
      row.intervals[group] = {40, 60, "basic"};
      row.letters[group] = "a";
    }
  }
  model.datasets[0].rows.back().letters["total"] = "b";
  return model;
}

ReportModel TwoDatasets() {
  ReportModel model = SmallModel();
  model.datasets.push_back(model.datasets[0]);
  model.datasets[1].name = "another";
  return model;
}

std::vector<Page> Pages() {
  return {{"small", SmallModel()},
          {"24 classes", LargeModel(8, 24)},
          {"80 classes", LargeModel(8, 80)},
          {"hostile", HostileModel()},
          {"empty", EmptyModel()},
          {"nothing", ReportModel{}},
          {"two data sets", TwoDatasets()},
          {"one method", LargeModel(1, 3)},
          {"no method", LargeModel(0, 3)},
          {"one class", LargeModel(3, 1)},
          {"intervals", Later()}};
}

std::vector<Element> Parsed(const std::string& html) {
  std::vector<Element> elements;
  EXPECT_EQ(CheckMarkup(html, &elements), "");
  return elements;
}

TEST(Markup, TheReaderSeesWhatIsWrong) {
  std::vector<Element> elements;
  EXPECT_EQ(CheckMarkup("<p a=\"b\">x &amp; y<br></p>", &elements), "");
  EXPECT_NE(CheckMarkup("<p>x & y</p>", &elements), "");
  EXPECT_NE(CheckMarkup("<p><b>x</p></b>", &elements), "");
  EXPECT_NE(CheckMarkup("<p>", &elements), "");
  EXPECT_NE(CheckMarkup("<p a=b></p>", &elements), "");
  EXPECT_NE(CheckMarkup("<p a=\"1\" a=\"2\"></p>", &elements), "");
  EXPECT_NE(CheckMarkup("<p a=\"<\"></p>", &elements), "");
}

TEST(HtmlReport, IsWellFormedWhateverTheModel) {
  for (const Page& page : Pages()) {
    SCOPED_TRACE(page.name);
    EXPECT_GT(Parsed(RenderHtml(page.model)).size(), 10u);
  }
}

TEST(HtmlReport, HasNoIdTwiceAndNoLinkThatLeadsNowhere) {
  for (const Page& page : Pages()) {
    SCOPED_TRACE(page.name);
    std::set<std::string> ids;
    std::vector<std::string> targets;
    for (const Element& element : Parsed(RenderHtml(page.model))) {
      for (const auto& [name, value] : element.attributes) {
        if (name == "id") {
          EXPECT_TRUE(ids.insert(value).second) << value;
        }
        if (name == "href") {
          ASSERT_TRUE(value.starts_with('#')) << value;
          targets.push_back(value.substr(1));
        }
        if (name.starts_with("aria-labelledby")) {
          std::istringstream words(value);
          for (std::string word; words >> word;) targets.push_back(word);
        }
      }
    }
    for (const std::string& target : targets)
      EXPECT_TRUE(ids.contains(target)) << target;
  }
}

TEST(HtmlReport, LoadsNothingFromAnywhere) {
  for (const Page& page : Pages()) {
    const std::string html = RenderHtml(page.model);
    for (const char* word :
         {"http:", "https:", "src=", "@import", "url(", "<link", "<iframe"}) {
      EXPECT_EQ(html.find(word), std::string::npos)
          << page.name << ": " << word;
    }
  }
}

TEST(HtmlReport, EveryChartIsAnImageWithTitleAndFigures) {
  std::size_t charts = 0;
  const auto elements = Parsed(RenderHtml(LargeModel(8, 24)));
  for (std::size_t i = 0; i + 2 < elements.size(); ++i) {
    const auto& attributes = elements[i].attributes;
    if (elements[i].name != "svg") continue;
    if (attributes.contains("aria-hidden")) continue;
    ++charts;
    EXPECT_EQ(attributes.at("role"), "img");
    EXPECT_EQ(elements[i + 1].name, "title");
    EXPECT_EQ(elements[i + 2].name, "desc");
  }
  EXPECT_GE(charts, 12u);
}

TEST(HtmlReport, EveryTableHasACaptionAndScopedHeads) {
  std::size_t tables = 0, captions = 0;
  for (const Element& element : Parsed(RenderHtml(SmallModel()))) {
    tables += element.name == "table" ? 1 : 0;
    captions += element.name == "caption" ? 1 : 0;
    if (element.name == "th") {
      EXPECT_TRUE(element.attributes.contains("scope"));
    }
  }
  EXPECT_GE(tables, 8u);
  EXPECT_EQ(tables, captions);
}

TEST(HtmlReport, OfEightMethodsAnd24ClassesKeepsItsBudget) {
  EXPECT_LT(RenderHtml(LargeModel(8, 24)).size(), kBudget);
  EXPECT_LT(RenderHtml(Later()).size(), kBudget);
}

TEST(HtmlReport, Of80ClassesStaysNearIt) {
  EXPECT_LT(RenderHtml(LargeModel(8, 80)).size(), kBudget * 11 / 10);
}

TEST(HtmlReport, LetsNoMarkupOfANameThrough) {
  const std::string html = RenderHtml(HostileModel());
  EXPECT_EQ(html.find("<script>alert"), std::string::npos);
  EXPECT_EQ(html.find('\x1b'), std::string::npos);
  EXPECT_NE(html.find("&lt;script&gt;alert(&#39;x&#39;)"), std::string::npos);
}

TEST(HtmlReport, NamesWhatIsMissingWithReasonAndCommand) {
  const std::string html = RenderHtml(SmallModel());
  EXPECT_NE(html.find("timeout: 600 s wall time, epoch 3 of 5"),
            std::string::npos);
  EXPECT_NE(html.find("--only method=lmpt --rerun oom"), std::string::npos);
  EXPECT_NE(html.find("2 of 3"), std::string::npos);
  EXPECT_NE(html.find("b-partial"), std::string::npos);
}

TEST(HtmlReport, RanksNoBrandedRow) {
  ReportModel model = SmallModel();
  ReportRow& partial = model.datasets[0].rows[3];
  ASSERT_EQ(partial.brands.front(), "partial");
  for (ReportRun& run : partial.runs)
    run.values.begin()->second["total"] = 99.9;
  const std::string html = RenderHtml(model);
  EXPECT_NE(html.find("Linear probe, loss bce reaches 53.1 mAP"),
            std::string::npos);
  EXPECT_EQ(html.find("<u>99.9</u>"), std::string::npos);
}

TEST(HtmlReport, IsBoldOnlyWhereTheBestStandsAlone) {
  ReportModel model = SmallModel();
  EXPECT_EQ(RenderHtml(model).find("<b>53.1</b>"), std::string::npos);
  ReportDataset& dataset = model.datasets[0];
  dataset.rows[0].letters = {{"total", "b"}, {"head", "a"}};
  dataset.rows[1].letters = {{"total", "a"}, {"head", "a"}};
  const std::string html = RenderHtml(model);
  EXPECT_NE(html.find("<b>53.1</b>"),
            std::string::npos);  // alone with its letter
  EXPECT_NE(html.find("<u>70.2</u>"), std::string::npos);  // shares one
}

TEST(HtmlReport, NeverShowsAnUndefinedFigureAsZero) {
  ReportModel model = LargeModel(2, 3);
  for (ReportRow& row : model.datasets[0].rows) {
    for (ReportRun& run : row.runs) {
      for (auto& [definition, groups] : run.values)
        groups["tail"] = std::nullopt;
      run.class_ap[2] = std::nullopt;
    }
  }
  const std::string html = RenderHtml(model);
  EXPECT_NE(html.find("data-l=\"tail\"><span class=\"na\">\u2013"),
            std::string::npos);
  EXPECT_EQ(html.find("data-l=\"tail\" data-v"), std::string::npos);
  EXPECT_NE(html.find("<td class=\"h na\">\u2013"), std::string::npos);
}

TEST(Reports, OfEqualModelsAreEqualBytes) {
  for (const ReportFormat& format : ReportFormats()) {
    EXPECT_EQ(format.render(Later()), format.render(Later())) << format.name;
  }
}

/// A row that contradicts itself and one that came out.
std::vector<ReportPublished> PrintedRows() {
  ReportPublished swapped{.source = "paper",
                          .table = "table1",
                          .title = "Recognition <b>",
                          .row = "Ours & theirs",
                          .dataset = "embedded",
                          .status = "primary",
                          .verdict = "table inconsistent",
                          .reason = "off by 0.3",
                          .group_mean = 75.881};
  swapped.lint = {{"swap", "(22 x 72.05 + 33 x 79.12) / 80 = 76.19"}};
  swapped.cells = {{.column = "total", .printed = 76.19, .decimals = 2}};
  ReportPublished good = swapped;
  good.row = "Good";
  good.lint.clear();
  good.definition = "ap.rank/difficult=positive/empty=keep/nopos=exclude/v1";
  good.selection = "best_on_test";
  good.verdict = "reproduced";
  good.cells[0].theirs = 76.31;
  good.cells[0].sd = 0.2;
  good.cells[0].runs = 5;
  good.cells[0].difference = 0.12;
  good.cells[0].ours = 75.9;
  return {swapped, good};
}

TEST(Html, PublishedRowsStandBesideOursWithLintArithmeticAndVerdict) {
  ReportModel model = SmallModel();
  EXPECT_EQ(RenderHtml(model).find("id=\"published\""), std::string::npos);
  model.datasets[0].published = PrintedRows();
  const std::string html = RenderHtml(model);
  for (const char* part :
       {"Do we find what the papers print?", "Ours &amp; theirs",
        "Recognition &lt;b&gt;", "pill v-table-inconsistent",
        "pill v-reproduced", "class=\"n sus\" data-v=\"75.881\"",
        "(22 x 72.05 + 33 x 79.12) / 80 = 76.19", "\u00b1 0.20", "n = 5",
        "+0.1", "best epoch on test", "<details>",
        "1 reproduced and 1 table inconsistent"}) {
    EXPECT_NE(html.find(part), std::string::npos) << part;
  }
  EXPECT_FALSE(Parsed(html).empty());
  const std::string markdown = RenderMarkdown(model);
  EXPECT_NE(markdown.find("76.31 \u00b1 0.20 (5)"), std::string::npos);
  const Json json = Json::parse(RenderJson(model));
  EXPECT_EQ(json["datasets"][0]["published"][1]["cells"][0]["theirs"], 76.31);
}

}  // namespace
}  // namespace tailmark
