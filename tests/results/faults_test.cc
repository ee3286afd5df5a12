// Processes that die, disks that fill up, two writers at once: nothing lost,
// nothing doubled.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "results/ingest.h"
#include "results/maintenance.h"
#include "results/query.h"
#include "results/sql.h"
#include "tests/record/sample.h"
#include "tests/results/samples.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;

constexpr int kBundles = 12;

fs::path BundleIn(const fs::path& folder, int i) {
  return folder / "bundles" / std::to_string(i);
}

void WriteBundles(const fs::path& folder) {
  for (int i = 0; i < kBundles; ++i) {
    WriteBundle(BundleIn(folder, i), {.seed = static_cast<std::uint64_t>(i)},
                SampleFacts());
  }
}

/// Ingests all of them; how many were new.
int IngestAll(const fs::path& folder) {
  Store store(folder / "store");
  int stored = 0;
  for (int i = 0; i < kBundles; ++i) {
    const IngestResult result =
        IngestBundle(store, BundleIn(folder, i), SampleFacts());
    if (result.outcome == IngestOutcome::kStored) ++stored;
  }
  return stored;
}

void ExpectEachRunOnce(const fs::path& folder) {
  const Store store(folder / "store", {.read_only = true});
  const CheckResult check = CheckStore(store);
  EXPECT_TRUE(check.ok()) << (check.defects.empty() ? ""
                                                    : check.defects[0].what);
  const auto runs = Runs(store, {.best_attempt = false});
  EXPECT_EQ(runs.size(), static_cast<std::size_t>(kBundles));
  for (const RunRow& run : runs) {
    EXPECT_EQ(run.state, RunState::kDone);
    EXPECT_EQ(run.attempt, 1);
    EXPECT_EQ(Metrics(store, run.id).size(), 36U);
  }
}

TEST(StoreFaults, TwoProcessesThatCreateAndFillOneStoreShareTheWork) {
  const ScratchFolder scratch;
  WriteBundles(scratch.path());
  std::vector<int> children;
  for (int i = 0; i < 4; ++i) {
    children.push_back(StartChild(IngestAll, scratch.path()));
  }
  int stored = 0;
  for (const int child : children) {
    const int answer = WaitForChild(child);
    ASSERT_GE(answer, 0);
    ASSERT_LE(answer, kBundles);
    stored += answer;
  }
  EXPECT_EQ(stored, kBundles);
  ExpectEachRunOnce(scratch.path());
}

TEST(StoreFaults, TwoThreadsWithAStoreEachShareTheWork) {
  const ScratchFolder scratch;
  WriteBundles(scratch.path());
  int stored[2] = {0, 0};
  std::thread one([&] { stored[0] = IngestAll(scratch.path()); });
  std::thread two([&] { stored[1] = IngestAll(scratch.path()); });
  one.join();
  two.join();
  EXPECT_EQ(stored[0] + stored[1], kBundles);
  ExpectEachRunOnce(scratch.path());
}

/// Writes half a run, says so by a file, and waits to be killed.
int StopInTheMiddle(const fs::path& folder) {
  Store store(folder / "store");
  const Transaction transaction(store.sql());
  store.sql().Exec("DELETE FROM metric; UPDATE run SET seed = seed + 100");
  WriteFileAtomic(folder / "now", "");
  while (true) pause();
}

TEST(StoreFaults, KillInTheMiddleOfATransactionLeavesWhatWasThere) {
  const ScratchFolder scratch;
  WriteBundles(scratch.path());
  IngestAll(scratch.path());
  const int child = StartChild(StopInTheMiddle, scratch.path());
  while (!fs::exists(scratch.path() / "now")) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  kill(child, SIGKILL);
  EXPECT_EQ(WaitForChild(child), -SIGKILL);
  ExpectEachRunOnce(scratch.path());
}

TEST(StoreFaults, KillAtAnyMomentAndGoingOnGivesEachRunOnce) {
  const ScratchFolder scratch;
  WriteBundles(scratch.path());
  for (int attempt = 0; attempt < 12; ++attempt) {
    const int child = StartChild(IngestAll, scratch.path());
    std::this_thread::sleep_for(std::chrono::milliseconds(1 + 2 * attempt));
    kill(child, SIGKILL);
    const int ended = WaitForChild(child);
    ASSERT_TRUE(ended == -SIGKILL || ended >= 0);
  }
  IngestAll(scratch.path());
  ExpectEachRunOnce(scratch.path());
}

TEST(StoreFaults, AFullDatabaseRefusesTheRunAndKeepsTheRest) {
  const ScratchFolder scratch;
  WriteBundles(scratch.path());
  Store store(scratch.path() / "store");
  IngestBundle(store, BundleIn(scratch.path(), 0), SampleFacts());
  const auto pages = store.sql().Int("PRAGMA page_count");
  store.sql().Exec(StrCat("PRAGMA max_page_count = ", pages));
  // Free space in half-filled pages takes some runs more, then it is full.
  std::string refusal;
  int taken = 1;
  for (; refusal.empty() && taken < kBundles; ++taken) {
    try {
      IngestBundle(store, BundleIn(scratch.path(), taken), SampleFacts());
    } catch (const StoreError& error) {
      refusal = error.what();
      break;
    }
  }
  EXPECT_NE(refusal.find("is full"), std::string::npos) << refusal;
  EXPECT_NE(refusal.find("make room"), std::string::npos) << refusal;
  EXPECT_EQ(Runs(store).size(), static_cast<std::size_t>(taken));
  EXPECT_TRUE(CheckStore(store).ok());
  // Room again: the same connection goes on.
  store.sql().Exec("PRAGMA max_page_count = 1000000");
  IngestAll(scratch.path());
  ExpectEachRunOnce(scratch.path());
}

/// Ingests until a file may not grow further. 7: told so by a StoreError.
int IngestWithSmallFiles(const fs::path& folder) {
  signal(SIGXFSZ, SIG_IGN);
  const rlimit limit = {.rlim_cur = 300000, .rlim_max = 300000};
  setrlimit(RLIMIT_FSIZE, &limit);
  try {
    (void)IngestAll(folder);
  } catch (const StoreError& error) {
    const bool advised =
        std::string(error.what()).find("run the same command again") !=
        std::string::npos;
    return advised ? 7 : 8;
  }
  return 9;
}

TEST(StoreFaults, AWriteThatFailsIsAStoreErrorAndNothingIsLost) {
  const ScratchFolder scratch;
  WriteBundles(scratch.path());
  EXPECT_EQ(InChild(IngestWithSmallFiles, scratch.path()), 7);
  {
    const Store store(scratch.path() / "store", {.read_only = true});
    EXPECT_TRUE(CheckStore(store).ok());
    EXPECT_LT(Runs(store).size(), static_cast<std::size_t>(kBundles));
  }
  IngestAll(scratch.path());
  ExpectEachRunOnce(scratch.path());
}

TEST(StoreFaults, BlobsThatCannotBeWrittenRefuseTheRun) {
  const ScratchFolder scratch;
  WriteBundles(scratch.path());
  Store store(scratch.path() / "store");
  fs::remove(store.folder() / "blobs");
  WriteFileAtomic(store.folder() / "blobs", "a file in place of the folder");
  EXPECT_THROW(IngestBundle(store, BundleIn(scratch.path(), 0), SampleFacts()),
               StoreError);
  EXPECT_EQ(Runs(store).size(), 0U);
  EXPECT_EQ(store.sql().Int("SELECT count(*) FROM recipe"), 0);
}

}  // namespace
}  // namespace tailmark
