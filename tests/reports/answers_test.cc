#include "reports/answers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "reports/looks.h"
#include "reports/summary.h"
#include "tests/reports/sample.h"

namespace tailmark {
namespace {

TEST(Summary, MeansAndSpreadsAreOverDoneSeeds) {
  const ReportDataset dataset = SmallModel().datasets[0];
  const ReportRow& probe = dataset.rows[1];
  const std::string definition = DefaultDefinition(dataset);
  EXPECT_EQ(SeedValues(probe, definition, "total"),
            (std::vector<double>{53.0, 53.3}));
  EXPECT_DOUBLE_EQ(*MeanOf(probe, definition, "total"), 53.15);
  EXPECT_NEAR(*SpreadOf(probe, definition, "total"), 0.3 / std::sqrt(2.0),
              1e-12);
  EXPECT_FALSE(SpreadOf(dataset.rows[0], definition, "total"));
  EXPECT_FALSE(MeanOf(dataset.rows[2], definition, "tail"));
  EXPECT_FALSE(MeanOf(probe, "ap.none", "total"));
  EXPECT_DOUBLE_EQ(*ChanceOf(dataset), 10.0);
  EXPECT_DOUBLE_EQ(*WallSeconds(probe.runs[0]), 1.75);
  EXPECT_DOUBLE_EQ(*PeakBytes(probe.runs[0]), 120.0 * 1024 * 1024);
}

TEST(Summary, RanksByTotalAndLeavesBrandsOut) {
  const ReportDataset dataset = SmallModel().datasets[0];
  EXPECT_EQ(RankedRows(dataset, DefaultDefinition(dataset)),
            (std::vector<std::size_t>{1, 0, 2}));
  EXPECT_EQ(UnrankedRows(dataset), (std::vector<std::size_t>{4, 3}));
  // ap.voc07 puts zero-shot before the probe.
  EXPECT_EQ(RanksUnder(dataset, dataset.definitions[1]),
            (std::vector<int>{2, 1, 3}));
}

TEST(Summary, ShortensDefinitionsButKeepsTheWayWithTies) {
  EXPECT_EQ(ShortDefinition("ap.step/difficult=positive/empty=keep/v1"),
            "ap.step");
  EXPECT_EQ(ShortDefinition("ap.rank/ties=best/difficult=ignore/v1"),
            "ap.rank/ties=best");
  EXPECT_EQ(ShortDefinition("ap.step"), "ap.step");
}

TEST(Answers, AreSentencesFromTheFigures) {
  const ReportModel model = SmallModel();
  const ReportDataset& dataset = model.datasets[0];
  EXPECT_EQ(FindingOf(model),
            "Linear probe, loss bce reaches 53.1 mAP, 6.9 points above "
            "Zero-shot CLIP. Against Zero-shot CLIP it "
            "gains 20.2 on head and 7.1 on medium and loses 6.5 on tail: the "
            "total alone hides the long tail.");
  EXPECT_EQ(GroupsAnswer(dataset),
            "Of the 2 other rows these many are above Zero-shot CLIP (dotted "
            "line): 1 on head, 1 on medium and 0 on "
            "tail.");
  EXPECT_EQ(ClassesAnswer(dataset),
            "Linear probe, loss bce is above Zero-shot CLIP on 2 of 3 classes; "
            "most on person (+20.2), least on "
            "street lamp (\u22126.5).");
  EXPECT_EQ(DefinitionsAnswer(dataset),
            "Yes: the order changes under ap.voc07.");
  EXPECT_EQ(CountsAnswer(dataset), "");  // three classes say nothing
  EXPECT_EQ(
      SeedsAnswer(dataset),
      "Between seeds the total spreads most for Linear probe, loss bce: sd "
      "0.21 over 2 runs. Choosing the epoch "
      "on test labels would have added up to 0.4 (Linear probe, loss bce).");
  EXPECT_EQ(LedgerAnswer(dataset),
            "Test labels were used to score 11 matrices; no row chose anything "
            "by them.");
  EXPECT_EQ(ProvenanceAnswer(model),
            "One command a row. 5 runs finished, 2 missing; 1 build and 1 "
            "environment went into this page.");
}

TEST(Answers, OfBrandedRowsAloneSayThatNoneIsRanked) {
  ReportModel model = SmallModel();
  for (ReportRow& row : model.datasets[0].rows) row.brands = {"partial"};
  EXPECT_EQ(FindingOf(model), "No row is ranked: what is done is partial.");
  EXPECT_EQ(LeaderboardAnswer(model.datasets[0]),
            "No row is ranked: what is done is partial.");
}

TEST(Answers, TheSpreadOfAFewShotRowIsThatOfItsEpisodes) {
  ReportDataset dataset = SmallModel().datasets[0];
  EXPECT_EQ(SpreadUnit(dataset), "seeds");
  const std::string definition = DefaultDefinition(dataset);
  ReportRow& row = dataset.rows[0];
  ASSERT_TRUE(row.runs[0].done());
  row.runs.resize(1);
  row.runs[0].episodes[definition]["total"] = {40.0, 50.0, 60.0};
  EXPECT_EQ(SpreadUnit(dataset), "episodes");
  EXPECT_EQ(ShownSpread(row, definition, "total"), Figure(10.0));
  EXPECT_EQ(SpreadOf(row, definition, "total"), Figure());
  // Two seeds: each episode by its mean over them.
  row.runs.push_back(row.runs[0]);
  row.runs[1].episodes[definition]["total"] = {60.0, 50.0, 40.0};
  EXPECT_EQ(ShownSpread(row, definition, "total"), Figure(0.0));
}

TEST(Answers, EqualValuesHaveNoSpreadWhateverTheirMeanRoundsTo) {
  EXPECT_EQ(SampleSd(std::vector<double>(10, 45.1 + 1e-14)), Figure(0.0));
}

TEST(Answers, OfNothingSayThatNothingIsDone) {
  EXPECT_EQ(FindingOf(EmptyModel()), "No run is done yet.");
  EXPECT_EQ(FindingOf(ReportModel{}), "");
  for (const auto& answer : {GroupsAnswer, CountsAnswer, ClassesAnswer,
                             DefinitionsAnswer, CostAnswer}) {
    EXPECT_EQ(answer(EmptyModel().datasets[0]), "");
  }
}

TEST(Answers, SayWhetherTheBestCanBeToldApart) {
  ReportDataset dataset = SmallModel().datasets[0];
  EXPECT_NE(LeaderboardAnswer(dataset).find("was not tested"),
            std::string::npos);
  dataset.rows[0].letters["total"] = "ab";
  dataset.rows[1].letters["total"] = "b";
  EXPECT_NE(LeaderboardAnswer(dataset).find(
                "cannot be told apart from Zero-shot CLIP."),
            std::string::npos);
  dataset.rows[1].letters["total"] = "c";
  EXPECT_NE(LeaderboardAnswer(dataset).find(
                "can be told apart from every other row."),
            std::string::npos);
}

TEST(Answers, SayWhenTheCountRules) {
  ReportModel model = LargeModel(1, 24);
  ReportDataset& dataset = model.datasets[0];
  for (ReportRun& run : dataset.rows[0].runs) {
    for (std::size_t c = 0; c < 24; ++c)
      run.class_ap[c] = 90.0 - 2.0 * static_cast<double>(c);
  }
  EXPECT_NEAR(*CountCorrelation(dataset, dataset.rows[0]), 1, 0.01);
  EXPECT_NE(CountsAnswer(dataset).find("the rarer the class, the lower its AP"),
            std::string::npos);
}

TEST(Looks, AreTheSameOnEveryDataSetAndDifferWithin) {
  ReportModel model = LargeModel(8, 3);
  model.datasets.push_back(model.datasets[0]);
  std::swap(model.datasets[1].rows[0], model.datasets[1].rows[7]);
  const Looks looks(model);
  std::set<std::string> seen;
  for (const ReportRow& row : model.datasets[0].rows) {
    const Look& look = looks.Of(row);
    EXPECT_TRUE(seen.insert(look.colour +
                            std::to_string(static_cast<int>(look.shape)) +
                            (look.hollow ? "h" : "f"))
                    .second)
        << row.label;
  }
  EXPECT_EQ(looks.Of(model.datasets[0].rows[0]).number,
            looks.Of(model.datasets[1].rows[7]).number);
  EXPECT_EQ(looks.all().size(), 8u);
}

TEST(Looks, OfAKnownMethodDoNotDependOnTheOthers) {
  const Looks looks(SmallModel());
  EXPECT_EQ(looks.Of(SmallModel().datasets[0].rows[0]).colour, "zs");
  EXPECT_EQ(looks.Of(SmallModel().datasets[0].rows[1]).colour, "lp");
  EXPECT_FALSE(looks.Of(SmallModel().datasets[0].rows[1]).hollow);
}

}  // namespace
}  // namespace tailmark
