#include "harness/launch/lease.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "harness/base/clock.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;

constexpr double kBeat = 0.05;  // seconds

class Leases : public ::testing::Test {
 protected:
  /// Asks again and again, for at most a minute.
  std::unique_ptr<Lease> Wait(LeaseBook& book) const {
    for (const Stopwatch watch; watch.Seconds() < 60; usleep(5000)) {
      if (auto lease = book.Take("k")) return lease;
    }
    return nullptr;
  }
  fs::path File(int generation) const {
    return scratch_.path() / "k.leases" / std::to_string(generation);
  }
  /// A lease whose holder is gone.
  void LeaveDead(const std::string& word = "held") const {
    fs::create_directories(File(1).parent_path());
    std::ofstream(File(1)) << "other:1:2:1 7 " << kBeat << " " << word << "\n";
  }

  ScratchFolder scratch_;
  LeaseBook one_{scratch_.path(), kBeat};
  LeaseBook two_{scratch_.path(), kBeat};
};

TEST_F(Leases, OnlyOneOfTwoHasAKey) {
  const auto first = one_.Take("k");
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->generation(), 1);
  EXPECT_EQ(two_.Take("k"), nullptr);
  EXPECT_NE(two_.Take("another"), nullptr);
}

TEST_F(Leases, WhatIsLetGoIsFreeAtOnce) {
  one_.Take("k").reset();
  const auto next = two_.Take("k");
  ASSERT_NE(next, nullptr);
  EXPECT_EQ(next->generation(), 2);
}

TEST_F(Leases, ALivingOneIsNotTakenHoweverOftenOthersLook) {
  // A busy machine keeps a thread from its beats for a while.
  LeaseBook one(scratch_.path(), 6 * kBeat), two(scratch_.path(), 6 * kBeat);
  const auto first = one.Take("k");
  ASSERT_NE(first, nullptr);
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(two.Take("k"), nullptr);
    usleep(10000);
  }
  EXPECT_TRUE(first->Ours());
}

TEST_F(Leases, ADeadOneIsTakenAfterThreeMissedBeatsAndNotAtTheFirstLook) {
  LeaveDead();
  const Stopwatch watch;
  EXPECT_EQ(one_.Take("k"), nullptr);
  const auto taken = Wait(one_);
  ASSERT_NE(taken, nullptr);
  EXPECT_EQ(taken->generation(), 2);
  EXPECT_GE(watch.Seconds(), 3 * kBeat);
}

TEST_F(Leases, OneThatAFullDiskLeftEmptyIsTakenAfterThreeBeatsOfTheLooker) {
  fs::create_directories(File(1).parent_path());
  std::ofstream(File(1)).flush();
  ASSERT_EQ(fs::file_size(File(1)), 0U);
  const Stopwatch watch;
  EXPECT_EQ(one_.Take("k"), nullptr);
  const auto taken = Wait(one_);
  ASSERT_NE(taken, nullptr);
  EXPECT_EQ(taken->generation(), 2);
  EXPECT_GE(watch.Seconds(), 3 * kBeat);
}

TEST_F(Leases, OneWhoseHolderDiedOnThisMachineIsTakenAtOnce) {
  const pid_t child = fork();
  if (child == 0) {
    LeaseBook book(scratch_.path(), 3600);
    const auto lease = book.Take("k");
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  const auto taken = one_.Take("k");
  ASSERT_NE(taken, nullptr);
  EXPECT_EQ(taken->generation(), 2);
}

TEST_F(Leases, OneWhoseHolderIsStoppedIsTakenOnlyWhenItIsStale) {
  const pid_t child = fork();
  if (child == 0) {
    LeaseBook book(scratch_.path(), kBeat);
    const auto lease = book.Take("k");
    while (true) pause();
  }
  while (!fs::exists(File(1))) usleep(1000);
  kill(child, SIGSTOP);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(one_.Take("k"), nullptr);
  EXPECT_NE(Wait(one_), nullptr);
  kill(child, SIGKILL);
  kill(child, SIGCONT);
  waitpid(child, nullptr, 0);
}

TEST_F(Leases, TimesOfFilesDecideNothing) {
  LeaveDead();
  fs::last_write_time(
      File(1), fs::file_time_type::clock::now() - std::chrono::hours(24 * 365));
  EXPECT_EQ(one_.Take("k"), nullptr);
  fs::last_write_time(
      File(1), fs::file_time_type::clock::now() + std::chrono::hours(24 * 365));
  EXPECT_NE(Wait(one_), nullptr);
}

TEST_F(Leases, OneLookAfterALongSleepMissesOneBeatOnly) {
  LeaveDead();
  EXPECT_EQ(one_.Take("k"), nullptr);
  usleep(10 * static_cast<useconds_t>(kBeat * 1e6));
  EXPECT_EQ(one_.Take("k"), nullptr);
}

TEST_F(Leases, WhoIsTakenOverFindsItLost) {
  const auto first = one_.Take("k");
  ASSERT_NE(first, nullptr);
  std::ofstream(File(2)) << "other:1:2:1 0 " << kBeat << " held\n";
  EXPECT_FALSE(first->Ours());
  EXPECT_TRUE(first->lost());
}

TEST_F(Leases, AFinishedKeyLeavesNoFiles) {
  const auto first = one_.Take("k");
  ASSERT_NE(first, nullptr);
  first->Finish();
  EXPECT_FALSE(fs::exists(File(1).parent_path()));
}

}  // namespace
}  // namespace tailmark
