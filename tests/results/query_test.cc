#include "results/query.h"

#include <gtest/gtest.h>

#include "harness/base/error.h"
#include "harness/metrics/definition.h"
#include "results/campaign.h"
#include "results/ingest.h"
#include "results/sql.h"
#include "tests/record/sample.h"
#include "tests/results/samples.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;

/// Two methods with two seeds each, and one that timed out.
class Queries : public ::testing::Test {
 protected:
  Queries() : store_(scratch_.path() / "store") {
    int n = 0;
    for (const char* method : {"zero", "probe"}) {
      for (const std::uint64_t seed : {1U, 0U}) {
        Take({.method = method, .seed = seed, .fit_s = 1.0 + n++});
      }
    }
    IngestUnfinished(store_, RecordOf(late_));
  }
  std::int64_t Take(const SampleRun& run) {
    const fs::path bundle = scratch_.path() / RunKey(SpecOf(run));
    WriteBundle(bundle, run, facts_);
    return IngestBundle(store_, bundle, facts_).run_id;
  }
  static PlannedRun Plan(const SampleRun& run) {
    return {.spec = SpecOf(run),
            .label = run.method,
            .state = RunState::kPlanned,
            .reason = ""};
  }

  const SampleRun late_{.method = "slow",
                        .state = RunState::kTimeout,
                        .reason = "over 1 h",
                        .fit_s = 3600};
  DatasetFacts facts_ = SampleFacts();
  ScratchFolder scratch_;
  Store store_;
};

TEST_F(Queries, RunsComeInAFixedOrder) {
  std::vector<std::string> order;
  for (const RunRow& row : Runs(store_)) {
    order.push_back(StrCat(row.method, " ", row.seed));
  }
  EXPECT_EQ(order, (std::vector<std::string>{"probe 0", "probe 1", "slow 0",
                                             "zero 0", "zero 1"}));
}

TEST_F(Queries, FiltersMeet) {
  EXPECT_EQ(Runs(store_, {.method = "probe"}).size(), 2U);
  EXPECT_EQ(Runs(store_, {.method = "probe", .seed = 1}).size(), 1U);
  EXPECT_EQ(Runs(store_, {.dataset = "embedded"}).size(), 5U);
  EXPECT_EQ(Runs(store_, {.dataset = "other"}).size(), 0U);
  EXPECT_EQ(Runs(store_, {.state = RunState::kTimeout}).size(), 1U);
  EXPECT_EQ(Runs(store_, {.tag = "note"}).size(), 5U);
  const std::string recipe = RecipeId(SpecOf({}).identity);
  EXPECT_EQ(Runs(store_, {.recipe = recipe.substr(0, 10)}).size(), 2U);
  EXPECT_EQ(Runs(store_, {.key = "%"}).size(), 0U);
}

TEST_F(Queries, ARowSaysAllOfItsRun) {
  const RunRow row = FindRun(store_, RunKey(SpecOf({})));
  EXPECT_EQ(row.key, RunKey(SpecOf({})));
  EXPECT_EQ(row.recipe, RecipeId(SpecOf({}).identity));
  EXPECT_EQ(row.method_kind, "builtin");
  EXPECT_EQ(row.pipeline_brand, "harness");
  EXPECT_EQ(row.build, "build-1");
  EXPECT_EQ(row.git_sha, "abc");
  EXPECT_EQ(row.environment_fingerprint, "fingerprint");
  EXPECT_EQ(row.selection, "last");
  EXPECT_EQ(row.trained_parameters, 12);
  EXPECT_EQ(row.host, "here");
  EXPECT_EQ(row.command, "tailmark run quickstart");
  EXPECT_DOUBLE_EQ(row.wall_s, 4.5);
  EXPECT_EQ(row.tags, std::vector<std::string>{"note=first try"});
}

