#include "results/reproduction.h"

#include <gtest/gtest.h>

#include <set>

#include "harness/base/error.h"
#include "results/ingest.h"
#include "results/query.h"
#include "results/sql.h"
#include "tests/record/sample.h"
#include "tests/results/samples.h"

namespace tailmark {
namespace {

/// A store with five runs of one recipe, and a printed row of their data set.
class Reproduction : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto facts = SampleFacts();
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      const SampleRun run{.seed = seed,
                          .scores = {"test", "test.epoch-0", "test.epoch-1"}};
      const auto folder = scratch_.path() / StrCat("bundle-", seed);
      recipe_ = RecipeId(WriteBundle(folder, run, facts).spec.identity);
      IngestBundle(store_, folder, facts);
    }
    cell_.table = {.source = "paper", .id = "table1", .title = "A table"};
    cell_.row = {.row = "Probe", .dataset = "embedded", .status = "primary"};
    recipes_.rows = {{.cells = {"paper:table1:Probe"},
                      .dataset = "embedded",
                      .profile = "lmpt-zero-shot",
                      .method = {{"use", "probe"}}}};
    made_ = {{"", recipe_}};
  }

  /// Mean and largest distance from it of a group over the seeds.
  double MeanOf(const std::string& group) const {
    double sum = 0;
    int runs = 0;
    for (const RunRow& run : Runs(store_)) {
      for (const MetricRow& row : Metrics(store_, run.id)) {
        if (row.scores != "test" || row.group != group) continue;
        if (!row.definition.starts_with("ap.step/")) continue;
        sum += row.value.value();
        ++runs;
      }
    }
    EXPECT_EQ(runs, 5);
    return sum / runs;
  }
  void Print(const std::string& column, double value) {
    cell_.row.values.push_back(
        {.column = column, .value = value, .decimals = 2});
  }
  ReproducedRow Judge(const Store* store) const {
    return JudgeRow(store, cell_, recipes_, made_, "no data");
  }
  ReproducedRow Judge() const { return Judge(&store_); }

  ScratchFolder scratch_;
  Store store_{scratch_.path() / "store"};
  std::string recipe_;
  PublishedCell cell_;
  RowRecipes recipes_;
  ColumnRecipes made_;
};

TEST_F(Reproduction, APrintedMeanOfOursIsConsistentAndAFarOneBelow) {
  Print("total", MeanOf("total"));
  EXPECT_EQ(Judge().verdict, Verdict::kConsistent) << Judge().reason;
  EXPECT_EQ(Judge().cells[0].test.runs, 5);
  EXPECT_EQ(Judge().cells[0].scores, "test");
  EXPECT_TRUE(Judge().cells[0].definition.starts_with("ap.step/"));
  cell_.row.values.clear();
  Print("total", 1000);
  EXPECT_EQ(Judge().verdict, Verdict::kBelow);
  cell_.row.values.clear();
  Print("total", -1000);
  EXPECT_EQ(Judge().verdict, Verdict::kAbove);
}

TEST_F(Reproduction, ARowIsAsBadAsItsWorstGroup) {
  Print("total", MeanOf("total"));
  Print("head", MeanOf("head"));
  Print("tail", 1000);
  const auto row = Judge();
  EXPECT_EQ(row.verdict, Verdict::kBelow);
  EXPECT_NE(row.reason.find("tail"), std::string::npos);
  EXPECT_EQ(row.cells[1].test.verdict, Verdict::kConsistent);
}

TEST_F(Reproduction, WithoutRunsItIsNotRunWithWhatIsMissing) {
  Print("total", 50);
  made_.clear();
  EXPECT_EQ(Judge().verdict, Verdict::kNotRun);
  EXPECT_EQ(Judge().reason, "no data");
  EXPECT_EQ(Judge(nullptr).verdict, Verdict::kNotRun);
}

TEST_F(Reproduction, ATableThatContradictsItselfIsSaidFirst) {
  Print("total", MeanOf("total"));
  cell_.lint = {{.rule = "group-mean", .explanation = "1 + 1 = 3"}};
  EXPECT_EQ(Judge().verdict, Verdict::kTableInconsistent);
  EXPECT_EQ(Judge().reason, "1 + 1 = 3");
  // A value that is seen elsewhere too contradicts nothing.
  cell_.lint[0].rule = "repeated";
  EXPECT_EQ(Judge().verdict, Verdict::kConsistent);
  // And what was not run is not run, whatever the table says.
  cell_.lint[0].rule = "swap";
  made_.clear();
  EXPECT_EQ(Judge().verdict, Verdict::kNotRun);
  EXPECT_EQ(Judge().lint.size(), 1U);
}

