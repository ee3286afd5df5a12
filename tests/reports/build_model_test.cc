#include "reports/build_model.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "reports/answers.h"
#include "reports/console.h"
#include "reports/names.h"
#include "reports/render.h"
#include "reports/summary.h"
#include "results/campaign.h"
#include "results/ingest.h"
#include "tests/reports/markup.h"
#include "tests/results/samples.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;

/// A store with a campaign of two methods: one done with two seeds, one of
/// whose seeds ran out of time and one that never started.
class BuiltReport : public ::testing::Test {
 protected:
  void SetUp() override {
    // Tests of this file run as processes side by side.
    folder_ = fs::path(::testing::TempDir()) /
              StrCat("tailmark_built_report_", getpid());
    fs::remove_all(folder_);
    store_ = std::make_unique<Store>(folder_ / "store");
  }
  void TearDown() override {
    store_.reset();
    fs::remove_all(folder_);
  }

  void Ingest(const SampleRun& run) {
    const fs::path bundle = folder_ / StrCat("bundle-", ++bundles_);
    WriteBundle(bundle, run, facts_);
    IngestBundle(*store_, bundle, facts_);
  }
  static PlannedRun Plan(const SampleRun& run, const std::string& label) {
    return {.spec = SpecOf(run), .label = label};
  }
  void FillCampaign() {
    const SampleRun late = {.method = "probe",
                            .seed = 1,
                            .state = RunState::kTimeout,
                            .reason = "over 600 s, see /home/me/logs/7.txt"};
    RegisterCampaign(
        *store_,
        {.name = "quick",
         .command = "tailmark run /home/me/quick.json --only method=x",
         .recipe = {{"campaign", "quick"}},
         .runs = {Plan({.method = "zero_shot_clip"}, "zero_shot_clip"),
                  Plan({.method = "probe"}, "probe-db lr=0.5"),
                  Plan(late, "probe-db lr=0.5"),
                  Plan({.method = "probe", .seed = 2}, "probe-db lr=0.5")}});
    Ingest({.method = "probe",
            .scores = {"test", "test.epoch-1", "test.epoch-2"}});
    IngestUnfinished(*store_, RecordOf(late), facts_);
    Ingest({.method = "zero_shot_clip"});
  }

  fs::path folder_;
  DatasetFacts facts_ = SampleFacts();
  std::unique_ptr<Store> store_;
  int bundles_ = 0;
};

TEST_F(BuiltReport, HasEveryCellOfTheCampaign) {
  FillCampaign();
  const ReportModel model = BuildReportModel(*store_);
  EXPECT_EQ(model.campaign, "quick");
  EXPECT_EQ(model.finished_utc, "2026-01-31T12:00:09Z");
  EXPECT_EQ(model.store, "tailmark.sqlite");
  ASSERT_EQ(model.datasets.size(), 1u);
  const ReportDataset& dataset = model.datasets[0];
  EXPECT_EQ(dataset.name, "embedded");
  EXPECT_EQ(dataset.groups,
            (std::vector<std::string>{"head", "medium", "tail"}));
  ASSERT_EQ(dataset.classes.size(), 3u);
  EXPECT_EQ(dataset.classes[0].train_positives, 200);
  EXPECT_EQ(dataset.classes[0].test_positives, 3);
  EXPECT_EQ(dataset.test_images, 8);
  EXPECT_EQ(dataset.train_images, 100);
  EXPECT_EQ(dataset.train_list_sha256, "train-list");
  ASSERT_EQ(dataset.rows.size(), 2u);
  EXPECT_EQ(dataset.rows[0].label, "Zero-shot CLIP");
  EXPECT_EQ(dataset.rows[1].label, "Probe, db, lr=0.5");
  EXPECT_EQ(dataset.rows[1].short_label, "Probe db 0.5");
  EXPECT_EQ(dataset.baseline, "Zero-shot CLIP");
  ASSERT_EQ(dataset.rows[1].runs.size(), 3u);
  EXPECT_TRUE(dataset.rows[1].runs[0].done());
  EXPECT_EQ(dataset.rows[1].runs[1].state, "timeout");
  EXPECT_EQ(dataset.rows[1].runs[2].state, "planned");
}

