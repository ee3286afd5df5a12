// Compiles reports with pdflatex, as authors do.

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <string>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "reports/render.h"
#include "tests/reports/sample.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;

/// Uses every command that a report defines: tables, or all others.
std::string UsesOf(const std::string& report, bool tables) {
  std::string uses;
  const std::string define = "\\newcommand{\\";
  for (auto at = report.find(define); at != report.npos;
       at = report.find(define, at + 1)) {
    const auto from = at + define.size();
    const std::string name = report.substr(from, report.find('}', at) - from);
    if (name.ends_with("Table") == tables) {
      uses += StrCat("\\", name, "{}\n\n");
    }
  }
  return uses;
}

class Latex : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::system("pdflatex --version >/dev/null 2>&1") != 0) {
      GTEST_SKIP() << "no pdflatex on PATH (texlive-latex-base)";
    }
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ =
        fs::path(::testing::TempDir()) / StrCat("tailmark_tex_", info->name());
    fs::remove_all(folder_);
    MakeFolders(folder_);
  }
  void TearDown() override {
    if (!folder_.empty()) fs::remove_all(folder_);
  }

  /// Every command and table of `model` on paper; what the log says that is
  /// wrong, or "".
  std::string Compile(const ReportModel& model) {
    const std::string report = RenderLatex(model);
    WriteFileAtomic(folder_ / "report.tex", report);
    WriteFileAtomic(folder_ / "paper.tex",
                    StrCat("\\documentclass{article}\n\\input{report}\n"
                           "\\begin{document}\n",
                           UsesOf(report, true), UsesOf(report, false),
                           "Done.\n\\end{document}\n"));
    const int code = std::system(
        StrCat("cd '", folder_.string(),
               "' && pdflatex -interaction=nonstopmode -halt-on-error paper "
               ">out.txt 2>&1")
            .c_str());
    const std::string log = fs::exists(folder_ / "paper.log")
                                ? ReadFile(folder_ / "paper.log")
                                : ReadFile(folder_ / "out.txt");
    if (code != 0 || !fs::exists(folder_ / "paper.pdf")) {
      const auto at = log.find("\n!");
      return log.substr(at == log.npos ? 0 : at, 400);
    }
    const auto wide = log.find("Overfull \\hbox");
    return wide == log.npos ? "" : log.substr(wide, 200);
  }

  fs::path folder_;
};

TEST_F(Latex, EveryTableAndFigureCompilesAndFitsThePage) {
  EXPECT_EQ(Compile(SmallModel()), "");
  EXPECT_EQ(Compile(EmptyModel()), "");
}

TEST_F(Latex, NamesThatMeanSomethingToTexCompile) {
  const std::string wrong = Compile(HostileModel());
  // A name as long as that may make a table too wide, but nothing else.
  EXPECT_TRUE(wrong.empty() || wrong.starts_with("Overfull")) << wrong;
}

TEST_F(Latex, NamesInOtherScriptsCompile) {
  ReportModel model = SmallModel();
  model.datasets[0].rows[0].label =
      "caf\u00e9 \u4e2d\u6587 \u0104 \u2212 \u2026";
  EXPECT_EQ(Compile(model), "");
}

TEST_F(Latex, ALongReasonWrapsBelowTheTable) {
  ReportModel model = SmallModel();
  std::string reason;
  for (int i = 0; i < 60; ++i) reason += "the worker grew ";
  for (ReportRow& row : model.datasets[0].rows) {
    for (ReportRun& run : row.runs) {
      if (!run.done()) run.reason = reason;
    }
  }
  EXPECT_EQ(Compile(model), "");
}

}  // namespace
}  // namespace tailmark
