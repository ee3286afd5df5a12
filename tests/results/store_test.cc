#include "results/store.h"

#include <gtest/gtest.h>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "results/migrate.h"
#include "results/sql.h"
#include "tests/record/sample.h"
#include "tests/results/samples.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;

/// The message of the StoreError that opening gives, or "".
std::string Refusal(const fs::path& folder, const StoreOptions& options = {}) {
  try {
    const Store store(folder, options);
  } catch (const StoreError& error) {
    return error.what();
  }
  return "";
}

TEST(Store, ANewStoreHasItsFoldersAndKnowsWhatItIs) {
  const ScratchFolder scratch;
  const Store store(scratch.path() / "made/here");
  EXPECT_TRUE(StoreExists(store.folder()));
  EXPECT_TRUE(fs::is_directory(store.bundles()));
  EXPECT_TRUE(fs::is_directory(store.folder() / "blobs"));
  EXPECT_EQ(store.sql().Int("PRAGMA application_id"), kStoreApplicationId);
  EXPECT_EQ(store.sql().Int("PRAGMA user_version"), store.version());
  EXPECT_EQ(store.sql().Int("PRAGMA foreign_keys"), 1);
  EXPECT_EQ(store.version(), StoreMigrations().back().version);
}

TEST(Store, EveryTableIsStrict) {
  const ScratchFolder scratch;
  const Store store(scratch.path());
  EXPECT_GT(store.sql().Int("SELECT count(*) FROM pragma_table_list WHERE "
                            "type = 'table' AND name NOT LIKE 'sqlite_%'"),
            20);
  EXPECT_EQ(
      store.sql().Text("SELECT group_concat(name) FROM pragma_table_list WHERE "
                       "type = 'table' AND name NOT LIKE 'sqlite_%' AND NOT "
                       "strict"),
      "");
}

TEST(Store, OpeningAgainChangesNothing) {
  const ScratchFolder scratch;
  { const Store store(scratch.path()); }
  const std::string before = ReadFile(scratch.path() / "tailmark.sqlite");
  { const Store store(scratch.path()); }
  { const Store store(scratch.path(), {.read_only = true}); }
  EXPECT_EQ(ReadFile(scratch.path() / "tailmark.sqlite"), before);
}

TEST(Store, ALocalDiskGetsALogAndANetworkDiskNone) {
  const ScratchFolder scratch;
  {
    const Store store(scratch.path(), {.journal = "wal"});
    EXPECT_EQ(store.journal(), "wal");
  }
  const Store store(scratch.path(), {.journal = "delete"});
  EXPECT_EQ(store.journal(), "delete");
  EXPECT_EQ(store.sql().Int("PRAGMA synchronous"), 2);
  EXPECT_FALSE(fs::exists(scratch.path() / "tailmark.sqlite-wal"));
  EXPECT_THROW(Store(scratch.path(), {.journal = "off"}), ConfigError);
}

TEST(Store, FileSystemsAreKnownByTheirMagic) {
  EXPECT_EQ(FileSystemOfMagic(0xEF53).name, "ext4");
  EXPECT_FALSE(FileSystemOfMagic(0xEF53).network);
  for (const std::uint64_t magic :
       {0x6969U, 0x0BD00BD0U, 0x47504653U, 0x19830326U, 0x65735546U}) {
    EXPECT_TRUE(FileSystemOfMagic(magic).network) << magic;
  }
  // As some kernels hand it out.
  EXPECT_EQ(FileSystemOfMagic(0xFFFFFFFF9123683EU).name, "btrfs");
  EXPECT_EQ(FileSystemOfMagic(0x1234).name, "unknown (0x1234)");
  EXPECT_TRUE(FileSystemOfMagic(0x1234).network);
  EXPECT_NE(FileSystemKind("/proc/no/such/place").name, "");
}

TEST(Store, ANewerStoreIsRefusedWithBothVersionsAndTheRemedy) {
  const ScratchFolder scratch;
  { const Store store(scratch.path()); }
  {
    Sql sql(scratch.path() / "tailmark.sqlite", SqlAccess::kWrite, 1);
    sql.Exec("PRAGMA user_version = 41");
  }
  for (const bool read_only : {false, true}) {
    const std::string refusal =
        Refusal(scratch.path(), {.read_only = read_only});
    EXPECT_NE(refusal.find("version 41"), std::string::npos) << refusal;
    EXPECT_NE(refusal.find(StrCat("up to ", StoreMigrations().back().version)),
              std::string::npos)
        << refusal;
    EXPECT_NE(refusal.find("Use a newer Tailmark"), std::string::npos);
  }
}

TEST(Store, AnotherProgramsDatabaseIsRefused) {
  const ScratchFolder scratch;
  {
    Sql sql(scratch.path() / "tailmark.sqlite", SqlAccess::kCreate, 1);
    sql.Exec("CREATE TABLE bookmarks(url TEXT); PRAGMA application_id = 7");
  }
  const std::string before = ReadFile(scratch.path() / "tailmark.sqlite");
  EXPECT_NE(Refusal(scratch.path()).find("another program"), std::string::npos);
  EXPECT_EQ(ReadFile(scratch.path() / "tailmark.sqlite"), before);
}

