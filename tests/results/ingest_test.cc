#include "results/ingest.h"

#include <gtest/gtest.h>

#include <cmath>

#include "harness/base/digest.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/npy.h"
#include "harness/metrics/arrays.h"
#include "harness/metrics/definition.h"
#include "harness/metrics/evaluate.h"
#include "results/query.h"
#include "results/sql.h"
#include "tests/record/sample.h"
#include "tests/results/samples.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;

class Ingest : public ::testing::Test {
 protected:
  Ingest() : store_(scratch_.path() / "store") {}

  fs::path Write(const std::string& name, const SampleRun& run) {
    WriteBundle(scratch_.path() / name, run, facts_);
    return scratch_.path() / name;
  }
  IngestResult Take(const std::string& name, const SampleRun& run = {}) {
    return IngestBundle(store_, Write(name, run), facts_);
  }
  std::int64_t Count(const std::string& table) const {
    return store_.sql().Int("SELECT count(*) FROM " + table);
  }
  /// Every row of every table, as text: equal when nothing changed.
  std::string Everything() const {
    std::string all;
    Statement tables = store_.sql().Prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");
    while (tables.Step()) {
      all += StrCat(tables.Text(0), ":", Count(tables.Text(0)), "\n");
    }
    return all + store_.sql().Text(
                     "SELECT group_concat(key || attempt || state || "
                     "test_evaluations) FROM run");
  }
  void ExpectRefused(const fs::path& bundle, const std::string& says) {
    const std::string before = Everything();
    try {
      (void)IngestBundle(store_, bundle, facts_);
      FAIL() << "taken, expected: " << says;
    } catch (const DataError& error) {
      EXPECT_NE(std::string(error.what()).find(says), std::string::npos)
          << error.what();
    }
    EXPECT_EQ(Everything(), before);
  }

  DatasetFacts facts_ = SampleFacts();
  ScratchFolder scratch_;
  Store store_;
};

TEST_F(Ingest, ABundleBecomesOneRunWithItsNumbers) {
  const IngestResult result = Take("a");
  EXPECT_EQ(result.outcome, IngestOutcome::kStored);
  EXPECT_EQ(result.state, RunState::kDone);
  EXPECT_EQ(result.attempt, 1);
  EXPECT_EQ(Count("run"), 1);
  EXPECT_EQ(Count("metric"), 9 * 4);  // definitions x (total, 3 groups)
  EXPECT_EQ(Count("class_metric"), 9 * 3);
  EXPECT_EQ(Count("timing"), 2);
  EXPECT_EQ(Count("curve"), 2);
  EXPECT_EQ(store_.sql().Int("SELECT test_evaluations FROM run"), 1);
}

TEST_F(Ingest, TheStoredFiguresAreThoseOfTheMetricsUnrounded) {
  const IngestResult result = Take("a");
  const fs::path file = scratch_.path() / "a/scores/test.npy";
  const ScoreArray scores = ScoresFromNpy(ReadNpy(file), "test");
  const Definition step{};
  const std::vector<ClassGroup> groups = {
      {"head", {0}}, {"medium", {1}}, {"tail", {2}}};
  const Evaluation direct =
      Evaluate(scores.view(), {.positive = facts_.splits[1].positive}, groups,
               std::vector{step});
  const auto stored = MetricsOf(store_, result.run_id).at(IdOf(step));
  for (const GroupMean& mean : direct.results[0].means) {
    EXPECT_EQ(stored.at(mean.name), mean.percent) << mean.name;
  }
  const auto classes = ClassMetrics(store_, result.run_id, IdOf(step));
  ASSERT_EQ(classes.size(), 3U);
  for (std::size_t c = 0; c < 3; ++c) {
    EXPECT_EQ(classes[c].value, *direct.results[0].ap[c] * 100);
    EXPECT_EQ(classes[c].name, facts_.classes[c].name);
    EXPECT_EQ(classes[c].positives + classes[c].negatives, 8);
  }
}

TEST_F(Ingest, AClassWithoutAPositiveIsUndefinedAndNotZero) {
  for (std::int64_t row = 0; row < 8; ++row) {
    facts_.splits[1].positive[static_cast<std::size_t>(row * 3 + 2)] = 0;
  }
  const IngestResult result = Take("a");
  const std::string id = IdOf(Definition{});
  EXPECT_EQ(ClassMetrics(store_, result.run_id, id)[2].value, std::nullopt);
  EXPECT_EQ(MetricsOf(store_, result.run_id).at(id).at("tail"), std::nullopt);
  for (const MetricRow& row : Metrics(store_, result.run_id)) {
    if (row.group == "tail") {
      EXPECT_EQ(row.undefined_classes, 1);
    }
    if (row.group == "total") {
      EXPECT_EQ(row.classes, 2);
    }
  }
}

