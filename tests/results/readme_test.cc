// The queries that results/README.md shows are run as they stand there.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "harness/base/files.h"
#include "results/campaign.h"
#include "results/ingest.h"
#include "results/maintenance.h"
#include "results/sql.h"
#include "tests/record/sample.h"
#include "tests/results/samples.h"

namespace tailmark {
namespace {

/// What stands between ```sql and ```.
std::vector<std::string> QueriesIn(const std::string& text) {
  const std::string open = "```sql\n";
  std::vector<std::string> queries;
  for (auto at = text.find(open); at != text.npos; at = text.find(open, at)) {
    at += open.size();
    const auto end = text.find("```", at);
    queries.push_back(text.substr(at, end - at));
    at = end;
  }
  return queries;
}

/// A store in which every question has an answer.
void Fill(Store& store, const std::filesystem::path& folder) {
  DatasetFacts facts = SampleFacts();
  for (const int episode : {1, 2}) {
    SplitFacts query = facts.splits[1];
    query.episode = episode;
    facts.splits.push_back(query);
  }
  std::vector<PlannedRun> plan;
  const auto take = [&](const SampleRun& run) {
    plan.push_back({.spec = SpecOf(run), .label = run.method, .reason = ""});
    const auto bundle = folder / std::to_string(plan.size());
    WriteBundle(bundle, run, facts);
    IngestBundle(store, bundle, facts);
  };
  for (const std::uint64_t seed : {0U, 1U, 2U}) {
    take({.method = "linear_probe",
          .seed = seed,
          .scores = {"test", "test.epoch-1", "test.epoch-2"}});
    take({.method = "zero_shot_clip", .seed = seed});
  }
  take({.method = "zero_shot_clip", .build = "build-2"});
  take({.method = "zero_shot_clip", .started_utc = "later", .salt = 1});
  take({.method = "few", .scores = {"test.episode-1", "test.episode-2"}});
  take({.method = "slow", .state = RunState::kTimeout, .reason = "1 h"});
  plan.push_back({.spec = SpecOf({.method = "missing"}),
                  .label = "missing",
                  .reason = ""});
  RegisterCampaign(store, {.name = "quickstart", .command = "", .runs = plan});
}

TEST(ResultsReadme, EveryQueryRunsAndAnswers) {
  const ScratchFolder scratch;
  Store store(scratch.path() / "store");
  Fill(store, scratch.path());
  const auto queries = QueriesIn(ReadFile(TM_SOURCE_DIR "/results/README.md"));
  EXPECT_GE(queries.size(), 12U);
  for (const std::string& query : queries) {
    Table table;
    ASSERT_NO_THROW(table = QueryStore(store, query)) << query;
    EXPECT_FALSE(table.rows.empty()) << query;
  }
}

TEST(ResultsReadme, EveryTableIsDescribed) {
  const ScratchFolder scratch;
  const Store store(scratch.path() / "store");
  const std::string text = ReadFile(TM_SOURCE_DIR "/results/README.md");
  Statement tables = store.sql().Prepare(
      "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name "
      "NOT LIKE 'sqlite_%'");
  while (tables.Step()) {
    EXPECT_NE(text.find("`" + tables.Text(0) + "`"), std::string::npos)
        << tables.Text(0);
  }
}

}  // namespace
}  // namespace tailmark
