#include "results/lint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "harness/base/error.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;

class LintTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) /
              ::testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  Published Read(const std::string& name, const std::string& text,
                 const std::map<std::string, int>& groups = {}) {
    std::ofstream(folder_ / name) << text;
    return ReadPublished(folder_ / name, groups);
  }
  template <class Error>
  std::string ErrorOf(const std::string& name, const std::string& text) {
    try {
      Read(name, text);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  fs::path folder_;
};

std::vector<LintFinding> Of(const std::vector<LintFinding>& all,
                            std::string_view table, std::string_view rule) {
  std::vector<LintFinding> out;
  for (const LintFinding& each : all) {
    if (each.table == table && each.rule == rule) out.push_back(each);
  }
  return out;
}

std::vector<LintFinding> Ours(std::string_view name) {
  for (const Published& published : ReadAllPublished()) {
    if (published.name == name) return Lint(published);
  }
  return {};
}

TEST_F(LintTest, ThirteenOf42CellsOfHpDvalTableOneDoNotAddUp) {
  EXPECT_EQ(Of(Ours("hp-dval"), "table1", "group-mean").size(), 13U);
  const auto tables = FindPublished("hp-dval:table1");
  ASSERT_EQ(tables.size(), 1U);
  EXPECT_EQ(tables[0].rows.size(), 42U);
}

TEST_F(LintTest, SevenOf34CellsOfCprflTableOneDoNotAddUp) {
  EXPECT_EQ(Of(Ours("cprfl"), "table1", "group-mean").size(), 7U);
  EXPECT_EQ(FindPublished("cprfl:table1")[0].rows.size(), 34U);
}

TEST_F(LintTest, MediumAndTailOfHpDvalOnCocoLtAreExchanged) {
  const auto swaps = Of(Ours("hp-dval"), "table1", "swap");
  ASSERT_EQ(swaps.size(), 1U);
  EXPECT_EQ(swaps[0].row, "HP-DVAL");
  EXPECT_EQ(swaps[0].dataset, "coco-lt");
  EXPECT_EQ(swaps[0].cell, "medium, tail");
  EXPECT_EQ(swaps[0].printed, 76.19);
  EXPECT_NEAR(*swaps[0].expected, 76.1945, 1e-9);
  EXPECT_EQ(swaps[0].explanation,
            "with medium and tail exchanged (22 x 72.05 + 33 x 79.12 + 25 x "
            "75.98) / 80 = 76.19, which is the total");
}

TEST_F(LintTest, FiveF1FiguresOfPsdTableOneAreNotTheirPrecisionAndRecall) {
  const auto f1 = Of(Ours("psd"), "table1", "f1");
  ASSERT_EQ(f1.size(), 5U);
  EXPECT_EQ(f1[0].row, "KSSNet @448");
  EXPECT_EQ(f1[0].printed, 77.2);
  EXPECT_NEAR(*f1[0].expected, 78.49, 0.005);
}

TEST_F(LintTest, ThePrintedGroupsAreHeldAgainstTheAuthorsLog) {
  const auto logs = Of(Ours("hp-dval"), "table1", "log");
  ASSERT_EQ(logs.size(), 4U);
  EXPECT_EQ(logs[0].explanation, "printed 92.83, the authors' log has 94.1299");
}

TEST_F(LintTest, EveryShippedRowHasAStatusAndASource) {
  std::size_t rows = 0;
  for (const Published& published : ReadAllPublished()) {
    EXPECT_FALSE(published.summary.empty());
    for (const PublishedTable& table : published.tables) {
      EXPECT_FALSE(table.where.empty()) << table.id;
      for (const PublishedRow& row : table.rows) {
        EXPECT_FALSE(row.values.empty()) << row.row;
        ++rows;
      }
    }
  }
  EXPECT_GT(rows, 200U);
}

TEST_F(LintTest, AnUnknownTableOffersTheNearest) {
  try {
    FindPublished("hp-dval:tabel1");
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("'hp-dval:table1'"),
              std::string::npos);
  }
}