TEST_F(Ingest, UnknownLabelsAreNotCounted) {
  facts_.splits[1].known.assign(24, 1);  // eight images, three classes
  facts_.splits[1].known[0] = 0;
  const IngestResult result = Take("a");
  EXPECT_EQ(ClassMetrics(store_, result.run_id, IdOf(Definition{}))[0].ignored,
            1);
}

TEST_F(Ingest, TheSameBundleTwiceChangesNothing) {
  const IngestResult first = Take("a");
  const std::string before = Everything();
  const IngestResult again =
      IngestBundle(store_, scratch_.path() / "a", facts_);
  EXPECT_EQ(again.outcome, IngestOutcome::kAlreadyStored);
  EXPECT_EQ(again.run_id, first.run_id);
  EXPECT_EQ(Everything(), before);
}

TEST_F(Ingest, AKeyThatIsDoneTwiceIsStoredOnce) {
  Take("a");
  const std::string before = Everything();
  const IngestResult again = Take("b", {.started_utc = "2026-02-02T00:00:00Z"});
  EXPECT_EQ(again.outcome, IngestOutcome::kDoneBefore);
  EXPECT_TRUE(again.warnings.empty());
  EXPECT_EQ(Everything(), before);
}

TEST_F(Ingest, OtherScoresOfTheSameKeyAreNoticedOnce) {
  const IngestResult first = Take("a");
  const SampleRun other{.started_utc = "2026-02-02T00:00:00Z", .salt = 1};
  for (int i = 0; i < 2; ++i) {
    const IngestResult again = Take(StrCat("b", i), other);
    EXPECT_EQ(again.outcome, IngestOutcome::kDoneBefore);
    ASSERT_EQ(again.warnings.size(), 1U);
    EXPECT_NE(again.warnings[0].find("other scores"), std::string::npos);
  }
  const auto events = Events(store_, first.run_id);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].level, "warning");
}

TEST_F(Ingest, FailuresAreRowsAndTheNextAttemptCounts) {
  const IngestResult killed = IngestUnfinished(
      store_, RecordOf({.state = RunState::kKilled, .reason = "signal 9"}));
  EXPECT_EQ(killed.attempt, 1);
  const IngestResult failed =
      Take("f", {.state = RunState::kFailed, .reason = "a test", .scores = {}});
  EXPECT_EQ(failed.attempt, 2);
  const IngestResult done = Take("a");
  EXPECT_EQ(done.attempt, 3);
  EXPECT_EQ(done.outcome, IngestOutcome::kStored);
  const auto best = Runs(store_);
  ASSERT_EQ(best.size(), 1U);
  EXPECT_EQ(best[0].state, RunState::kDone);
  const auto all = Runs(store_, {.best_attempt = false});
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].reason, "signal 9");
}

TEST_F(Ingest, AFailureToldTwiceIsOneRow) {
  const RunRecord record =
      RecordOf({.state = RunState::kTimeout, .reason = "1 h"});
  IngestUnfinished(store_, record);
  EXPECT_EQ(IngestUnfinished(store_, record).outcome,
            IngestOutcome::kAlreadyStored);
  EXPECT_EQ(Count("run"), 1);
}

TEST_F(Ingest, EveryWayNotToFinishIsTakenWithItsReason) {
  std::uint64_t seed = 0;
  for (const RunState state :
       {RunState::kFailed, RunState::kTimeout, RunState::kOom,
        RunState::kKilled, RunState::kLost, RunState::kSkipped,
        RunState::kNotApplicable}) {
    const IngestResult result = IngestUnfinished(
        store_,
        RecordOf({.seed = seed++, .state = state, .reason = "because"}));
    EXPECT_EQ(result.state, state);
  }
  for (const RunState state :
       {RunState::kPlanned, RunState::kRunning, RunState::kDone}) {
    EXPECT_THROW(IngestUnfinished(
                     store_, RecordOf({.state = state, .reason = "because"})),
                 ConfigError);
  }
  EXPECT_THROW(IngestUnfinished(store_, RecordOf({.state = RunState::kOom})),
               ConfigError);
  EXPECT_EQ(Count("run"), 7);
}

