#include "harness/base/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "harness/base/digest.h"
#include "harness/base/error.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Files : public testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        fs::path(testing::TempDir()) /
        StrCat("files_", getpid(), "_",
               testing::UnitTest::GetInstance()->current_test_info()->name());
    MakeFolders(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::size_t Entries() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_), {}));
  }
  fs::path folder_;
};

TEST_F(Files, AWriteReplacesTheWholeFile) {
  WriteFileAtomic(folder_ / "a", "first, and longer");
  WriteFileAtomic(folder_ / "a", "second");
  EXPECT_EQ(ReadFile(folder_ / "a"), "second");
  EXPECT_EQ(Entries(), 1U);
}

TEST_F(Files, AMissingFileIsADataErrorWithItsPath) {
  try {
    ReadFile(folder_ / "none");
    FAIL();
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("none: No such file"));
  }
}

TEST_F(Files, AFolderIsNotAFile) { EXPECT_THROW(ReadFile(folder_), DataError); }

TEST_F(Files, AFileAboveTheLimitIsRefused) {
  WriteFileAtomic(folder_ / "a", "12345");
  EXPECT_THROW(ReadFile(folder_ / "a", 4), DataError);
  EXPECT_EQ(ReadFile(folder_ / "a", 5), "12345");
}

// A full disk, as far as a process can bring one about by itself.
TEST_F(Files, AFullDiskLeavesTheOldFileAndNoTemporary) {
  WriteFileAtomic(folder_ / "a", "old");
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{.rlim_cur = 1000, .rlim_max = 1000};
    setrlimit(RLIMIT_FSIZE, &limit);
    int code = 1;
    try {
      WriteFileAtomic(folder_ / "a", std::string(5000, 'x'));
    } catch (const StoreError&) {
      code = 0;
    }
    _exit(code);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(ReadFile(folder_ / "a"), "old");
  EXPECT_EQ(Entries(), 1U);
}

TEST_F(Files, KilledInTheMiddleOfAWriteLeavesOldOrNew) {
  const std::string old_bytes(1 << 20, 'o');
  const std::string new_bytes(1 << 20, 'n');
  for (int round = 0; round < 20; ++round) {
    WriteFileAtomic(folder_ / "a", old_bytes);
    const pid_t child = fork();
    if (child == 0) {
      for (;;) WriteFileAtomic(folder_ / "a", new_bytes);
    }
    usleep(static_cast<useconds_t>(500 * round));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    const std::string bytes = ReadFile(folder_ / "a");
    EXPECT_TRUE(bytes == old_bytes || bytes == new_bytes) << "round " << round;
  }
}

TEST_F(Files, DigestsAreTheStandardOnes) {
  EXPECT_EQ(Sha256Hex("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  WriteFileAtomic(folder_ / "a", "abc");
  EXPECT_EQ(Sha256File(folder_ / "a"), Sha256Hex("abc"));
}

}  // namespace
}  // namespace tailmark
