#include "reports/gate_report.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace tailmark {
namespace {

GateReport Sample() {
  GateReport report{.baseline = "main",
                    .accepted_utc = "2026-01-31T12:00:00Z",
                    .why = "first <release> & all",
                    .campaign = "night"};
  const auto cell = [](const char* group, Outcome outcome, double now) {
    return GateCell{.group = group,
                    .outcome = outcome,
                    .tier = Tier::kImages,
                    .test = "paired image bootstrap",
                    .reference = 60,
                    .candidate = now,
                    .difference = now - 60,
                    .interval = Interval{now - 60.5, now - 59.5},
                    .p = 0.01,
                    .p_adjusted = 0.04,
                    .mde = 0.5,
                    .margin = 0.3,
                    .reason = outcome == Outcome::kPass ? "" : "because \"x\""};
  };
  report.rows.push_back({.dataset = "embedded",
                         .label = "probe a|b",
                         .definition = "ap.step",
                         .cells = {cell("total", Outcome::kRegression, 58),
                                   cell("head", Outcome::kPass, 60),
                                   cell("tail", Outcome::kTooGood, 63)}});
  report.rows.push_back(
      {.dataset = "embedded",
       .label = "gone",
       .definition = "",
       .cells = {{.group = "total",
                  .outcome = Outcome::kMissing,
                  .reason = "the campaign does not ask for it"}}});
  report.rows.push_back(
      {.dataset = "embedded",
       .label = "fresh",
       .definition = "",
       .cells = {
           {.group = "total", .outcome = Outcome::kNew, .reason = "new"}}});
  FinishGate(report);
  return report;
}

TEST(GateReport, CountsWhatWasCompared) {
  EXPECT_EQ(Sample().Compared(), 3);
  EXPECT_EQ(Sample().Outcomes().size(), 5U);
  EXPECT_EQ(Sample().rows[0].p_table, 0.01);
  EXPECT_FALSE(Sample().rows[1].p_table);
}

TEST(GateReport, JunitSaysWhichCellsFailed) {
  const std::string xml = GateJunit(Sample(), false);
  EXPECT_NE(xml.find("<testsuites name=\"tailmark check main\" tests=\"5\" "
                     "failures=\"1\" errors=\"1\" skipped=\"1\">"),
            std::string::npos)
      << xml;
  EXPECT_NE(xml.find("<failure message=\"regression: because &quot;x&quot;\""),
            std::string::npos);
  EXPECT_NE(xml.find("<error message=\"missing: "), std::string::npos);
  EXPECT_NE(xml.find("<skipped message=\"new: new\""), std::string::npos);
  EXPECT_NE(GateJunit(Sample(), true).find("failures=\"2\""),
            std::string::npos);
}

TEST(GateReport, JunitIsValidByItsSchema) {
  if (std::system("xmllint --version >/dev/null 2>&1") != 0) {
    GTEST_SKIP() << "no xmllint";
  }
  const auto file =
      std::filesystem::path(::testing::TempDir()) / "gate_junit.xml";
  std::ofstream(file) << GateJunit(Sample(), false);
  const std::string command = "xmllint --noout --schema " TM_JUNIT_XSD " " +
                              file.string() + " 2>/dev/null";
  EXPECT_EQ(std::system(command.c_str()), 0);
  std::ofstream(file) << "<testsuites><wrong/></testsuites>";
  EXPECT_NE(std::system(command.c_str()), 0);
  std::filesystem::remove(file);
}

TEST(GateReport, MarkdownKeepsBarsOutOfItsTable) {
  const std::string text = GateMarkdown(Sample());
  EXPECT_NE(text.find("probe a\\|b"), std::string::npos);
  EXPECT_NE(text.find("**regression**"), std::string::npos);
  EXPECT_NE(text.find("| -2.00 |"), std::string::npos);
}

TEST(GateReport, JsonKeepsEveryDigit) {
  const OrderedJson json = GateJson(Sample(), 1);
  EXPECT_EQ(json["exit_code"], 1);
  EXPECT_EQ(json["compared"], 3);
  EXPECT_EQ(json["outcomes"]["regression"], 1);
  EXPECT_EQ(json["rows"][0]["cells"][0]["difference"], -2.0);
  EXPECT_TRUE(json["rows"][1]["cells"][0]["difference"].is_null());
}

}  // namespace
}  // namespace tailmark