TEST_F(Ingest, ANanFailsTheRunAndNamesRowAndClass) {
  const IngestResult result = Take("a", {.nan_at = 3 * 3 + 1});
  EXPECT_EQ(result.state, RunState::kFailed);
  EXPECT_EQ(result.reason,
            "scores/test.npy: the score of row 3, class 1 'class 1' is NaN");
  const auto runs = Runs(store_);
  ASSERT_EQ(runs.size(), 1U);
  EXPECT_EQ(runs[0].state, RunState::kFailed);
  EXPECT_EQ(runs[0].reason, result.reason);
  EXPECT_EQ(Count("metric"), 0);
  EXPECT_EQ(IngestBundle(store_, scratch_.path() / "a", facts_).outcome,
            IngestOutcome::kAlreadyStored);
}

TEST_F(Ingest, ScoresAreKeptUnderTheirHash) {
  const IngestResult result = Take("a");
  const auto scores = Scores(store_, result.run_id);
  ASSERT_EQ(scores.size(), 1U);
  EXPECT_EQ(Sha256File(scores[0].path), scores[0].sha256);
  EXPECT_EQ(scores[0].path, store_.Blob(scores[0].sha256));
  // The bundle may go; the scores stay.
  fs::remove_all(scratch_.path() / "a");
  EXPECT_EQ(Sha256File(scores[0].path), scores[0].sha256);
}

TEST_F(Ingest, ADamagedBlobIsReplacedWhenItsScoresComeAgain) {
  const IngestResult result = Take("a");
  const auto scores = Scores(store_, result.run_id);
  fs::remove(scores[0].path);
  WriteFileAtomic(scores[0].path, "damaged");
  // Another run with the same scores: no method may be so deterministic, but a
  // build that changes nothing is.
  Take("b", {.build = "build-2"});
  EXPECT_EQ(Sha256File(scores[0].path), scores[0].sha256);
}

TEST_F(Ingest, ScoresOfEpochsHaveMeansOnly) {
  const IngestResult result =
      Take("a", {.scores = {"test", "test.epoch-2", "test.epoch-10"}});
  const auto scores = Scores(store_, result.run_id);
  ASSERT_EQ(scores.size(), 3U);
  EXPECT_EQ(scores[1].name, "test.epoch-2");
  EXPECT_EQ(scores[1].split, "test");
  EXPECT_EQ(Count("metric"), 3 * 9 * 4);
  EXPECT_EQ(Count("class_metric"), 9 * 3);
  // Each was one look at the test labels.
  EXPECT_EQ(store_.sql().Int("SELECT test_evaluations FROM run"), 3);
}

TEST_F(Ingest, ScoresOfEpisodesHaveLabelsOfTheirOwn) {
  SplitFacts episode = facts_.splits[1];
  episode.episode = 4;
  episode.list_sha256 = "episode-list";
  facts_.splits.push_back(episode);
  const IngestResult result = Take("a", {.scores = {"test.episode-4"}});
  EXPECT_EQ(Scores(store_, result.run_id)[0].list_sha256, "episode-list");
  ExpectRefused(Write("b", {.seed = 1, .scores = {"test.episode-5"}}),
                "no split 'test.episode-5'");
}

TEST_F(Ingest, ALookAtTheTestLabelsIsCounted) {
  Take("a");
  CountTestEvaluation(store_, RunKey(SpecOf({})));
  CountTestEvaluation(store_, "no such key");
  EXPECT_EQ(store_.sql().Int("SELECT test_evaluations FROM run"), 2);
}

TEST_F(Ingest, ALimitedRunIsBrandedPartial) {
  RunRecord record = RecordOf({.state = RunState::kOom, .reason = "2 GiB"});
  record.spec.identity.limit = 4;
  IngestUnfinished(store_, record);
  EXPECT_EQ(Runs(store_, {.tag = "partial"}).size(), 1U);
  EXPECT_EQ(Runs(store_)[0].tags,
            (std::vector<std::string>{"note=first try", "partial"}));
}

TEST_F(Ingest, AChangedByteIsRefusedAndNamed) {
  const fs::path bundle = Write("a", {});
  std::string bytes = ReadFile(bundle / "scores/test.npy");
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  WriteFileAtomic(bundle / "scores/test.npy", bytes);
  ExpectRefused(bundle, "scores/test.npy");
}

TEST_F(Ingest, AnUnsealedBundleIsRefused) {
  const fs::path bundle = Write("a", {});
  fs::remove(bundle / "DONE");
  ExpectRefused(bundle, "DONE");
}