TEST_F(Reproduction, AStandInOrAKnownDifferenceIsNotComparable) {
  Print("total", MeanOf("total"));
  recipes_.rows[0].differs = "other pictures";
  EXPECT_EQ(Judge().verdict, Verdict::kNotComparable);
  EXPECT_EQ(Judge().reason, "other pictures");
  recipes_.rows[0].differs = "";
  recipes_.rows[0].dataset = "coco-lt";
  cell_.row.dataset = "coco-lt";
  const auto row = Judge();
  EXPECT_TRUE(row.stand_in);
  EXPECT_EQ(row.verdict, Verdict::kNotComparable);
  EXPECT_NE(row.reason.find("stand-in"), std::string::npos);
  EXPECT_EQ(row.measured_on, "embedded");
}

TEST_F(Reproduction, ABestEpochOnTestIsNotComparableToALastOne) {
  Print("total", MeanOf("total"));
  recipes_.rows[0].profile = "lmpt";
  EXPECT_EQ(Judge().verdict, Verdict::kNotComparable);
  EXPECT_NE(Judge().reason.find("best epoch"), std::string::npos);
}

TEST_F(Reproduction, WhatIsKeptIsFoundAndAStandInTakesNoPlace) {
  Print("total", MeanOf("total"));
  StoreReproduction(store_, {Judge()});
  const std::string id = IdOf(cell_);
  EXPECT_EQ(StoredReproductions(store_).at(id).at("total"), recipe_);
  EXPECT_EQ(store_.sql().Text("SELECT outcome FROM verdict"), "inconclusive");
  ReproducedRow stand_in = Judge();
  stand_in.stand_in = true;
  stand_in.cells[0].recipe = "another";
  StoreReproduction(store_, {stand_in});
  EXPECT_EQ(StoredReproductions(store_).at(id).at("total"), recipe_);
  stand_in.stand_in = false;
  StoreReproduction(store_, {stand_in});
  EXPECT_EQ(StoredReproductions(store_).at(id).at("total"), "another");
}

TEST(RowRecipes, EveryCellIsAPublishedRowAndEveryRowHasAStandIn) {
  std::set<std::string> known;
  for (const Published& published : ReadAllPublished()) {
    for (const PublishedCell& cell : FindPublishedRows(published.name)) {
      known.insert(IdOf(cell));
    }
  }
  const RowRecipes recipes = ReadRowRecipes();
  EXPECT_GT(recipes.rows.size(), 30U);
  for (const RowRecipe& row : recipes.rows) {
    for (const std::string& cell : row.cells) {
      EXPECT_TRUE(known.contains(StrCat(cell, ":", row.dataset)))
          << cell << " on " << row.dataset;
    }
    EXPECT_TRUE(row.stand_in.is_object()) << row.cells.front();
  }
}

TEST(RowRecipes, IdsAreFoundWithoutRegardToCaseAndPunctuation) {
  EXPECT_EQ(FindPublishedRows("hp-dval:table1:hp dval:COCO-LT").size(), 1U);
  EXPECT_EQ(FindPublishedRows("hp-dval:table1:LMPT").size(), 2U);
  EXPECT_EQ(FindPublishedRows("hp-dval:table1").size(), 42U);
  EXPECT_EQ(FindPublishedRows("hp-dval:table3:DB*").size(), 1U);
  const auto cells = FindPublishedRows("hp-dval:table1:HP-DVAL:coco-lt");
  EXPECT_FALSE(cells[0].lint.empty()) << "medium and tail are exchanged";
}

TEST(RowRecipes, AWrongIdNamesTheNearest) {
  const auto error = [](std::string_view id) {
    try {
      FindPublishedRows(id);
    } catch (const ConfigError& said) {
      return std::string(said.what());
    }
    return std::string();
  };
  EXPECT_NE(error("hp-dvl").find("did you mean 'hp-dval'"), std::string::npos);
  EXPECT_NE(error("hp-dval:table1:LMTP").find("did you mean 'LMPT'"),
            std::string::npos);
  EXPECT_NE(error("hp-dval:table1:LMPT:coco").find("'coco-lt'"),
            std::string::npos);
  EXPECT_NE(error("a:b:c:d:e").find("SOURCE"), std::string::npos);
}

}  // namespace
}  // namespace tailmark
