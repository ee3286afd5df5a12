#include <gtest/gtest.h>

#include <charconv>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/json.h"
#include "reports/render.h"
#include "tests/reports/sample.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;

const fs::path kExpected =
    fs::path(TM_SOURCE_DIR) / "tests" / "reports" / "expected";

/// The texts that people read line by line are kept; written anew with
/// TAILMARK_WRITE_EXPECTED=1, and then looked at.
TEST(Reports, OfTheSmallModelAreAsKept) {
  for (const ReportFormat& format : ReportFormats()) {
    const fs::path path = kExpected / StrCat("report.", format.name);
    const std::string text = format.render(SmallModel());
    if (std::getenv("TAILMARK_WRITE_EXPECTED") != nullptr)
      WriteFileAtomic(path, text);
    EXPECT_EQ(text, ReadFile(path)) << format.name;
  }
}

/// Rows of fields, as RFC 4180 says.
std::vector<std::vector<std::string>> ParseCsv(const std::string& text) {
  std::vector<std::vector<std::string>> rows = {{""}};
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c != '"') {
        rows.back().back() += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        rows.back().back() += text[++i];
      } else {
        quoted = false;
      }
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',') {
      rows.back().emplace_back();
    } else if (c == '\r') {
      ++i;
      rows.push_back({""});
    } else {
      rows.back().back() += c;
    }
  }
  rows.pop_back();
  return rows;
}

double Number(const std::string& text) {
  double value = 0;
  const auto end =
      std::from_chars(text.data(), text.data() + text.size(), value);
  EXPECT_EQ(end.ptr, text.data() + text.size()) << text;
  return value;
}

TEST(CsvReport, KeepsEveryFigureToTheLastBit) {
  const ReportModel model = LargeModel(3, 7);
  std::map<std::string, double> read;  // label, seed, definition, group
  std::size_t class_lines = 0;
  for (const auto& row : ParseCsv(RenderCsv(model))) {
    ASSERT_EQ(row.size(), 14u);
    if (row[12] == "map_percent")
      read[row[2] + row[5] + row[9] + row[10]] = Number(row[13]);
    class_lines += row[12] == "ap_percent" ? 1 : 0;
  }
  std::size_t compared = 0;
  for (const ReportRow& row : model.datasets[0].rows) {
    for (const ReportRun& run : row.runs) {
      for (const auto& [definition, groups] : run.values) {
        for (const auto& [group, value] : groups) {
          EXPECT_EQ(read.at(row.label + StrCat(run.seed) + definition + group),
                    *value);
          ++compared;
        }
      }
    }
  }
  EXPECT_GT(compared, 30u);
  EXPECT_EQ(class_lines, 3u * 3u * 7u);
}

TEST(CsvReport, HoldsHostileNamesInOneFieldEach) {
  const auto rows = ParseCsv(RenderCsv(HostileModel()));
  ASSERT_GT(rows.size(), 10u);
  for (const auto& row : rows) ASSERT_EQ(row.size(), 14u);
}

TEST(CsvReport, LeavesUndefinedFiguresEmptyAndNamesMissingRuns) {
  bool undefined = false, missing = false;
  for (const auto& row : ParseCsv(RenderCsv(SmallModel()))) {
    undefined = undefined || (row[1] == "label_prior" && row[10] == "tail" &&
                              row[13].empty());
    missing =
        missing || (row[7] == "oom" && row[8] == "worker grew above 2 GiB" &&
                    row[13].empty());
  }
  EXPECT_TRUE(undefined);
  EXPECT_TRUE(missing);
}

TEST(JsonReport, KeepsEveryFigureToTheLastBit) {
  const ReportModel model = LargeModel(3, 7);
  const Json json = ParseJson(RenderJson(model), "report.json");
  EXPECT_EQ(json.at("schema"), "tailmark-report/1");
  const Json& rows = json.at("datasets").at(0).at("rows");
  ASSERT_EQ(rows.size(), 3u);
  for (std::size_t r = 0; r < 3; ++r) {
    for (std::size_t s = 0; s < 3; ++s) {
      const ReportRun& run = model.datasets[0].rows[r].runs[s];
      const Json& read = rows.at(r).at("runs").at(s);
      for (std::size_t c = 0; c < 7; ++c)
        EXPECT_EQ(read.at("class_ap").at(c).get<double>(), *run.class_ap[c]);
      for (const auto& [definition, groups] : run.values) {
        for (const auto& [group, value] : groups) {
          EXPECT_EQ(read.at("metrics").at(definition).at(group).get<double>(),
                    *value);
        }
      }
    }
  }
}