TEST_F(Ingest, ScoresOfOtherShapeAreRefused) {
  const fs::path bundle = Write("a", {});
  facts_ = SampleFacts(9, 3);
  ExpectRefused(bundle, "8 rows and 3 classes, the split 'test' has 9 and 3");
  facts_ = SampleFacts(8, 4);
  ExpectRefused(bundle, "8 rows and 3 classes, the split 'test' has 8 and 4");
}

TEST_F(Ingest, ARunOnAnotherListIsRefused) {
  const fs::path bundle = Write("a", {});
  facts_.splits[1].list_sha256 = "changed";
  ExpectRefused(bundle,
                "another 'test' list of embedded: its hash is "
                "test-list, here it is changed");
}

TEST_F(Ingest, MissingLabelsAreRefused) {
  const fs::path bundle = Write("a", {});
  facts_.splits[1].positive.clear();
  ExpectRefused(bundle, "the labels of split 'test' have 0 cells");
}

TEST_F(Ingest, WordsThatTheStoreDoesNotKnowAreNamed) {
  const fs::path bundle = Write("a", {});
  facts_.classes[1].group = "middle";
  ExpectRefused(bundle,
                "the group of class 'class 1' is 'middle', expected "
                "head|medium|tail|base|novel");
}

TEST_F(Ingest, ATaskWithoutScoresIsARunWithoutNumbers) {
  const fs::path folder = scratch_.path() / "task";
  fs::create_directories(folder);
  RunRecord record = RecordOf({});
  record.spec.identity.scores = false;
  WriteFileAtomic(folder / "run.json", Canonical(ToJson(record)));
  SealBundle(folder);
  const IngestResult result = IngestBundle(store_, folder, facts_);
  EXPECT_EQ(result.state, RunState::kDone);
  EXPECT_EQ(Count("run"), 1);
  EXPECT_EQ(Count("score"), 0);
}

TEST_F(Ingest, TheEpochPickedOnTestIsStoredBesideTheLast) {
  const SampleRun run{
      .scores = {"test.epoch-1", "test.epoch-2", "test.epoch-3", "test"}};
  WriteBundle(scratch_.path() / "a", run, facts_);
  const fs::path folder = scratch_.path() / "a";
  RunRecord record = ReadBundle(folder);
  record.spec.identity.selection = "best_on_test";
  WriteFileAtomic(folder / "run.json", Canonical(ToJson(record)));
  SealBundle(folder);
  const IngestResult result = IngestBundle(store_, folder, facts_);
  const auto total = [&](const std::string& scores) {
    const MetricMap map = MetricsOf(store_, result.run_id, scores);
    return *map.at(IdOf(Definition{})).at("total");
  };
  const double best = total("test.best_on_test");
  std::int64_t epoch = 0;
  for (const int e : {1, 2, 3}) {
    const double value = total(StrCat("test.epoch-", e));
    EXPECT_LE(value, best);
    if (epoch == 0 && value == best) epoch = e;
  }
  EXPECT_EQ(store_.sql().Int("SELECT step FROM curve WHERE name = 'selected'"),
            epoch);
  EXPECT_GT(MetricsOf(store_, result.run_id, "test").size(), 0u);
  // Four matrices were looked at; the copy of one is no further look.
  EXPECT_EQ(store_.sql().Int("SELECT test_evaluations FROM run"), 4);
}

