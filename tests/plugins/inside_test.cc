// "Adding one inside this tree" of methods/README.md, walked through in a copy
// of the tree: one folder, one line, the source in CMakeLists.txt, a README.
// Only what is new is compiled; the worker is linked again from it and from
// what this build has.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <sstream>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/json.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;
using ::testing::HasSubstr;

const fs::path kBuild = TM_BUILD_DIR;

std::string Replaced(std::string text, const std::string& what,
                     const std::string& by) {
  EXPECT_THAT(text, HasSubstr(what));
  for (std::size_t at = 0; (at = text.find(what, at)) != text.npos;
       at += by.size()) {
    text.replace(at, what.size(), by);
  }
  return text;
}

class InsideTheTree : public ::testing::Test {
 protected:
  fs::path tree() const { return scratch_.path() / "tree"; }
  fs::path build() const { return scratch_.path() / "build"; }
  fs::path prefix() const { return scratch_.path() / "made"; }
  std::string Log() const { return ReadFile(scratch_.path() / "log.txt"); }

  /// Its exit code; what it printed is in Log().
  int Shell(const std::string& line) const {
    const std::string whole =
        StrCat("unset CI TAILMARK_STORE TAILMARK_WORKER TAILMARK_CACHE; { ",
               line, "; } > ", scratch_.path().string(), "/log.txt 2>&1");
    const int status = std::system(whole.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  void CopyTree() const {
    MakeFolders(tree());
    for (const char* part :
         {"CMakeLists.txt", "CMakePresets.json", "LICENSE", "README.md", "ci",
          "datasets", "harness", "methods", "reports", "results"}) {
      fs::copy(fs::path(TM_SOURCE_DIR) / part, tree() / part,
               fs::copy_options::recursive);
    }
  }

  void Edit(const fs::path& file, const std::string& what,
            const std::string& by) const {
    WriteFileAtomic(tree() / file, Replaced(ReadFile(tree() / file), what, by));
  }

  /// What the README says, with its shortest example under another name.
  void AddMethod() const {
    MakeFolders(tree() / "methods/my_method");
    const std::string example =
        ReadFile(tree() / "methods/label_prior/label_prior.cc");
    WriteFileAtomic(tree() / "methods/my_method/my_method.cc",
                    Replaced(Replaced(example, "LabelPrior", "MyMethod"),
                             "label_prior", "my_method"));
    WriteFileAtomic(tree() / "methods/my_method/README.md", "# my_method\n");
    Edit("methods/builtin.cc", "  METHOD(LabelPrior) ",
         "  METHOD(MyMethod) \\\n  METHOD(LabelPrior) ");
    Edit("methods/CMakeLists.txt", "    label_prior/label_prior.cc\n",
         "    label_prior/label_prior.cc\n    my_method/my_method.cc\n");
  }

  /// As this build is configured, but for what compiles more than is asked for.
  void Configure() const {
    MakeFolders(build());
    std::string cache = ReadFile(kBuild / "CMakeCache.txt");
    for (const auto& [name, value] :
         {std::pair{"CMAKE_CACHEFILE_DIR:INTERNAL=", build().string()},
          std::pair{"CMAKE_HOME_DIRECTORY:INTERNAL=", tree().string()}}) {
      const auto at = cache.find(name) + std::string(name).size();
      cache.replace(at, cache.find('\n', at) - at, value);
    }
    WriteFileAtomic(build() / "CMakeCache.txt", cache);
    ASSERT_EQ(
        Shell(StrCat("cmake -S ", tree().string(), " -B ", build().string(),
                     " -DTAILMARK_BUILD_TESTS=OFF "
                     "-DTAILMARK_BUILD_BENCH=OFF -DTAILMARK_PCH=OFF "
                     "-DCMAKE_UNITY_BUILD=OFF")),
        0)
        << Log();
  }

  /// The tree's build knows the new source; compiled it is by the line that
  /// compiled ours, whose precompiled headers are read in a moment.
  void CompileWhatIsNew() const {
    const std::string at = "methods/CMakeFiles/tailmark_methods.dir/";
    ASSERT_EQ(Shell(StrCat("cmake --build ", build().string(), " -- -t query ",
                           at, "my_method/my_method.cc.o")),
              0)
        << Log();
    ASSERT_EQ(Shell(StrCat("cmake --build ", kBuild.string(),
                           " -- -t commands -s ", at, "builtin.cc.o")),
              0)
        << Log();
    std::istringstream lines(Log());
    std::string ours;
    for (std::string line; std::getline(lines, line);) {
      if (line.find(" -c ") != line.npos) ours = line;
    }
    // Ours, with these two.
    const std::string library = (prefix() / "libmethods.a").string();
    MakeFolders(prefix());
    fs::copy_file(kBuild / "methods/libtailmark_methods.a", library);
    for (const fs::path source : {"builtin.cc", "my_method/my_method.cc"}) {
      const fs::path object =
          prefix() / StrCat(source.filename().string(), ".o");
      const std::string line =
          Replaced(Replaced(ours, at + "builtin.cc.o", object.string()),
                   TM_SOURCE_DIR "/methods/builtin.cc",
                   (tree() / "methods" / source).string());
      ASSERT_EQ(Shell(StrCat("cd ", kBuild.string(), " && ", line, " && ar rs ",
                             library, " ", object.string())),
                0)
          << Log();
    }
  }

  /// By the line that linked ours.
  void LinkWorker() const {
    MakeFolders(prefix() / "bin");
    ASSERT_EQ(Shell(StrCat("cmake --build ", kBuild.string(),
                           " -- -t commands -s bin/tailmark-worker")),
              0)
        << Log();
    std::string line = Log();
    // It then goes on to ask the worker for its catalogue.
    const auto begin = line.find(": && ");
    ASSERT_NE(begin, line.npos) << line;
    line = line.substr(begin, line.find(" && cd ", begin) - begin);
    line = Replaced(line, "methods/libtailmark_methods.a",
                    (prefix() / "libmethods.a").string());
    line = Replaced(line, "-o bin/tailmark-worker",
                    "-o " + (prefix() / "bin/tailmark-worker").string());
    ASSERT_EQ(Shell(StrCat("cd ", kBuild.string(), " && ", line)), 0) << Log();
  }

  /// bin and share, as a build has them.
  void Assemble() const {
    const fs::path share = prefix() / "share/tailmark";
    MakeFolders(share);
    for (const auto& entry :
         fs::directory_iterator(kBuild / "share/tailmark")) {
      if (entry.path().filename() == "catalog.json") continue;
      fs::create_symlink(entry.path(), share / entry.path().filename());
    }
    fs::copy_file(kBuild / "bin/tailmark", prefix() / "bin/tailmark");
    ASSERT_EQ(Shell(StrCat((prefix() / "bin/tailmark-worker").string(),
                           " catalog ", (share / "catalog.json").string())),
              0)
        << Log();
  }

  int Tailmark(const std::string& words) const {
    return Shell(StrCat("cd ", scratch_.path().string(), " && ",
                        (prefix() / "bin/tailmark").string(), " ", words));
  }

  ScratchFolder scratch_;
};

TEST_F(InsideTheTree, AMethodIsAFolderAndALine) {
  const std::string page = ReadFile(TM_SOURCE_DIR "/methods/README.md");
  ASSERT_THAT(page, HasSubstr("A folder `methods/my_method` with "
                              "`my_method.cc`"));
  ASSERT_THAT(page, HasSubstr("`label_prior/label_prior.cc` is the shortest"));
  ASSERT_THAT(page, HasSubstr("One line in `builtin.cc`, the source in "
                              "`CMakeLists.txt`"));
  CopyTree();
  AddMethod();
  ASSERT_NO_FATAL_FAILURE(Configure());
  ASSERT_NO_FATAL_FAILURE(CompileWhatIsNew());
  ASSERT_NO_FATAL_FAILURE(LinkWorker());
  ASSERT_NO_FATAL_FAILURE(Assemble());

  ASSERT_EQ(Tailmark("list methods"), 0) << Log();
  EXPECT_THAT(Log(), HasSubstr("my_method"));
  EXPECT_THAT(Log(), HasSubstr("linear_probe"));
  ASSERT_EQ(Tailmark("describe my_method"), 0) << Log();
  EXPECT_THAT(Log(), HasSubstr("smoothing"));
  EXPECT_EQ(Tailmark("plugin check my_method --only SameSeedSameBits"), 0)
      << Log();
  WriteFileAtomic(scratch_.path() / "r.json",
                  Json({{"schema", "tailmark-campaign/1"},
                        {"campaign", "inside"},
                        {"datasets", {"embedded"}},
                        {"weights", "nano-clip"},
                        {"pipeline", "as-is-48"},
                        {"methods", {"my_method"}}})
                      .dump());
  ASSERT_EQ(Tailmark("run r.json --limit 96 --store store --json"), 0) << Log();
  EXPECT_THAT(Log(), HasSubstr("\"done\""));
}

}  // namespace
}  // namespace tailmark