TEST_F(Queries, APrefixOfAKeyFindsItsRunOrSaysWhyNot) {
  const std::string key = RunKey(SpecOf({}));
  EXPECT_EQ(FindRun(store_, key.substr(0, 12)).key, key);
  EXPECT_THROW(FindRun(store_, "zz"), ConfigError);
  EXPECT_THROW(FindRun(store_, ""), ConfigError);
  // Sixteen first digits, five keys: some digit has two, or a seed is added.
  std::uint64_t seed = 2;
  while (Runs(store_, {.key = key.substr(0, 1)}).size() < 2) {
    IngestUnfinished(
        store_,
        RecordOf({.seed = seed++, .state = RunState::kLost, .reason = "x"}));
  }
  EXPECT_THROW(FindRun(store_, key.substr(0, 1)), ConfigError);
}

TEST_F(Queries, FinishedRunsAreFoundForReuse) {
  const RunSpec spec = SpecOf({});
  EXPECT_TRUE(DoneRun(store_, RunKey(spec)).has_value());
  EXPECT_FALSE(DoneRun(store_, RunKey(SpecOf(late_))).has_value());
  EXPECT_TRUE(DoneRun(store_, RecipeId(spec.identity), 1).has_value());
  EXPECT_FALSE(DoneRun(store_, RecipeId(spec.identity), 9).has_value());
  // Another build of the same recipe and seed serves too.
  EXPECT_FALSE(DoneRun(store_, RunKey(SpecOf({.build = "build-2"}))));
}

TEST_F(Queries, TimingsAndCurvesComeBackAsTheyWere) {
  const RunRow row = FindRun(store_, RunKey(SpecOf({})));
  const auto phases = Timings(store_, row.id);
  ASSERT_EQ(phases.size(), 2U);
  EXPECT_EQ(phases[0].phase, "fit");
  EXPECT_EQ(phases[1].peak_rss, 2000);
  const auto curves = Curves(store_, row.id);
  ASSERT_EQ(curves.size(), 2U);
  EXPECT_EQ(curves[1].step, 1);
  EXPECT_EQ(curves[1].value, 0.75);
}

TEST_F(Queries, ProvenanceComesBackAsItWas) {
  const RunRow row = FindRun(store_, RunKey(SpecOf({})));
  const Provenance found = ProvenanceOf(store_, row.id);
  EXPECT_EQ(ToJson(found.identity), ToJson(SpecOf({}).identity));
  EXPECT_EQ(ToJson(found.build), ToJson(RecordOf({}).build));
  EXPECT_EQ(found.environment, RecordOf({}).environment);
  EXPECT_EQ(found.seeds.at("train/shuffle"), 7U);
  EXPECT_EQ(std::get<double>(found.resolved_options.at("lr")), 0.5);
  EXPECT_EQ(found.weights.at("encoder"), "weights");
  EXPECT_THROW(ProvenanceOf(store_, 999), StoreError);
}

TEST_F(Queries, DatasetsAndClassesAreTold) {
  const RunRow row = FindRun(store_, RunKey(SpecOf({})));
  const auto classes = Classes(store_, row.dataset_id);
  ASSERT_EQ(classes.size(), 3U);
  EXPECT_EQ(classes[0].train_positives, 200);
  EXPECT_EQ(classes[2].group, "tail");
  for (const DatasetRow& dataset : Datasets(store_)) {
    if (dataset.id != row.dataset_id) continue;
    EXPECT_EQ(dataset.images.at("test"), 8);
    EXPECT_EQ(dataset.images.at("train"), 100);
  }
}

TEST_F(Queries, DiagnosticsTellOfTies) {
  const RunRow row = FindRun(store_, RunKey(SpecOf({})));
  std::map<std::string, int> seen;
  for (const DiagnosticRow& each : Diagnostics(store_, row.id)) {
    ++seen[each.name];
    if (each.name == "distinct") {
      EXPECT_EQ(each.value, 8.0);
    }
    if (each.name == "tied_fraction") {
      EXPECT_EQ(each.value, 0.0);
    }
  }
  EXPECT_EQ(seen["distinct"], 3);
  EXPECT_EQ(seen["saturated_fraction"], 1);
}