TEST_F(LintTest, AUsersCsvIsCheckedWithItsOwnRounding) {
  // 0.05 + 0.05 of rounding explain a tenth, not two.
  const auto findings = Lint(Read("mine.csv",
                                  "Method,Dataset,Total,Head,Medium,Tail\n"
                                  "fine,voc-lt,50.0,50.1,50.0,49.9\n"
                                  "off,voc-lt,50.3,50.0,50.0,50.0\n"));
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].row, "off");
  EXPECT_EQ(findings[0].rule, "group-mean");
  EXPECT_EQ(findings[0].expected, 50.0);
  EXPECT_EQ(findings[0].explanation,
            "(6 x 50.0 + 6 x 50.0 + 8 x 50.0) / 20 = 50.00, printed 50.3: off "
            "by 0.30, rounding explains 0.1");
}

TEST_F(LintTest, GroupSizesMayBeGiven) {
  const std::string text =
      "row,total,head,tail\nx,50.00,60.00,40.00\ny,55.00,61.00,41.00\n";
  EXPECT_TRUE(Lint(Read("a.csv", text)).empty());
  const auto findings = Lint(Read("a.csv", text, {{"head", 1}, {"tail", 1}}));
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].row, "y");
}

TEST_F(LintTest, OtherDecimalsAndOtherThanPercentAreFound) {
  const auto findings =
      Lint(Read("a.csv", "row,mAP,\"CP\"\none,81.25,80.1\ntwo,181.25,80.11\n"));
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[0].rule, "decimals");
  EXPECT_EQ(findings[0].cell, "CP");
  EXPECT_EQ(findings[1].rule, "range");
  EXPECT_FALSE(findings[1].expected);
}

TEST_F(LintTest, AListOfObjectsIsATable) {
  const auto findings =
      Lint(Read("a.json",
                R"([{"method": "one", "dataset": "coco", "CP": 84.6, "CR": 73.2,
           "CF1": 77.2},
          {"method": "two", "dataset": "coco", "CP": 84.9, "CR": 70.2,
           "CF1": 76.9}])"));
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].row, "one");
}

TEST_F(LintTest, ValuesOfAnotherRowAreFoundOncePerPair) {
  const auto findings =
      Lint(Read("a.csv",
                "row,total,head,tail\none,50.12,60.34,41.00\n"
                "two,50.12,60.34,42.00\nthree,51.12,60.35,42.00\n"));
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].row, "two");
  EXPECT_EQ(findings[0].cell, "total, head");
  EXPECT_EQ(findings[0].rule, "repeated");
}

TEST_F(LintTest, WrongFilesAreNamedWithLineAndCell) {
  EXPECT_EQ(ErrorOf<DataError>("a.csv", "row,total\nx,abc\n"),
            StrCat((folder_ / "a.csv").string(),
                   ", row 1: 'total' holds 'abc', expected a number"));
  EXPECT_EQ(ErrorOf<DataError>("a.csv", "row,total\nx,1,2\n"),
            StrCat((folder_ / "a.csv").string(),
                   ", row 1: 3 cells, the header has 2"));
  EXPECT_NE(
      ErrorOf<DataError>("a.csv", "row,total\n\"x,1\n").find("never closed"),
      std::string::npos);
  EXPECT_NE(ErrorOf<DataError>("a.txt", "x").find("as .csv or .json"),
            std::string::npos);
  EXPECT_NE(ErrorOf<DataError>("a.json", R"({"schema": "other/1"})")
                .find("tailmark-published/1"),
            std::string::npos);
  EXPECT_NE(ErrorOf<DataError>("a.json", R"({"total": 1})")
                .find("a.json: expected a list of rows"),
            std::string::npos);
  EXPECT_NE(ErrorOf<DataError>("a.json", "[{\"total\": 1},]")
                .find("a.json:1:15: not JSON: a comma must not follow"),
            std::string::npos);
  EXPECT_NE(
      ErrorOf<DataError>("a.json", R"({"schema": "tailmark-published/1"})")
          .find("a.json: key 'name' not found"),
      std::string::npos);
}

}  // namespace
}  // namespace tailmark
