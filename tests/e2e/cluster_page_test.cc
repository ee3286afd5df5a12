// The page "On a cluster" (harness/launch/README.md), line by line.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <sstream>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/json.h"
#include "tests/e2e/slurm_cluster.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::HasSubstr;

/// The fenced blocks of a language in the section, in order.
std::vector<std::string> Blocks(const std::string& language) {
  const std::string text = ReadFile(TM_SOURCE_DIR "/harness/launch/README.md");
  const auto begin = text.find("\n## On a cluster\n");
  const auto end = text.find("\n## ", begin + 1);
  std::istringstream in(text.substr(begin, end - begin));
  std::vector<std::string> blocks;
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    if (line == "```" + language) {
      inside = true;
      blocks.emplace_back();
    } else if (line == "```") {
      inside = false;
    } else if (inside) {
      blocks.back() += line + "\n";
    }
  }
  return blocks;
}

bool Exists(const std::string& command) {
  return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
}

/// Runs the lines of a block one after the other in one bash that names each
/// before and ends at the first that fails.
void RunLines(const std::string& block, const fs::path& folder,
              const std::map<std::string, std::string>& environment) {
  std::string script = "set -e\nPATH=" TM_BIN_DIR ":$PATH\n";
  for (const auto& [name, value] : environment) {
    script += StrCat("export ", name, "='", value, "'\n");
  }
  std::istringstream in(block);
  int lines = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("#")) continue;
    const bool absent = line.find("| parallel ") != line.npos &&
                        !Exists("parallel --version | grep GNU");
    if (absent) {
      std::cout << "not here, so not tried: GNU parallel\n";
      continue;
    }
    ++lines;
    script += StrCat("cat <<'LINE'\n$ ", line, "\nLINE\n", line, "\n");
  }
  WriteFileAtomic(folder / "page.sh", script);
  const int status = std::system(
      StrCat("cd ", folder.string(), " && bash page.sh > said 2>&1").c_str());
  EXPECT_EQ(status, 0) << ReadFile(folder / "said");
  std::cout << lines << " lines were run\n";
}

class ClusterPage : public ::testing::Test {
 protected:
  ClusterPage() {
    for (const char* name : {"CI", "TAILMARK_STORE", "TAILMARK_WORKER"}) {
      unsetenv(name);
    }
    setenv("TAILMARK_CACHE", (scratch_.path() / "cache").c_str(), 1);
  }
  ScratchFolder scratch_;
};

TEST_F(ClusterPage, LinesForSlurmRunAsTheyStand) {
  std::string why;
  const auto cluster = SlurmCluster::Start(scratch_.path() / "slurm", why);
  if (!cluster) GTEST_SKIP() << why;
  RunLines(Blocks("sh").at(0), scratch_.path(), cluster->environment());
  const std::string table = ReadFile(scratch_.path() / "report/report.md");
  EXPECT_THAT(table, HasSubstr("Linear probe"));
  EXPECT_THAT(table, HasSubstr("Label prior"));
}

TEST_F(ClusterPage, LinesForOtherEnginesRunAsTheyStand) {
  RunLines(Blocks("sh").at(1), scratch_.path(), {});
  EXPECT_THAT(ReadFile(scratch_.path() / "said"),
              HasSubstr("label_prior on embedded, seed 5"));
}

TEST_F(ClusterPage, TheKubernetesJobIsIndexedAndCallsAWorkerByItsIndex) {
  const std::string text = Blocks("json").at(0);
  const Json job = ParseJson(text, "README.md");
  EXPECT_EQ(job.at("apiVersion"), "batch/v1");
  EXPECT_EQ(job.at("kind"), "Job");
  const Json& spec = job.at("spec");
  EXPECT_EQ(spec.at("completionMode"), "Indexed");
  EXPECT_LE(spec.at("parallelism").get<int>(),
            spec.at("completions").get<int>());
  const Json& pod = spec.at("template").at("spec");
  // The only two that a Job may have.
  EXPECT_TRUE(pod.at("restartPolicy") == "OnFailure" ||
              pod.at("restartPolicy") == "Never");
  const Json& container = pod.at("containers").at(0);
  EXPECT_THAT(container.at("command"), Contains("auto"));
  const Json& mount = container.at("volumeMounts").at(0);
  EXPECT_EQ(mount.at("name"), pod.at("volumes").at(0).at("name"));
  // Its words are words of the verb: only the plan is not there.
  const Json& words = container.at("command");
  std::string line = "JOB_COMPLETION_INDEX=0 " TM_BIN_DIR "/";
  for (const Json& word : words) line += word.get<std::string>() + " ";
  const int status = std::system((line + "2> said >&2").c_str());
  EXPECT_EQ(WEXITSTATUS(status), 2);
  EXPECT_THAT(ReadFile("said"), HasSubstr("/store/plan.json"));
  fs::remove("said");
  if (!Exists("command -v kubectl")) {
    std::cout << "not here, so not asked: kubectl\n";
    return;
  }
  // It reads the file as a Job, asks no server, and drops what it does not
  // know: all of ours must be in what it says.
  WriteFileAtomic(scratch_.path() / "job.json", text);
  const std::string file = (scratch_.path() / "read.json").string();
  ASSERT_EQ(
      std::system(StrCat("kubectl set image --local -o json -f ",
                         (scratch_.path() / "job.json").string(), " worker=",
                         container.at("image").get<std::string>(), "x > ", file)
                      .c_str()),
      0);
  Json ours = job;
  ours["spec"]["template"]["spec"]["containers"][0]["image"] =
      container.at("image").get<std::string>() + "x";
  const Json theirs = ReadJson(file).flatten();
  const Json flat = ours.flatten();
  for (const auto& [path, value] : flat.items()) {
    EXPECT_EQ(theirs.value(path, Json()), value) << path;
  }
}

}  // namespace
}  // namespace tailmark