TEST(JsonReport, WritesNullForUndefinedAndTakesHostileNames) {
  const Json small = ParseJson(RenderJson(SmallModel()), "report.json");
  EXPECT_TRUE(small.at("datasets")
                  .at(0)
                  .at("rows")
                  .at(2)
                  .at("summary")
                  .at("tail")
                  .at("mean")
                  .is_null());
  const Json hostile = ParseJson(RenderJson(HostileModel()), "report.json");
  EXPECT_NE(hostile.at("campaign").get<std::string>().find("<script>"),
            std::string::npos);
}

/// Braces and environments that open and close, no bare special character.
std::string CheckLatex(const std::string& text) {
  std::vector<std::string> open;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('%') || line.starts_with("\\providecommand")) continue;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const char c = line[i];
      if (c == '\\' && i + 1 < line.size()) {
        if (line.compare(i, 7, "\\begin{") == 0) open.push_back("begin");
        if (line.compare(i, 5, "\\end{") == 0) {
          if (open.empty() || open.back() != "begin")
            return "\\end without \\begin: " + line;
          open.pop_back();
        }
        const bool letter =
            std::isalpha(static_cast<unsigned char>(line[i + 1])) != 0;
        i += letter ? 0 : 1;
        continue;
      }
      if (c == '{') open.push_back("{");
      if (c == '}') {
        if (open.empty() || open.back() != "{") return "} without {: " + line;
        open.pop_back();
      }
      if (std::string_view("%#_^~").find(c) != std::string_view::npos)
        return StrCat("bare ", c, ": ", line);
    }
  }
  return open.empty() ? "" : "something is left open";
}

TEST(LatexReport, IsBalancedWhateverTheNames) {
  EXPECT_NE(CheckLatex("\\begin{a} }"), "");
  EXPECT_NE(CheckLatex("a_b"), "");
  EXPECT_EQ(CheckLatex(RenderLatex(SmallModel())), "");
  EXPECT_EQ(CheckLatex(RenderLatex(HostileModel())), "");
  EXPECT_EQ(CheckLatex(RenderLatex(EmptyModel())), "");
  EXPECT_EQ(CheckLatex(RenderLatex(ReportModel{})), "");
}

TEST(LatexReport, DefinesEveryCommandOnceAndWithLettersOnly) {
  ReportModel model = LargeModel(40, 3);
  for (ReportRow& row : model.datasets[0].rows)
    row.short_label = "\u4e2d\u6587";  // no Latin letter
  std::set<std::string> names;
  std::istringstream in(RenderLatex(model));
  for (std::string line; std::getline(in, line);) {
    constexpr std::string_view kStart = "\\newcommand{\\";
    if (!line.starts_with(kStart)) continue;
    const std::string name =
        line.substr(kStart.size(), line.find('}') - kStart.size());
    EXPECT_TRUE(names.insert(name).second) << name;
    for (const char c : name)
      EXPECT_TRUE(std::isalpha(static_cast<unsigned char>(c))) << name;
  }
  EXPECT_GT(names.size(), 40u * 4);
}

TEST(LatexReport, NamesCommandsAsPapersCiteThem) {
  ReportModel model = SmallModel();
  model.datasets[0].name = "coco-lt";
  model.datasets[0].rows[1].short_label = "LMPT";
  EXPECT_NE(
      RenderLatex(model).find("\\newcommand{\\tailmarkCocoLtLmptTail}{37.2}"),
      std::string::npos);
}

TEST(MarkdownReport, KeepsItsTablesWhateverTheNames) {
  std::size_t columns = 0;
  std::istringstream in(RenderMarkdown(HostileModel()));
  for (std::string line; std::getline(in, line);) {
    EXPECT_EQ(line.find("<script>"), std::string::npos);
    if (!line.starts_with("|")) {
      columns = 0;
      continue;
    }
    std::size_t bars = 0;
    for (std::size_t i = 0; i < line.size(); ++i)
      bars += line[i] == '|' && (i == 0 || line[i - 1] != '\\') ? 1 : 0;
    if (columns == 0) columns = bars;
    EXPECT_EQ(bars, columns) << line;
  }
}

TEST(WriteReports, WritesWhatIsAskedForAndNothingForAWrongWord) {
  const fs::path folder =
      fs::path(::testing::TempDir()) / "tailmark_write_reports";
  fs::remove_all(folder);
  EXPECT_THROW(
      {
        try {
          WriteReports(SmallModel(), {"html", "htm"}, folder);
        } catch (const ConfigError& error) {
          EXPECT_NE(std::string(error.what()).find("did you mean 'html'"),
                    std::string::npos)
              << error.what();
          throw;
        }
      },
      ConfigError);
  EXPECT_FALSE(fs::exists(folder));
  const auto paths = WriteReports(SmallModel(), {"md", "csv"}, folder);
  ASSERT_EQ(paths.size(), 2u);
  EXPECT_EQ(paths[0], folder / "report.md");
  EXPECT_EQ(ReadFile(paths[1]), RenderCsv(SmallModel()));
  fs::remove_all(folder);
}

}  // namespace
}  // namespace tailmark
