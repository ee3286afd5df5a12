#include "results/maintenance.h"

#include <gtest/gtest.h>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "results/ingest.h"
#include "results/query.h"
#include "results/sql.h"
#include "tests/record/sample.h"
#include "tests/results/samples.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;

class Maintenance : public ::testing::Test {
 protected:
  Maintenance() : store_(scratch_.path() / "store") {
    for (std::uint64_t seed = 0; seed < 3; ++seed) {
      const SampleRun run{.seed = seed};
      const fs::path bundle = store_.Bundle(RunKey(SpecOf(run)));
      WriteBundle(bundle, run, facts_);
      run_ = IngestBundle(store_, bundle, facts_).run_id;
    }
  }
  fs::path BlobOf(std::int64_t run) { return Scores(store_, run)[0].path; }
  /// The one finding.
  Defect Only() {
    const CheckResult result = CheckStore(store_);
    EXPECT_EQ(result.defects.size(), 1U);
    return result.defects.empty() ? Defect{} : result.defects[0];
  }
  std::string Refusal(std::string_view sql) {
    try {
      (void)QueryStore(store_, sql);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  }

  DatasetFacts facts_ = SampleFacts();
  ScratchFolder scratch_;
  Store store_;
  std::int64_t run_ = 0;
};

TEST_F(Maintenance, ASoundStoreHasNoFindings) {
  const CheckResult result = CheckStore(store_);
  EXPECT_TRUE(result.ok());
  EXPECT_TRUE(result.defects.empty());
  EXPECT_EQ(result.runs, 3);
  EXPECT_EQ(result.blobs, 3);
  EXPECT_EQ(result.bundles, 3);
  EXPECT_GT(result.blob_bytes, 3 * 8 * 3 * 4);
}

TEST_F(Maintenance, AChangedBlobIsFoundAndItsRunNamed) {
  // A file of its own: the blob is a link to the bundle's.
  std::string bytes = ReadFile(BlobOf(run_));
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  WriteFileAtomic(BlobOf(run_), bytes);
  const Defect found = Only();
  EXPECT_EQ(found.kind, "blob");
  EXPECT_NE(found.what.find(BlobOf(run_).string()), std::string::npos);
  EXPECT_NE(found.what.find(RunKey(SpecOf({.seed = 2}))), std::string::npos);
  EXPECT_FALSE(CheckStore(store_).ok());
}

TEST_F(Maintenance, AMissingBlobIsFound) {
  fs::remove(BlobOf(run_));
  EXPECT_EQ(Only().kind, "blob");
}

TEST_F(Maintenance, AChangedBundleIsFound) {
  WriteFileAtomic(store_.Bundle(RunKey(SpecOf({}))) / "run.json", "{}");
  const Defect found = Only();
  EXPECT_EQ(found.kind, "bundle");
  EXPECT_NE(found.what.find("run.json"), std::string::npos);
  EXPECT_NE(found.what.find("`tailmark run --force` makes it again"),
            std::string::npos)
      << found.what;
}

TEST_F(Maintenance, AChangedRecordOfAFailureIsFoundAndMayBeRemoved) {
  const fs::path done = store_.Bundle(RunKey(SpecOf({})));
  const fs::path failed = done.string() + ".failed";
  fs::copy(done, failed, fs::copy_options::recursive);
  WriteFileAtomic(failed / "run.json", "{}");
  const Defect found = Only();
  EXPECT_NE(found.what.find("failed; remove the folder"), std::string::npos)
      << found.what;
  fs::remove_all(failed);
  EXPECT_TRUE(CheckStore(store_).ok());
}

TEST_F(Maintenance, ABrokenReferenceIsFound) {
  store_.sql().Exec(
      "PRAGMA foreign_keys = OFF; UPDATE run SET method_id = 77 WHERE seed = "
      "0");
  const Defect found = Only();
  EXPECT_EQ(found.kind, "reference");
  EXPECT_NE(found.what.find("'method'"), std::string::npos) << found.what;
}

TEST_F(Maintenance, AnOrphanIsFoundAndRemovedAndNothingElse) {
  const fs::path orphan = store_.Blob(std::string(64, 'a'));
  MakeFolders(orphan.parent_path());
  WriteFileAtomic(orphan, std::string(1000, 'x'));
  const Defect found = Only();
  EXPECT_EQ(found.kind, "orphan");
  EXPECT_TRUE(CheckStore(store_).ok());
  const VacuumResult result = VacuumStore(store_);
  EXPECT_EQ(result.files_removed, 1);
  EXPECT_GE(result.bytes_freed, 1000);
  EXPECT_FALSE(fs::exists(orphan));
  EXPECT_TRUE(CheckStore(store_).defects.empty());
  EXPECT_EQ(CheckStore(store_).blobs, 3);
}

TEST_F(Maintenance, ADamagedPageIsFound) {
  (void)store_.sql().Text("PRAGMA wal_checkpoint(TRUNCATE)");
  const fs::path copy = scratch_.path() / "damaged";
  MakeFolders(copy);
  std::string bytes = ReadFile(store_.database());
  // The header stays; pages in the middle become noise.
  for (std::size_t i = bytes.size() / 2; i < bytes.size() / 2 + 8192; ++i) {
    bytes[i] = static_cast<char>(i * 31);
  }
  WriteFileAtomic(copy / "tailmark.sqlite", bytes);
  const Store damaged(copy, {.read_only = true});
  EXPECT_FALSE(CheckStore(damaged).ok());
}

TEST_F(Maintenance, AQueryAnswersWithTypes) {
  const Table table =
      QueryStore(store_,
                 "SELECT seed, 1.5 AS x, NULL, 'a', x'00ff' FROM run "
                 "ORDER BY seed; -- and no more ;");
  EXPECT_EQ(table.columns[0], "seed");
  EXPECT_EQ(table.columns[1], "x");
  ASSERT_EQ(table.rows.size(), 3U);
  EXPECT_EQ(std::get<std::int64_t>(table.rows[2][0]), 2);
  EXPECT_EQ(ToText(table.rows[0][1]), "1.5");
  EXPECT_EQ(ToText(table.rows[0][2]), "");
  EXPECT_EQ(ToText(table.rows[0][3]), "a");
  EXPECT_EQ(ToText(table.rows[0][4]), "00ff");
  EXPECT_FALSE(table.truncated);
}

TEST_F(Maintenance, AQueryKeepsEveryDigit) {
  const Table table = QueryStore(store_, "SELECT 0.1 + 0.2");
  EXPECT_EQ(ToText(table.rows[0][0]), "0.30000000000000004");
}

TEST_F(Maintenance, AQueryStopsAtItsLimit) {
  const Table table = QueryStore(store_, "SELECT * FROM run", 2);
  EXPECT_EQ(table.rows.size(), 2U);
  EXPECT_TRUE(table.truncated);
}

TEST_F(Maintenance, NothingThatWritesGetsThrough) {
  const std::string before = ReadFile(store_.database());
  for (const char* sql :
       {"DELETE FROM run", "UPDATE run SET seed = 1", "DROP TABLE run",
        "INSERT INTO recipe VALUES('a', '{}')", "CREATE TABLE t(a)",
        "CREATE TEMP TABLE t(a)", "ATTACH '/tmp/other.sqlite' AS o", "VACUUM",
        "VACUUM INTO '/tmp/other.sqlite'", "PRAGMA user_version = 9",
        "PRAGMA query_only = OFF", "PRAGMA journal_mode = delete",
        "PRAGMA writable_schema = ON", "BEGIN IMMEDIATE", "REINDEX",
        "WITH x AS (SELECT 1) DELETE FROM run", "EXPLAIN DELETE FROM run",
        "SELECT load_extension('x')", "DELETE FROM run RETURNING id"}) {
    EXPECT_NE(Refusal(sql), "") << sql;
  }
  EXPECT_EQ(store_.sql().Int("SELECT count(*) FROM run"), 3);
  EXPECT_EQ(ReadFile(store_.database()), before);
}

TEST_F(Maintenance, ASecondStatementIsRefused) {
  EXPECT_NE(Refusal("SELECT 1; SELECT 2").find("one statement"),
            std::string::npos);
  EXPECT_NE(Refusal("SELECT 1; DELETE FROM run"), "");
  EXPECT_NE(Refusal(""), "");
  EXPECT_NE(Refusal("-- nothing"), "");
  EXPECT_EQ(Refusal("SELECT 1;; -- end"), "");
}

TEST_F(Maintenance, WrongSqlIsExplainedInSqlitesWords) {
  EXPECT_NE(Refusal("SELEC 1").find("syntax error"), std::string::npos);
  EXPECT_NE(Refusal("SELECT * FROM runs").find("no such table: runs"),
            std::string::npos);
}

TEST_F(Maintenance, AHugeValueIsRefusedAndNotBuilt) {
  EXPECT_NE(Refusal("SELECT zeroblob(2000000000)"), "");
}

TEST_F(Maintenance, PragmasThatTellMayBeAsked) {
  EXPECT_EQ(Refusal("PRAGMA table_info(run)"), "");
  EXPECT_EQ(Refusal("PRAGMA user_version"), "");
  EXPECT_EQ(Refusal("SELECT name FROM pragma_table_list"), "");
  EXPECT_EQ(Refusal("SELECT name FROM pragma_table_info('run')"), "");
}

TEST_F(Maintenance, RecordedJsonCanBeTakenApart) {
  const Table table = QueryStore(
      store_,
      "SELECT j.key, j.value FROM recipe, json_each(recipe.json) j WHERE j.key "
      "= 'dataset'");
  ASSERT_EQ(table.rows.size(), 1U);
  EXPECT_EQ(ToText(table.rows[0][1]), "embedded");
}

TEST_F(Maintenance, AQueryWorksOnAStoreThatIsBeingWritten) {
  const Transaction busy(store_.sql());
  store_.sql().Exec("UPDATE run SET seed = seed + 100");
  EXPECT_EQ(ToText(QueryStore(store_, "SELECT max(seed) FROM run").rows[0][0]),
            "2");
}

}  // namespace
}  // namespace tailmark