TEST_F(BuiltReport, AnEpochPickedOnTheTestLabelsStandsBesideTheLast) {
  // Of episodes: each has an epoch of its own.
  for (const int episode : {1, 2}) {
    SplitFacts query = facts_.splits.back();
    query.role = "query";
    query.episode = episode;
    facts_.splits.push_back(query);
  }
  const SampleRun run{.scores = {"test.epoch-1.episode-1",
                                 "test.epoch-2.episode-1", "test.episode-1",
                                 "test.epoch-1.episode-2",
                                 "test.epoch-2.episode-2", "test.episode-2"}};
  const fs::path bundle = folder_ / "picked";
  WriteBundle(bundle, run, facts_);
  RunRecord record = ReadBundle(bundle);
  record.spec.identity.selection = "best_on_test";
  WriteFileAtomic(bundle / "run.json", Canonical(ToJson(record)));
  SealBundle(bundle);
  IngestBundle(*store_, bundle, facts_);
  const ReportModel model = BuildReportModel(*store_);
  const ReportRow& row = model.datasets[0].rows[0];
  EXPECT_EQ(row.brands, std::vector<std::string>{"best_on_test"});
  const ReportRun& only = row.runs.at(0);
  ASSERT_EQ(only.picked.size(), 1u);
  const auto& [definition, groups] = *only.picked.begin();
  const double picked = *groups.at("total");
  const double last = *only.values.at(definition).at("total");
  EXPECT_EQ(PickedOf(row), picked);
  EXPECT_EQ(OptimismOf(row), picked - last);
  EXPECT_EQ(only.episodes.at(definition).at("total").size(), 2u);
  const Json json = Json::parse(RenderJson(model));
  EXPECT_EQ(json["datasets"][0]["rows"][0]["runs"][0]["best_on_test"]
                [definition]["total"],
            picked);
  const std::string html = RenderHtml(model);
  EXPECT_NE(html.find("shown is the last epoch; picked on test labels"),
            std::string::npos);
  EXPECT_NE(RenderMarkdown(model).find("**best_on_test**: "),
            std::string::npos);
  EXPECT_NE(RenderCsv(model).find(",total,,best_on_test_percent,"),
            std::string::npos);
  EXPECT_NE(RenderCsv(model).find(",total,,optimism_percent,"),
            std::string::npos);
  EXPECT_NE(RenderLatex(model).find("picked on test labels "),
            std::string::npos);
}

TEST_F(BuiltReport, RefusesABaselineThatIsNoRow) {
  FillCampaign();
  EXPECT_EQ(
      BuildReportModel(*store_, {.baseline = "probe"}).datasets[0].baseline,
      "Probe, db, lr=0.5");
  try {
    BuildReportModel(*store_, {.baseline = "prob"});
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_STREQ(error.what(), "unknown row 'prob'; did you mean 'probe'?");
  }
}

TEST_F(BuiltReport, HasTheFiguresOfTheStore) {
  FillCampaign();
  const ReportModel model = BuildReportModel(*store_);
  const ReportDataset& dataset = model.datasets[0];
  const ReportRun& run = dataset.rows[1].runs[0];
  EXPECT_TRUE(DefaultDefinition(dataset).starts_with("ap.step/"));
  EXPECT_GE(dataset.definitions.size(), 6u);
  const auto row =
      Runs(*store_, {.method = "probe", .state = RunState::kDone}).at(0);
  for (const auto& [definition, groups] : MetricsOf(*store_, row.id)) {
    for (const auto& [group, value] : groups) {
      EXPECT_EQ(run.values.at(definition).at(group), value);
    }
  }
  const auto classes =
      ClassMetrics(*store_, row.id, DefaultDefinition(dataset));
  ASSERT_EQ(run.class_ap.size(), classes.size());
  EXPECT_EQ(run.class_ap[1], classes[1].value);
  ASSERT_TRUE(run.ties.has_value());
  EXPECT_EQ(run.ties->distinct_per_class, 8.0);
  EXPECT_EQ(run.ties->rank_best, run.ties->rank_worst);  // no ties
  ASSERT_EQ(run.curves.size(), 2u);
  EXPECT_EQ(run.curves[0].name, "loss");
  EXPECT_EQ(run.curves[1].name, "test/ap.step");
  EXPECT_EQ(run.curves[1].points.size(), 2u);
  ASSERT_EQ(run.phases.size(), 2u);
  EXPECT_EQ(run.phases[1].peak_rss, 2000);
  EXPECT_EQ(run.test_evaluations, 3);
  EXPECT_EQ(model.builds.size(), 1u);
  EXPECT_EQ(model.builds[0].runs, 2);
  ASSERT_EQ(model.weights.size(), 1u);
  EXPECT_EQ(model.weights[0].name, "nano-clip");
}

TEST_F(BuiltReport, NamesTheCommandThatMendsWhatIsMissing) {
  FillCampaign();
  const ReportRow row = BuildReportModel(*store_).datasets[0].rows[1];
  EXPECT_EQ(row.command, "tailmark run quick.json --only method=probe-db");
  EXPECT_EQ(row.runs[1].mend, row.command);
  EXPECT_EQ(row.runs[2].mend, "tailmark resume quick");
}