TEST(Store, AFileThatIsNoDatabaseIsRefused) {
  const ScratchFolder scratch;
  WriteFileAtomic(scratch.path() / "tailmark.sqlite", std::string(9000, 'x'));
  EXPECT_NE(Refusal(scratch.path()).find("no SQLite database"),
            std::string::npos);
  EXPECT_EQ(ReadFile(scratch.path() / "tailmark.sqlite").size(), 9000U);
}

TEST(Store, ATruncatedDatabaseIsRefused) {
  const ScratchFolder scratch;
  { const Store store(scratch.path(), {.journal = "delete"}); }
  fs::resize_file(scratch.path() / "tailmark.sqlite", 5000);
  EXPECT_NE(Refusal(scratch.path()).find("damaged"), std::string::npos)
      << Refusal(scratch.path());
}

TEST(Store, AnEmptyFileOfACrashedCreationIsFilled) {
  const ScratchFolder scratch;
  WriteFileAtomic(scratch.path() / "tailmark.sqlite", "");
  EXPECT_EQ(Refusal(scratch.path()), "");
}

TEST(Store, ReadingNeedsAStoreAndSaysHowToNameOne) {
  const ScratchFolder scratch;
  const std::string refusal = Refusal(scratch.path(), {.read_only = true});
  EXPECT_NE(refusal.find("--store"), std::string::npos) << refusal;
  EXPECT_TRUE(fs::is_empty(scratch.path()));
}

TEST(Store, AnOlderStoreIsNotReadBeforeItIsBroughtUpToDate) {
  const ScratchFolder scratch;
  WriteFileAtomic(scratch.path() / "tailmark.sqlite", "");
  const std::string refusal = Refusal(scratch.path(), {.read_only = true});
  EXPECT_NE(refusal.find("version 0"), std::string::npos) << refusal;
  EXPECT_NE(refusal.find("db migrate"), std::string::npos) << refusal;
}

TEST(Store, AReadOnlyStoreCannotBeWritten) {
  const ScratchFolder scratch;
  { const Store store(scratch.path()); }
  const Store store(scratch.path(), {.read_only = true});
  EXPECT_THROW(store.sql().Exec("INSERT INTO recipe VALUES('a', '{}')"),
               StoreError);
}

TEST(Store, ADatabaseWithoutALogIsReadAsImmutable) {
  const ScratchFolder scratch;
  { const Store store(scratch.path(), {.journal = "wal"}); }
  const Sql sql(scratch.path() / "tailmark.sqlite", SqlAccess::kImmutable, 0);
  EXPECT_EQ(sql.Int("PRAGMA application_id"), kStoreApplicationId);
  EXPECT_FALSE(fs::exists(scratch.path() / "tailmark.sqlite-shm"));
}

TEST(Store, APathWithOddCharactersIsAPath) {
  const ScratchFolder scratch;
  const fs::path folder = scratch.path() / "a b?mode=ro#%41 \xC3\xA4";
  { const Store store(folder); }
  EXPECT_TRUE(fs::exists(folder / "tailmark.sqlite"));
  EXPECT_EQ(Refusal(folder, {.read_only = true}), "");
}

TEST(Store, AFileInPlaceOfTheFolderIsAStoreError) {
  const ScratchFolder scratch;
  WriteFileAtomic(scratch.path() / "file", "x");
  EXPECT_NE(Refusal(scratch.path() / "file"), "");
}

TEST(Store, AStatementThatIsUsedAgainHoldsNothingOfItsLastUse) {
  const ScratchFolder scratch;
  const Store store(scratch.path());
  const std::string asked = "SELECT ?, name FROM sqlite_schema ORDER BY name";
  {
    Statement left = store.sql().Prepare(asked);
    left.Bind("mine");
    ASSERT_TRUE(left.Step());
    // Of one text, at the same time.
    Statement other = store.sql().Prepare(asked);
    ASSERT_TRUE(other.Step());
    EXPECT_EQ(left.Text(0), "mine");
    EXPECT_TRUE(other.IsNull(0));
  }
  // Neither is reading any more, so that the log can be emptied.
  EXPECT_EQ(store.sql().Int("PRAGMA wal_checkpoint(TRUNCATE)"), 0);
  for (int i = 0; i < 2; ++i) {
    Statement again = store.sql().Prepare(asked);
    ASSERT_TRUE(again.Step());
    EXPECT_TRUE(again.IsNull(0));
    EXPECT_EQ(again.Text(1), store.sql().Text("SELECT min(name) FROM "
                                              "sqlite_schema"));
  }
}

TEST(Store, AWriterThatWaitsTooLongIsToldSo) {
  const ScratchFolder scratch;
  Store first(scratch.path());
  const Transaction busy(first.sql());
  Store second(scratch.path(), {.busy_s = 0.02});
  try {
    const Transaction late(second.sql());
    FAIL() << "two writers at once";
  } catch (const StoreError& error) {
    EXPECT_NE(std::string(error.what()).find("another process holds"),
              std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace tailmark
