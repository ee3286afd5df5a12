// Against an installed Tailmark, from an empty folder: a method of each kind is
// begun, built, checked and run, and stands in the report.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/json.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// One installation for all tests of this file.
class Installed : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    place_ = new ScratchFolder();
    ASSERT_EQ(
        Shell("cmake --install " TM_BUILD_DIR " --prefix " + prefix().string()),
        0)
        << Log();
  }
  static void TearDownTestSuite() {
    delete place_;
    place_ = nullptr;
  }
  static fs::path prefix() { return place_->path() / "installed"; }
  /// Of each test its own.
  static fs::path work() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    return place_->path() / (test == nullptr ? "install" : test->name());
  }
  static std::string Log() { return ReadFile(place_->path() / "log.txt"); }

  /// In work(), with the installed programs alone.
  static int Shell(const std::string& command) {
    MakeFolders(work());
    const std::string line =
        StrCat("cd ", work().string(), " && PATH=", prefix().string(),
               "/bin:$PATH CMAKE_PREFIX_PATH=", prefix().string(),
               " TAILMARK_STORE=", work().string(),
               "/store TAILMARK_CACHE=", place_->path().string(),
               "/cache XDG_CONFIG_HOME=", work().string(),
               "/xdg; export PATH CMAKE_PREFIX_PATH TAILMARK_STORE "
               "TAILMARK_CACHE XDG_CONFIG_HOME; unset CI TAILMARK_WORKER; { ",
               command, "; } > ", place_->path().string(), "/log.txt 2>&1");
    const int status = std::system(line.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  /// From `plugin new` to a row of the report.
  static void BeginBuildAndReport(const std::string& kind) {
    const std::string name = "my_" + kind;
    ASSERT_EQ(Shell(StrCat("tailmark plugin new ", name, " --kind ", kind)), 0)
        << Log();
    ASSERT_EQ(Shell(StrCat("sh ", name, "/test.sh")), 0) << Log();
    EXPECT_THAT(Log(), HasSubstr("golden.txt written"));
    EXPECT_THAT(Log(), HasSubstr(name + ": mAP "));
    // Again: the golden number has to come out.
    ASSERT_EQ(Shell(StrCat("sh ", name, "/test.sh")), 0) << Log();
    // By its folder, wherever its file is.
    const char* one = kind == "scores" ? "" : " --only WorksWithOneClass";
    ASSERT_EQ(Shell(StrCat("tailmark plugin check ", name, one)), 0) << Log();
    EXPECT_THAT(Log(), HasSubstr("  ok "));
    ASSERT_EQ(Shell(StrCat("tailmark describe ", name, " --allow-plugin .")), 0)
        << Log();
    EXPECT_THAT(Log(), HasSubstr(name + ", version 1"));
    // What it calls mAP is what the table shows.
    ASSERT_EQ(
        Shell(StrCat("tailmark db query --json \"SELECT value FROM result "
                     "WHERE grp = 'total' AND scores = 'test' AND "
                     "definition LIKE 'ap.step/%' AND method = '",
                     name, "'\"")),
        0)
        << Log();
    EXPECT_NEAR(ParseJson(Log(), name).at(0).at("value").get<double>(),
                std::stod(ReadFile(work() / name / "total.txt")), 1e-9);
    ASSERT_EQ(Shell("tailmark report -f md --out report"), 0) << Log();
    std::string report;
    for (const auto& entry : fs::directory_iterator(work() / "report")) {
      if (entry.path().extension() == ".md") report += ReadFile(entry.path());
    }
    EXPECT_THAT(report, HasSubstr("My " + kind));
  }

  static ScratchFolder* place_;
};
ScratchFolder* Installed::place_ = nullptr;

TEST_F(Installed, AMethodInCxxGoesFromNothingToTheReport) {
  BeginBuildAndReport("cxx");
}

TEST_F(Installed, AMethodInCGoesFromNothingToTheReport) {
  if (Shell("cc --version") != 0) GTEST_SKIP() << "no C compiler";
  BeginBuildAndReport("c");
}

TEST_F(Installed, AMethodInPythonGoesFromNothingToTheReport) {
  if (Shell("python3 -c 'import zipfile'") != 0) GTEST_SKIP() << "no python3";
  BeginBuildAndReport("process");
}

TEST_F(Installed, ScoresOfAnotherSystemGoFromNothingToTheReport) {
  if (Shell("python3 -c 'import zipfile'") != 0) GTEST_SKIP() << "no python3";
  BeginBuildAndReport("scores");
}

TEST_F(Installed, AnotherCompilerIsNamedWithTheRightOne) {
  if (Shell("c++ --version") != 0) GTEST_SKIP() << "no other compiler";
  MakeFolders(work() / "other");
  WriteFileAtomic(work() / "other/CMakeLists.txt",
                  "cmake_minimum_required(VERSION 3.25)\n"
                  "project(other LANGUAGES CXX)\n"
                  "set(CMAKE_CXX_COMPILER_VERSION 1.2.3)\n"
                  "find_package(Tailmark REQUIRED)\n");
  EXPECT_NE(Shell("cmake -G Ninja -S other -B other/build"), 0);
  EXPECT_THAT(Log(), HasSubstr("-DCMAKE_CXX_COMPILER="));
}

TEST_F(Installed, AFolderWithoutItsPluginSaysHowToMakeIt) {
  ASSERT_EQ(Shell("tailmark plugin new late --kind c"), 0) << Log();
  EXPECT_EQ(Shell("tailmark plugin check late"), 2);
  EXPECT_THAT(Log(), HasSubstr("late: is not built yet: cmake -S "));
  ASSERT_EQ(Shell("tailmark plugin new later --kind scores"), 0) << Log();
  EXPECT_EQ(Shell("tailmark plugin check later"), 2);
  EXPECT_THAT(Log(), HasSubstr("later/test.sh makes what is missing"));
}

TEST_F(Installed, AFolderWithFilesIsLeftAlone) {
  ASSERT_EQ(Shell("tailmark plugin new twice --kind process"), 0) << Log();
  EXPECT_EQ(Shell("tailmark plugin new twice --kind process"), 2);
  EXPECT_THAT(Log(), HasSubstr("nothing was written"));
  EXPECT_EQ(Shell("tailmark plugin new Two"), 2);
  EXPECT_EQ(Shell("tailmark plugin new two --kind cx"), 2);
  EXPECT_THAT(Log(), HasSubstr("did you mean"));
}

}  // namespace
}  // namespace tailmark