TEST_F(BuiltReport, TellsNoPathAndNoHost) {
  FillCampaign();
  const ReportModel model =
      BuildReportModel(*store_, {.command = "tailmark report -o /tmp/me/out"});
  for (const ReportFormat& format : ReportFormats()) {
    const std::string text = format.render(model);
    EXPECT_EQ(text.find("/home/me"), std::string::npos) << format.name;
    EXPECT_EQ(text.find("/tmp/me"), std::string::npos) << format.name;
    EXPECT_EQ(text.find(folder_.string()), std::string::npos) << format.name;
  }
}

TEST_F(BuiltReport, OfEqualStoresIsEqualWhateverTheOrderOfArrival) {
  FillCampaign();
  const std::string first = RenderHtml(BuildReportModel(*store_));
  store_.reset();
  fs::remove_all(folder_);
  store_ = std::make_unique<Store>(folder_ / "store");
  Ingest({.method = "zero_shot_clip"});
  FillCampaign();
  EXPECT_EQ(RenderHtml(BuildReportModel(*store_)), first);
}

TEST_F(BuiltReport, OfAStoreWithoutCampaignsShowsEveryRun) {
  Ingest({.method = "probe"});
  Ingest({.method = "probe", .seed = 1});
  const ReportModel model = BuildReportModel(*store_);
  ASSERT_EQ(model.datasets.size(), 1u);
  ASSERT_EQ(model.datasets[0].rows.size(), 1u);
  EXPECT_EQ(model.datasets[0].rows[0].runs.size(), 2u);
  EXPECT_EQ(model.datasets[0].rows[0].command, "");
}

TEST_F(BuiltReport, OfAnEmptyStoreIsStillAPage) {
  const ReportModel model = BuildReportModel(*store_);
  EXPECT_TRUE(model.datasets.empty());
  std::vector<Element> elements;
  EXPECT_EQ(CheckMarkup(RenderHtml(model), &elements), "");
  EXPECT_EQ(ConsoleTable(model, {}), "");
}

TEST_F(BuiltReport, RanksUnderTheDefinitionAskedFor) {
  FillCampaign();
  const ReportModel model =
      BuildReportModel(*store_, {.definition = "ap.voc07"});
  EXPECT_TRUE(DefaultDefinition(model.datasets[0]).starts_with("ap.voc07/"));
  EXPECT_THROW(BuildReportModel(*store_, {.definition = "ap.none"}),
               ConfigError);
  EXPECT_THROW(BuildReportModel(*store_, {.campaign = "quik"}), ConfigError);
}

TEST(Names, AreForPeople) {
  EXPECT_EQ(HumanName("linear_probe"), "Linear probe");
  EXPECT_EQ(HumanName("hp_dval"), "HP-DVAL");
  EXPECT_EQ(HumanName("finetune_clip"), "Fine-tuned CLIP");
  EXPECT_EQ(NamesOfRow("linear_probe-db", "linear_probe").label,
            "Linear probe, db");
  EXPECT_EQ(NamesOfRow("linear_probe-db", "linear_probe").short_label,
            "Linear probe db");
  EXPECT_EQ(NamesOfRow("lmpt lr=0.1 epochs=5", "lmpt").label,
            "LMPT, lr=0.1, epochs=5");
  EXPECT_EQ(NamesOfRow("lmpt lr=0.1", "lmpt").short_label, "LMPT 0.1");
  EXPECT_EQ(NamesOfRow("mine", "lmpt").label, "Mine");
  EXPECT_EQ(NamesOfRow("", "lmpt").label, "LMPT");
}

TEST(Names, OfARowThatIsCalledLikeAnotherMethodBeginWithItsOwn) {
  const RowNames zero = NamesOfRow("hpdval", "zero_shot_clip");
  EXPECT_EQ(zero.label, "Zero-shot CLIP, hpdval");
  EXPECT_EQ(zero.short_label, "Zero-shot CLIP hpdval");
  EXPECT_EQ(NamesOfRow("lmpt-texts scale=1", "zero_shot_clip").label,
            "Zero-shot CLIP, lmpt-texts, scale=1");
  EXPECT_EQ(NamesOfRow("hpdval", "hp_dval").label, "HP-DVAL");
  EXPECT_EQ(NamesOfRow("hp_dval-nano", "hp_dval").label, "HP-DVAL, nano");
}

TEST(Paths, AreCutToTheirLastPart) {
  EXPECT_EQ(WithoutPaths("run /home/me/a.json --store=/var/x/"),
            "run a.json --store=x");
  EXPECT_EQ(WithoutPaths("ap.step/difficult=positive"),
            "ap.step/difficult=positive");
  EXPECT_EQ(WithoutPaths("'/a/b c' (/d)"), "'b c' (d)");
  EXPECT_EQ(WithoutPaths("1 / 2"), "1 / 2");
}

}  // namespace
}  // namespace tailmark
