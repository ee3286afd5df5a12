// What the schema itself refuses, whatever the code above it does.

#include <gtest/gtest.h>

#include "harness/base/error.h"
#include "results/ingest.h"
#include "results/sql.h"
#include "tests/record/sample.h"
#include "tests/results/samples.h"

namespace tailmark {
namespace {

class Schema : public ::testing::Test {
 protected:
  Schema() : store_(scratch_.path() / "store") {
    const DatasetFacts facts = SampleFacts();
    WriteBundle(scratch_.path() / "bundle", {}, facts);
    run_ = IngestBundle(store_, scratch_.path() / "bundle", facts).run_id;
  }
  /// SQLite's words, or "" when it took the statement.
  std::string Refusal(const std::string& statement) {
    try {
      store_.sql().Exec(statement);
    } catch (const StoreError& error) {
      return error.what();
    }
    return "";
  }
  void ExpectRefused(const std::string& statement, const std::string& why) {
    const std::string refusal = Refusal(statement);
    EXPECT_NE(refusal.find(why), std::string::npos)
        << statement << "\n-> " << refusal;
  }

  ScratchFolder scratch_;
  Store store_;
  std::int64_t run_ = 0;
};

TEST_F(Schema, AMetricNeedsADefinition) {
  ExpectRefused(
      "INSERT INTO metric(score_id, definition_id, grp, value, classes, "
      "undefined_classes) VALUES(1, 999, 'total', 1, 3, 0)",
      "FOREIGN KEY");
}

TEST_F(Schema, UndefinedIsNullAndNeverZero) {
  ExpectRefused("UPDATE metric SET value = 0, classes = 0", "CHECK");
  ExpectRefused("UPDATE metric SET value = NULL", "CHECK");
  EXPECT_EQ(Refusal("UPDATE metric SET value = NULL, classes = 0"), "");
}

TEST_F(Schema, AKeyIsDoneOnce) {
  ExpectRefused(
      "INSERT INTO run(key, attempt, record_sha256, recipe, seed, method_id, "
      "dataset_id, code_id, state, selection, options, seeds, created_utc) "
      "SELECT key, 2, 'other', recipe, seed, method_id, dataset_id, code_id, "
      "'done', 'last', '{}', '{}', '' FROM run",
      "UNIQUE");
}

TEST_F(Schema, OnlyAFinishedRunHasNoReason) {
  ExpectRefused("UPDATE run SET reason = 'x'", "CHECK");
  ExpectRefused("UPDATE run SET state = 'failed'", "CHECK");
  ExpectRefused("UPDATE run SET state = 'finished', reason = 'x'", "CHECK");
  EXPECT_EQ(Refusal("UPDATE run SET state = 'failed', reason = 'x'"), "");
}

TEST_F(Schema, TypesAreStrict) {
  ExpectRefused("UPDATE run SET seed = 'one'", "TEXT value in INTEGER");
  ExpectRefused("UPDATE recipe SET json = '{'", "CHECK");
}

TEST_F(Schema, WordsAreClosedSets) {
  ExpectRefused("UPDATE class SET grp = 'middle'", "CHECK");
  ExpectRefused("UPDATE split SET role = 'testing'", "CHECK");
  ExpectRefused("UPDATE run SET selection = 'best'", "CHECK");
  ExpectRefused("UPDATE method SET kind = 'magic'", "CHECK");
  ExpectRefused("UPDATE score SET scale = 'sigmoid'", "CHECK");
}

TEST_F(Schema, ABaselineNeedsAReason) {
  ExpectRefused("INSERT INTO baseline VALUES('main', 1, '', 'me', ' ')",
                "CHECK");
  EXPECT_EQ(Refusal("INSERT INTO baseline VALUES('main', 1, '', 'me', 'so')"),
            "");
  // And an accepted run stays.
  ExpectRefused("DELETE FROM run", "FOREIGN KEY");
}

TEST_F(Schema, AVerdictNeedsADefinitionAndAKnownOutcome) {
  const std::string start =
      "INSERT INTO verdict(kind, utc, subject, reference, definition_id, grp, "
      "test, outcome) VALUES('check', '', 'a', 'b', ";
  ExpectRefused(start + "999, 'total', 'none', 'pass')", "FOREIGN KEY");
  ExpectRefused(start + "1, 'total', 'none', 'fine')", "CHECK");
  EXPECT_EQ(Refusal(start + "1, 'total', 'none', 'pass')"), "");
}

TEST_F(Schema, APublishedCellIsThereOnce) {
  const std::string insert =
      "INSERT INTO published(source, table_label, row_label, dataset, grp, "
      "value, decimals, status) VALUES('s', 't', 'r', 'd', 'total', 1.5, 2, "
      "'primary')";
  EXPECT_EQ(Refusal(insert), "");
  ExpectRefused(insert, "UNIQUE");
}

TEST_F(Schema, ARunTakesAllThatIsItsOwnWithIt) {
  store_.sql().Exec("DELETE FROM run");
  for (const char* table :
       {"score", "metric", "class_metric", "diagnostic", "curve", "timing",
        "tag", "run_split", "run_weights", "run_event"}) {
    EXPECT_EQ(store_.sql().Int(StrCat("SELECT count(*) FROM ", table)), 0)
        << table;
  }
  EXPECT_EQ(store_.sql().Int("SELECT count(*) FROM dataset"), 1);
}

}  // namespace
}  // namespace tailmark
