#include "harness/launch/subprocess.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <memory>
#include <set>
#include <thread>

#include "harness/base/clock.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/launch/process_tree.h"
#include "harness/launch/slots.h"
#include "tests/launch/servers.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;

/// Started by itself, or forked off one that is loaded: no difference.
class Child : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    setenv("HOME", "/here", 1);
    if (!GetParam()) return;
    Run(Shell("true"));
    fs::remove(log());
    servers_ = ServersOf(OwnChildren());
    EXPECT_EQ(servers_.size(), 1u);
  }
  /// A fork that does not come is a start by itself, and the end of its server.
  void TearDown() override {
    if (!GetParam()) return;
    // Those of another launcher go with it.
    const auto same = [&] { return ServersOf(OwnChildren()) == servers_; };
    for (int i = 0; i < 200 && !same(); ++i) usleep(10'000);
    EXPECT_TRUE(same());
  }
  ProcessOptions Shell(const std::string& script) const {
    ProcessOptions options{.program = TM_BIN_DIR "/serving_shell"};
    options.arguments = {"-c", script};
    options.fork_loaded = GetParam();
    options.log = log();
    options.grace_s = 0.2;
    return options;
  }
  fs::path log() const { return scratch_.path() / "log.txt"; }
  std::string Log() const { return ReadFile(log()); }

  static ProcessEnd Wait(Subprocess& process) {
    Subprocess* const all[] = {&process};
    for (double start = MonotonicSeconds(); MonotonicSeconds() - start < 20;) {
      Subprocess::WaitForAny(all, 0.02);
      if (const auto end = process.Poll()) return *end;
    }
    ADD_FAILURE() << "it does not end";
    return {};
  }
  static ProcessEnd Run(const ProcessOptions& options) {
    Subprocess process(options);
    return Wait(process);
  }
  /// Waits until no process of that number is left, not even a dead one.
  static bool IsGone(int pid) {
    for (int i = 0; i < 200; ++i) {
      std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
      std::string text;
      if (!std::getline(in, text)) return true;
      // A zombie that init has not fetched yet is as good as gone.
      if (text.find(") Z ") != std::string::npos) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

  ScratchFolder scratch_;
  std::set<pid_t> servers_;
};

TEST_P(Child, ItUsesTheCoresItWasGivenAlone) {
  ProcessOptions options =
      Shell("sed -n 's/^Cpus_allowed_list:[^0-9]*//p' /proc/self/status");
  options.cores = {AllowedCores().back()};
  EXPECT_EQ(Run(options).exit_code, 0);
  EXPECT_EQ(Log(), std::to_string(options.cores[0]) + "\n");
}

TEST_P(Child, ItsOutputGoesToTheLogAndItsExitCodeComesBack) {
  const ProcessEnd end = Run(Shell("echo out; echo err >&2; exit 7"));
  EXPECT_EQ(end.cause, EndCause::kExit);
  EXPECT_EQ(end.exit_code, 7);
  EXPECT_FALSE(end.signal);
  EXPECT_EQ(Log(), "out\nerr\n");
  EXPECT_EQ(end.tail, "out\nerr\n");
  EXPECT_GT(end.peak_rss, 0);
}

TEST_P(Child, ASignalIsNotMistakenForAnExitCode) {
  const ProcessEnd killed = Run(Shell("kill -9 $$"));
  EXPECT_EQ(killed.cause, EndCause::kSignal);
  EXPECT_EQ(killed.signal, SIGKILL);
  EXPECT_FALSE(killed.exit_code);
  const ProcessEnd left = Run(Shell("exit 9"));
  EXPECT_EQ(left.cause, EndCause::kExit);
  EXPECT_EQ(left.exit_code, 9);
}

TEST_P(Child, ItsEnvironmentIsOursWithAdditions) {
  ProcessOptions options = Shell("echo $TM_TEST_A $OMP_NUM_THREADS $HOME");
  options.environment = {{"TM_TEST_A", "a"}, {"OMP_NUM_THREADS", "3"}};
  Run(options);
  EXPECT_EQ(Log(), "a 3 /here\n");
  // Other threads, another server.
  if (GetParam()) servers_ = ServersOf(OwnChildren());
}

TEST_P(Child, ItRunsLongerThanItMayAndIsEnded) {
  ProcessOptions options = Shell("trap '' TERM; while :; do sleep 0.1; done");
  options.wall_s = 0.2;
  const ProcessEnd end = Run(options);
  EXPECT_EQ(end.cause, EndCause::kWallTime);
  EXPECT_EQ(end.signal, SIGKILL);
}

TEST_P(Child, PastAShortLimitItGetsNoMoreThanThatToStop) {
  ProcessOptions options = Shell("trap '' TERM; while :; do :; done");
  options.cpu_s = 0.3;
  options.grace_s = 600;
  const ProcessEnd end = Run(options);
  EXPECT_EQ(end.cause, EndCause::kCpuTime);
  EXPECT_EQ(end.signal, SIGKILL);
}

TEST_P(Child, ItIsAskedBeforeItIsKilled) {
  Subprocess process(
      Shell("trap 'echo saved; exit 75' TERM; echo up; while :; do sleep 0.05; "
            "done"));
  while (fs::file_size(log()) == 0) process.Poll();
  process.Stop();
  const ProcessEnd end = Wait(process);
  EXPECT_EQ(end.cause, EndCause::kStopped);
  EXPECT_EQ(end.exit_code, 75);
  EXPECT_NE(Log().find("saved"), std::string::npos);
}

TEST_P(Child, AFloodIsCutInTheMiddleAndItsEndKept) {
  ProcessOptions options =
      Shell("echo first; head -c 3000000 /dev/zero | tr '\\0' x; echo last");
  options.log_cap = 10000;
  const ProcessEnd end = Run(options);
  EXPECT_EQ(end.exit_code, 0);
  const std::string log = Log();
  EXPECT_LT(log.size(), 11000u);
  EXPECT_TRUE(log.starts_with("first\n"));
  EXPECT_TRUE(log.ends_with("xlast\n"));
  EXPECT_NE(log.find(" bytes left out]"), std::string::npos);
}

TEST_P(Child, WhatItLeavesInItsGroupDiesWithIt) {
  const fs::path pid_file = scratch_.path() / "pid";
  Run(Shell("sleep 1000 & echo $! > " + pid_file.string()));
  EXPECT_TRUE(IsGone(std::stoi(ReadFile(pid_file))));
}

TEST_P(Child, AChildThatSomebodyElseMadeIsLeftAlone) {
  Run(Shell("true"));
  const pid_t other = fork();
  if (other == 0) {
    pause();
    _exit(0);
  }
  Run(Shell("true"));
  EXPECT_EQ(waitpid(other, nullptr, WNOHANG), 0);
  kill(other, SIGKILL);
  waitpid(other, nullptr, 0);
}

TEST_P(Child, LettingGoOfItKillsIt) {
  int pid = 0;
  {
    Subprocess process(Shell("sleep 1000"));
    pid = process.pid();
  }
  EXPECT_TRUE(IsGone(pid));
}

TEST_P(Child, ItDiesWithItsParentHoweverThatDies) {
  const fs::path pid_file = scratch_.path() / "pid";
  const pid_t parent = fork();
  if (parent == 0) {
    // What the shell would start beside itself would outlive this test.
    Subprocess process(Shell("exec sleep 1000"));
    WriteFileAtomic(pid_file, std::to_string(process.pid()));
    pause();
    _exit(0);
  }
  while (!fs::exists(pid_file)) usleep(1000);
  kill(parent, SIGKILL);
  EXPECT_TRUE(IsGone(std::stoi(ReadFile(pid_file))));
}

TEST_P(Child, AProgramThatIsNotThereIsNamed) {
  ProcessOptions options{.program = "/no/such/program"};
  options.fork_loaded = GetParam();
  servers_.clear();  // It would have been another one's.
  try {
    Subprocess process(options);
    FAIL();
  } catch (const StoreError& error) {
    EXPECT_NE(std::string(error.what()).find("/no/such/program"),
              std::string::npos);
  }
}

TEST_P(Child, DescriptorsOfItsLauncherHaveTheirNumbers) {
  const fs::path file = scratch_.path() / "file";
  const int fd = open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  const int other = open("/dev/null", O_RDONLY | O_CLOEXEC);
  ProcessOptions options = Shell(
      StrCat("echo given >&", fd, "; [ ! -e /proc/self/fd/", other, " ]"));
  options.keep_open = {fd};
  EXPECT_EQ(Run(options).exit_code, 0) << Log();
  EXPECT_EQ(ReadFile(file), "given\n");
  close(other);
  close(fd);
}

TEST_P(Child, ItHasAGroupOfItsOwnAndNoInput) {
  const ProcessEnd end =
      Run(Shell("cat; [ $(cut -d' ' -f5 /proc/$$/stat) = $$ ]"));
  EXPECT_EQ(end.exit_code, 0) << Log();
}

TEST_P(Child, ItShowsItselfByItsOwnWords) {
  ProcessOptions options = Shell("");
  options.arguments = {"title", std::string(30, 'x')};
  Run(options);
  EXPECT_EQ(Log(), StrCat(options.program.string(), " title ",
                          options.arguments[1], "\n/here\n"));
}

TEST_P(Child, ManyAtOnceAreToldApart) {
  std::vector<std::unique_ptr<Subprocess>> all;
  for (int i = 0; i < 20; ++i) {
    ProcessOptions options = Shell(StrCat("exit ", i));
    options.log = scratch_.path() / std::to_string(i);
    all.push_back(std::make_unique<Subprocess>(options));
  }
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(Wait(*all[static_cast<std::size_t>(i)]).exit_code, i);
  }
}

INSTANTIATE_TEST_SUITE_P(Of, Child, ::testing::Bool(), [](const auto& info) {
  return info.param ? "Forked" : "Started";
});

}  // namespace
}  // namespace tailmark