TEST_F(Queries, AnEstimateTakesTheNearestRunsThereAre) {
  const std::string recipe = RecipeId(SpecOf({}).identity);
  const auto same = EstimateRun(store_, recipe, "probe", "embedded");
  ASSERT_TRUE(same.has_value());
  EXPECT_EQ(same->basis, "recipe");
  EXPECT_EQ(same->runs, 2);
  EXPECT_DOUBLE_EQ(same->wall_s, 4.0);  // median of 3.5 and 4.5
  EXPECT_EQ(same->peak_rss, 2000);
  EXPECT_GT(same->images, 0);
  EXPECT_EQ(EstimateRun(store_, "x", "probe", "embedded")->basis,
            "method and dataset");
  EXPECT_EQ(EstimateRun(store_, "x", "probe", "other")->basis, "method");
  // What did not finish says nothing of how long it takes.
  EXPECT_FALSE(EstimateRun(store_, "x", "slow", "embedded").has_value());
}

TEST_F(Queries, ACampaignListsWhatIsThereAndWhatIsMissing) {
  PlannedRun never = Plan({.method = "unfit"});
  never.state = RunState::kNotApplicable;
  never.reason = "needs captions";
  const std::int64_t id = RegisterCampaign(
      store_, {.name = "quick",
               .command = "tailmark run quick",
               .recipe = {{"campaign", "quick"}},
               .runs = {Plan({.method = "zero"}), Plan(late_),
                        Plan({.method = "zero", .seed = 7}), never}});
  const auto cells = Cells(store_, id);
  ASSERT_EQ(cells.size(), 4U);
  EXPECT_EQ(cells[0].state, RunState::kDone);
  ASSERT_TRUE(cells[0].run.has_value());
  EXPECT_EQ(cells[0].run->method, "zero");
  EXPECT_EQ(cells[1].state, RunState::kTimeout);
  EXPECT_EQ(cells[1].reason, "over 1 h");
  EXPECT_EQ(cells[2].state, RunState::kPlanned);
  EXPECT_FALSE(cells[2].run.has_value());
  EXPECT_EQ(cells[3].state, RunState::kNotApplicable);
  EXPECT_EQ(cells[3].reason, "needs captions");
  const auto counts = StateCounts(store_, id);
  EXPECT_EQ(counts.at(RunState::kPlanned), 1);
  EXPECT_EQ(counts.at(RunState::kDone), 1);
  const auto specs = PlannedRuns(store_, id);
  ASSERT_EQ(specs.size(), 4U);
  EXPECT_EQ(ToJson(specs[2].spec),
            ToJson(SpecOf({.method = "zero", .seed = 7})));
}

TEST_F(Queries, ACampaignThatIsAskedForAgainIsTheNewest) {
  const CampaignPlan first{
      .name = "one", .command = "a", .runs = {Plan({.method = "zero"})}};
  const CampaignPlan second{
      .name = "two", .command = "b", .runs = {Plan({.method = "probe"})}};
  EXPECT_FALSE(FindCampaign(store_, "").has_value());
  EXPECT_FALSE(FindCampaign(store_, "one").has_value());
  const std::int64_t id = RegisterCampaign(store_, first);
  RegisterCampaign(store_, second);
  EXPECT_EQ(FindCampaign(store_, "")->name, "two");
  EXPECT_EQ(RegisterCampaign(store_, first), id);
  EXPECT_EQ(FindCampaign(store_, "")->name, "one");
  EXPECT_EQ(Campaigns(store_).size(), 2U);
  // More seeds: another plan of the same name, and the newest of it.
  CampaignPlan more = first;
  more.runs.push_back(Plan({.method = "zero", .seed = 1}));
  EXPECT_NE(RegisterCampaign(store_, more), id);
  EXPECT_EQ(FindCampaign(store_, "one")->cells, 2);
  try {
    FindCampaign(store_, "onne");
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("'one'"), std::string::npos);
  }
}

}  // namespace
}  // namespace tailmark