TEST_F(Ingest, EachEpisodeHasTheEpochPickedForItBesideItsLast) {
  for (const int episode : {1, 2}) {
    SplitFacts query = facts_.splits.back();
    query.role = "query";
    query.episode = episode;
    facts_.splits.push_back(query);
  }
  SampleRun run{.scores = {}};
  for (const int k : {1, 2}) {
    for (const int e : {1, 2, 3}) {
      run.scores.push_back(StrCat("test.epoch-", e, ".episode-", k));
    }
    run.scores.push_back(StrCat("test.episode-", k));
  }
  const fs::path folder = scratch_.path() / "a";
  WriteBundle(folder, run, facts_);
  RunRecord record = ReadBundle(folder);
  record.spec.identity.selection = "best_on_test";
  WriteFileAtomic(folder / "run.json", Canonical(ToJson(record)));
  SealBundle(folder);
  const IngestResult result = IngestBundle(store_, folder, facts_);
  const std::string step = IdOf(Definition{});
  const auto total = [&](const std::string& scores) {
    return *MetricsOf(store_, result.run_id, scores).at(step).at("total");
  };
  double sum = 0;
  for (const int k : {1, 2}) {
    const double best = total(StrCat("test.best_on_test.episode-", k));
    std::int64_t epoch = 0;
    for (const int e : {1, 2, 3}) {
      const double value = total(StrCat("test.epoch-", e, ".episode-", k));
      EXPECT_LE(value, best);
      if (epoch == 0 && value == best) epoch = e;
    }
    Statement chosen =
        store_.sql().Prepare("SELECT step FROM curve WHERE name = ?");
    chosen.Bind(StrCat("episode-", k, "/selected"));
    ASSERT_TRUE(chosen.Step());
    EXPECT_EQ(chosen.Int(0), epoch);
    sum += best;
  }
  EXPECT_DOUBLE_EQ(total("test.best_on_test"), sum / 2);
  const auto rows = Metrics(store_, result.run_id);
  const auto last = EpisodeValues(rows, step);
  ASSERT_EQ(last.size(), 2u);
  EXPECT_DOUBLE_EQ(total("test"), (last[0] + last[1]) / 2);
  EXPECT_EQ(EpisodeValues(rows, step, "total", "test.best_on_test").size(), 2u);
  EXPECT_EQ(
      ClassMetrics(store_, result.run_id, step, "test.best_on_test").size(),
      3u);
  // Eight matrices were looked at.
  EXPECT_EQ(store_.sql().Int("SELECT test_evaluations FROM run"), 8);
  // The views go by the last epochs.
  Statement view = store_.sql().Prepare(
      "SELECT mean, episodes FROM episodes WHERE definition = ? AND grp = "
      "'total'");
  ASSERT_TRUE(view.Bind(step).Step());
  EXPECT_DOUBLE_EQ(view.Real(0), total("test"));
  EXPECT_EQ(view.Int(1), 2);
}

TEST_F(Ingest, LooksAtTheTestLabelsWhileTrainingAreCounted) {
  const fs::path folder = Write("a", {});
  WriteFileAtomic(folder / "feedback.jsonl", "{}\n{}\n{}\n");
  SealBundle(folder);
  IngestBundle(store_, folder, facts_);
  EXPECT_EQ(store_.sql().Int("SELECT test_evaluations FROM run"), 4);
}

TEST_F(Ingest, ARunOverEpisodesHasTheirMean) {
  for (const int episode : {1, 2}) {
    SplitFacts query = facts_.splits.back();
    query.role = "query";
    query.episode = episode;
    facts_.splits.push_back(query);
  }
  const SampleRun run{.scores = {"test.episode-1", "test.episode-2"}};
  const IngestResult result = Take("a", run);
  const auto rows = Metrics(store_, result.run_id);
  const std::string step = IdOf(Definition{});
  const auto values = EpisodeValues(rows, step);
  ASSERT_EQ(values.size(), 2u);
  EXPECT_NE(values[0], values[1]);
  const MetricMap mean = MetricsOf(store_, result.run_id);
  EXPECT_DOUBLE_EQ(*mean.at(step).at("total"), (values[0] + values[1]) / 2);
  const auto classes = ClassMetrics(store_, result.run_id, step);
  const auto one = ClassMetrics(store_, result.run_id, step, "test.episode-1");
  const auto two = ClassMetrics(store_, result.run_id, step, "test.episode-2");
  ASSERT_EQ(classes.size(), 3u);
  EXPECT_DOUBLE_EQ(*classes[1].value, (*one[1].value + *two[1].value) / 2);
  Statement views = store_.sql().Prepare(
      "SELECT l.mean, e.mean, e.episodes FROM leaderboard l JOIN episodes e "
      "USING (recipe, definition, grp) WHERE l.definition = ? AND l.grp = "
      "'total'");
  ASSERT_TRUE(views.Bind(step).Step());
  EXPECT_DOUBLE_EQ(views.Real(0), (values[0] + values[1]) / 2);
  EXPECT_DOUBLE_EQ(views.Real(1), views.Real(0));
  EXPECT_EQ(views.Int(2), 2);
}

TEST_F(Ingest, DoneWithoutScoresIsNoResult) {
  ExpectRefused(Write("a", {.scores = {}}), "names no scores");
}

TEST_F(Ingest, EqualImagesWithOtherClassesAreAnotherDataset) {
  Take("a");
  facts_.classes[0].train_positives = 1;
  Take("b", {.seed = 1});
  EXPECT_EQ(Count("dataset"), 2);
  EXPECT_EQ(Count("method"), 1);
}

}  // namespace
}  // namespace tailmark
