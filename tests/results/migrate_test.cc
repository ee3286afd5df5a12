#include "results/migrate.h"

#include <gtest/gtest.h>

#include <array>

#include "harness/base/error.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;

// A history of its own: what is tested is the way, not today's tables.
constexpr Migration kFirst = {
    1,
    "CREATE TABLE parent(id INTEGER PRIMARY KEY) STRICT;"
    "CREATE TABLE child(id INTEGER PRIMARY KEY, parent INTEGER NOT NULL "
    "REFERENCES parent) STRICT;"};
// Rebuilds a table that others refer to, as ALTER TABLE cannot.
constexpr Migration kSecond = {
    2,
    "CREATE TABLE new_parent(id INTEGER PRIMARY KEY, name TEXT NOT NULL) "
    "STRICT;"
    "INSERT INTO new_parent SELECT id, 'p' || id FROM parent;"
    "DROP TABLE parent; ALTER TABLE new_parent RENAME TO parent;"};
constexpr Migration kThird = {3, "CREATE TABLE more(id INTEGER) STRICT"};
constexpr Migration kFails = {
    3, "CREATE TABLE more(id INTEGER) STRICT; DELETE FROM nothing"};
constexpr Migration kLosesAReference = {3, "DELETE FROM parent"};

constexpr std::array kOne = {kFirst};
constexpr std::array kThree = {kFirst, kSecond, kThird};
constexpr std::array kBroken = {kFirst, kSecond, kFails};
constexpr std::array kDangling = {kFirst, kSecond, kLosesAReference};

class Migrations : public ::testing::Test {
 protected:
  Migrations() : file_(scratch_.path() / "x.sqlite") {
    Sql sql(file_, SqlAccess::kCreate, 1);
    Migrate(sql, kOne);
    sql.Exec("INSERT INTO parent VALUES(5); INSERT INTO child VALUES(1, 5)");
  }
  static std::int64_t Version(const fs::path& file) {
    return Sql(file, SqlAccess::kRead, 1).Int("PRAGMA user_version");
  }

  ScratchFolder scratch_;
  fs::path file_;
};

TEST_F(Migrations, AnOldDatabaseGoesEveryStepAndKeepsItsRows) {
  Sql sql(file_, SqlAccess::kWrite, 1);
  Migrate(sql, kThree);
  EXPECT_EQ(sql.Int("PRAGMA user_version"), 3);
  EXPECT_EQ(sql.Text("SELECT p.name FROM child c JOIN parent p ON p.id = "
                     "c.parent"),
            "p5");
  EXPECT_EQ(sql.Int("PRAGMA foreign_keys"), 1);
  EXPECT_THROW(sql.Exec("INSERT INTO child VALUES(2, 6)"), StoreError);
}

TEST_F(Migrations, ACopyOfTheOldDatabaseIsKept) {
  {
    Sql sql(file_, SqlAccess::kWrite, 1);
    Migrate(sql, kThree);
  }
  const fs::path copy = file_.string() + ".before-v3";
  ASSERT_TRUE(fs::exists(copy));
  EXPECT_EQ(Version(copy), 1);
  EXPECT_EQ(Sql(copy, SqlAccess::kRead, 1).Int("SELECT parent FROM child"), 5);
}

TEST_F(Migrations, ANewDatabaseNeedsNoCopy) {
  const fs::path file = scratch_.path() / "new.sqlite";
  Sql sql(file, SqlAccess::kCreate, 1);
  Migrate(sql, kThree);
  EXPECT_FALSE(fs::exists(file.string() + ".before-v3"));
}

TEST_F(Migrations, AStepThatFailsLeavesTheOldDatabase) {
  {
    Sql sql(file_, SqlAccess::kWrite, 1);
    EXPECT_THROW(Migrate(sql, kBroken), StoreError);
    EXPECT_EQ(sql.Int("PRAGMA foreign_keys"), 1);
  }
  EXPECT_EQ(Version(file_), 1);
  const Sql sql(file_, SqlAccess::kRead, 1);
  EXPECT_EQ(sql.Int("SELECT count(*) FROM sqlite_schema WHERE name = 'more'"),
            0);
  EXPECT_EQ(sql.Int("SELECT parent FROM child"), 5);
}

TEST_F(Migrations, AReferenceThatWouldBreakStopsIt) {
  {
    Sql sql(file_, SqlAccess::kWrite, 1);
    try {
      Migrate(sql, kDangling);
      FAIL() << "a child without a parent was accepted";
    } catch (const StoreError& error) {
      EXPECT_NE(std::string(error.what()).find("table 'child'"),
                std::string::npos)
          << error.what();
    }
  }
  EXPECT_EQ(Version(file_), 1);
}

TEST_F(Migrations, TheLastVersionIsLeftAlone) {
  {
    Sql sql(file_, SqlAccess::kWrite, 1);
    Migrate(sql, kThree);
  }
  fs::remove(file_.string() + ".before-v3");
  Sql sql(file_, SqlAccess::kWrite, 1);
  Migrate(sql, kThree);
  EXPECT_FALSE(fs::exists(file_.string() + ".before-v3"));
}

TEST_F(Migrations, AProgramThatIsTooOldRefuses) {
  Sql sql(file_, SqlAccess::kWrite, 1);
  Migrate(sql, kThree);
  EXPECT_THROW(Migrate(sql, kOne), StoreError);
  EXPECT_EQ(sql.Int("PRAGMA user_version"), 3);
}

TEST_F(Migrations, TheSecondOfTwoProcessesFindsItDone) {
  Sql first(file_, SqlAccess::kWrite, 5);
  Sql second(file_, SqlAccess::kWrite, 5);
  EXPECT_EQ(StoreVersion(second, kThree), 1);
  Migrate(first, kThree);
  Migrate(second, kThree);
  EXPECT_EQ(second.Int("SELECT count(*) FROM parent"), 1);
}

TEST(MigrationList, OursIsWithoutGaps) {
  int expected = 0;
  for (const Migration& step : StoreMigrations()) {
    EXPECT_EQ(step.version, ++expected);
    EXPECT_FALSE(step.sql.empty());
  }
}

}  // namespace
}  // namespace tailmark
