#include "harness/launch/fork_server.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "harness/base/clock.h"
#include "harness/base/descriptor.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/launch/process_tree.h"
#include "harness/launch/subprocess.h"
#include "tests/launch/servers.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;

std::set<pid_t> Servers() { return ServersOf(OwnChildren()); }

std::size_t DescriptorsOf(pid_t pid) {
  const fs::directory_iterator all(StrCat("/proc/", pid, "/fd"));
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

class Forks : public ::testing::Test {
 protected:
  ProcessEnd Run(const std::string& script, int threads = 1,
                 const fs::path& program = TM_BIN_DIR "/serving_shell") {
    ProcessOptions options{.program = program};
    options.arguments = {"-c", script};
    options.environment = ThreadVariables(threads);
    options.log = scratch_.path() / "log.txt";
    options.fork_loaded = true;
    Subprocess process(options);
    Subprocess* const all[] = {&process};
    for (const Stopwatch watch; watch.Seconds() < 20;) {
      if (auto end = process.Poll()) return *end;
      Subprocess::WaitForAny(all, 0.02);
    }
    ADD_FAILURE() << "it does not end";
    return {};
  }
  std::string Log() const { return ReadFile(scratch_.path() / "log.txt"); }

  ScratchFolder scratch_;
};

TEST_F(Forks, OneServerIsEnoughForAll) {
  EXPECT_EQ(Run("exit 3").exit_code, 3);
  const auto servers = Servers();
  EXPECT_EQ(servers.size(), 1u);
  EXPECT_EQ(Run("exit 4").exit_code, 4);
  EXPECT_EQ(Servers(), servers);
}

TEST_F(Forks, AServerThatWasKilledIsReplaced) {
  Run("true");
  for (const pid_t server : Servers()) kill(server, SIGKILL);
  EXPECT_EQ(Run("exit 5").exit_code, 5);
  EXPECT_EQ(Run("exit 6").exit_code, 6);
  EXPECT_EQ(Servers().size(), 1u);
}

TEST_F(Forks, AServerThatStandsStillIsNotWaitedForLong) {
  Run("true");
  const pid_t stopped = *Servers().begin();
  kill(stopped, SIGSTOP);
  const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  const Descriptor output(null);
  const ChildStart start{.arguments = {"-c", "exit 5"},
                         .environment = ThreadVariables(1),
                         .output = null};
  EXPECT_FALSE(ForkLoaded(TM_BIN_DIR "/serving_shell", start,
                          {.load_s = 20, .fork_s = 0.2}));
  EXPECT_TRUE(Servers().empty());
  // Nobody is left who would do it all the same.
  EXPECT_TRUE(OwnChildren().empty());
  EXPECT_EQ(Run("exit 5").exit_code, 5);
  EXPECT_EQ(Servers().size(), 1u);
}

TEST_F(Forks, AServerKeepsNothingOfWhatItHandsOn) {
  Run("true");
  const pid_t server = *Servers().begin();
  const std::size_t before = DescriptorsOf(server);
  for (int i = 0; i < 5; ++i) Run("true");
  EXPECT_EQ(DescriptorsOf(server), before);
}

TEST_F(Forks, ThreadsAreReadByLibrariesWhenTheyLoadSoOthersWantAnotherServer) {
  Run("true");
  const auto before = Servers();
  Run("echo $OMP_NUM_THREADS", 3);
  EXPECT_EQ(Log(), "3\n");
  EXPECT_EQ(Servers().size(), 1u);
  EXPECT_NE(Servers(), before);
}

TEST_F(Forks, AProgramThatDoesNotServeIsStartedByItself) {
  EXPECT_EQ(Run("exit 7", 1, "/bin/sh").exit_code, 7);
  EXPECT_EQ(Run("exit 8", 1, "/bin/sh").exit_code, 8);
}

TEST_F(Forks, WhatOneSetsTheNextDoesNotSee) {
  setenv("TM_TEST_B", "first", 1);
  Run("true");
  Run("TM_TEST_B=second; export TM_TEST_B; cd /; ulimit -n 10");
  Run("echo $TM_TEST_B; ulimit -n");
  EXPECT_TRUE(Log().starts_with("first\n")) << Log();
  EXPECT_FALSE(Log().ends_with("\n10\n")) << Log();
}

TEST_F(Forks, AServerGoesWithItsLauncherHoweverThatDies) {
  const fs::path file = scratch_.path() / "servers";
  const pid_t launcher = fork();
  if (launcher == 0) {
    Run("true");
    WriteFileAtomic(file, std::to_string(*Servers().begin()));
    pause();
    _exit(0);
  }
  while (!fs::exists(file)) usleep(1000);
  const fs::path server = "/proc/" + ReadFile(file);
  kill(launcher, SIGKILL);
  waitpid(launcher, nullptr, 0);
  // An orphan of ours by adoption: gone, or dead and not fetched.
  const auto lives = [&] {
    std::string line;
    std::getline(std::ifstream(server / "stat"), line);
    return !line.empty() && line.find(") Z ") == line.npos;
  };
  for (int i = 0; i < 200 && lives(); ++i) usleep(10'000);
  EXPECT_FALSE(lives());
}

TEST_F(Forks, AForkOfTheLauncherHasAServerOfItsOwn) {
  Run("true");
  const auto ours = Servers();
  const pid_t launcher = fork();
  if (launcher == 0) {
    const bool good = Run("exit 9").exit_code == 9 && Servers().size() == 1 &&
                      Servers() != ours;
    std::_Exit(good ? 0 : 1);
  }
  int status = 0;
  waitpid(launcher, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  // The other one goes with its launcher, which takes a moment.
  for (int i = 0; i < 200 && Servers() != ours; ++i) usleep(10'000);
  EXPECT_EQ(Servers(), ours);
  EXPECT_EQ(Run("exit 2").exit_code, 2);
}

TEST(ForkRequests, ArriveAsTheyWereSent) {
  std::array<int, 2> ends{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends.data()), 0);
  const Descriptor here(ends[0]);
  Descriptor there(ends[1]);
  const ChildStart start{.arguments = {"run", "a b", ""},
                         .environment = {{"A", "1"}},
                         .output = 1,
                         .keep_open = {2, 0},
                         .cores = {0, 1},
                         .address_bytes = std::int64_t{5} << 40};
  ASSERT_TRUE(SendForkRequest(here.get(), start, 2));
  const auto got = ReceiveForkRequest(there.get());
  ASSERT_TRUE(got);
  EXPECT_EQ(got->start.arguments, start.arguments);
  EXPECT_EQ(got->start.environment, start.environment);
  EXPECT_EQ(got->start.keep_open, start.keep_open);
  EXPECT_EQ(got->start.cores, start.cores);
  EXPECT_EQ(got->start.address_bytes, start.address_bytes);
  EXPECT_TRUE(got->start.adopts_orphans);
  EXPECT_EQ(got->launcher, getpid());
  ASSERT_EQ(got->kept.size(), 2u);
  for (const int fd :
       {got->answer, got->start.output, got->kept[0], got->kept[1]}) {
    EXPECT_GT(fd, 2);
    EXPECT_EQ(close(fd), 0);
  }
  EXPECT_FALSE(
      SendForkRequest(here.get(), {.arguments = {"\xff"}, .output = 1}, 2));
  there.Close();
  EXPECT_FALSE(SendForkRequest(here.get(), start, 2));
  EXPECT_FALSE(ReceiveForkRequest(here.get()));
}

TEST(ForkRequests, OfMoreThanAMessageHoldsAreNotSent) {
  std::array<int, 2> ends{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends.data()), 0);
  const Descriptor here(ends[0]), there(ends[1]);
  EXPECT_FALSE(SendForkRequest(
      here.get(), {.arguments = {std::string(100'000, 'x')}, .output = 1}, 2));
  EXPECT_FALSE(SendForkRequest(
      here.get(),
      {.arguments = {}, .output = 1, .keep_open = std::vector<int>(20, 0)}, 2));
}

TEST(ForkRequests, ThatAreNoneAreRefused) {
  std::array<int, 2> ends{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends.data()), 0);
  const Descriptor here(ends[0]), there(ends[1]);
  const std::string bare =
      R"({"arguments": [], "environment": {}, "keep_open": [], "cores": [],
          "address_bytes": 0, "adopts_orphans": true, "launcher": 1})";
  for (const std::string& text :
       {std::string("{"), std::string("{}"), std::string("[1]"),
        std::string(R"({"arguments": 3})"), bare}) {
    ASSERT_EQ(send(here.get(), text.data(), text.size(), 0),
              static_cast<ssize_t>(text.size()));
    EXPECT_THROW((void)ReceiveForkRequest(there.get()), DataError) << text;
  }
}

}  // namespace
}  // namespace tailmark
