// `tailmark slurm` against programs that stand in for sbatch and scontrol: what
// is asked of them, and that scripts survive what a cluster does to them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "tests/e2e/program.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Words = std::vector<std::string>;

// Notes its command line, and runs the script at once when FAKE_RUN is set. The
// first attempt of every element then meets with what it says: `requeue` (the
// cluster wants its node back and warns), `lost` (the node is gone).
constexpr const char* kSbatch = R"(#!/bin/bash
here=$(dirname "$0")
echo "$*" >> "$here/asked"
[ -e "$here/refuse" ] && exit 1
id=$(( $(cat "$here/id" 2>/dev/null || echo 100) + 1 ))
echo "$id" > "$here/id"
echo "$id"
script=${@: -1}
[ -n "${FAKE_RUN:-}" ] || exit 0
last=$(sed -n 's/^#SBATCH --array=0-\([0-9]*\)%.*/\1/p' "$script")
for element in $(seq 0 "${last:-0}"); do
  for attempt in 1 2 3; do
    rm -f "$here/again"
    SLURM_ARRAY_JOB_ID=$id SLURM_ARRAY_TASK_ID=$element \
      setsid bash "$script" >> "$here/out" 2>&1 &
    job=$!
    if [ -n "$last" ] && [ "$attempt" = 1 ]; then
      for look in $(seq 400); do
        kill -0 "$job" 2>/dev/null || break
        compgen -G "$FAKE_BUNDLES/*.part/state.safetensors" >/dev/null && break
        sleep 0.05
      done
      case $FAKE_RUN in
        requeue) kill -USR1 "$job" 2>/dev/null ;;
        lost) kill -KILL -- "-$job" 2>/dev/null && touch "$here/again" &&
          echo "lost $element" >> "$here/asked" ;;
      esac
    fi
    wait "$job" 2>/dev/null
    [ -e "$here/again" ] || break
  done
done
)";
// Slurm ends what it queues again.
constexpr const char* kScontrol = R"(#!/bin/bash
here=$(dirname "$0")
[ "$1" = show ] && { echo "MaxArraySize            = 5"; exit 0; }
echo "scontrol $*" >> "$here/asked"
touch "$here/again"
kill -KILL "$PPID"
)";
// Checkpoints so early that a fit of a second has some.
constexpr const char* kWorker = R"(#!/bin/bash
[ "$1" = run ] && set -- "$@" --checkpoint-every 0.2
exec ")" TM_BIN_DIR R"(/tailmark-worker" "$@"
)";

class SlurmVerb : public ::testing::Test {
 protected:
  SlurmVerb() : tailmark_(scratch_.path() / "a") {
    MakeFolders(fake());
    Put("sbatch", kSbatch);
    Put("scontrol", kScontrol);
    Put("worker", kWorker);
    const char* path = std::getenv("PATH");
    tailmark_.environment["PATH"] =
        StrCat(fake().string(), ":", path == nullptr ? "/bin" : path);
    tailmark_.environment["FAKE_BUNDLES"] =
        (tailmark_.store() / "bundles").string();
    tailmark_.environment["TAILMARK_WORKER"] = (fake() / "worker").string();
    tailmark_.ShareFeatures();
  }
  void Put(const std::string& name, const std::string& text) const {
    WriteFileAtomic(fake() / name, text);
    fs::permissions(fake() / name, fs::perms(0755));
  }
  fs::path fake() const { return scratch_.path() / "fake"; }
  /// Lines of what was asked of the cluster.
  Words Asked() const {
    Words lines;
    std::istringstream in(ReadFile(fake() / "asked"));
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
  }
  static std::string Hashes(const Program& program) {
    const Said said = program(
        {"db", "query",
         "SELECT r.key, s.sha256 FROM run r JOIN score s ON s.run_id = r.id "
         "WHERE r.state = 'done' AND s.name = 'test' ORDER BY r.key",
         "--json"});
    EXPECT_EQ(said.code, 0) << said.err;
    return said.out;
  }
  /// A fit that lasts for a second, under a cluster that does `what`, gives the
  /// bits of one that nobody disturbed. On an idle core it lasts four times as
  /// long as it takes to the first checkpoint.
  void ExpectSameBits(const std::string& what) {
    const Words recipe = {"quickstart", "--only", "method=linear_probe-bce",
                          "--set", "linear_probe.epochs=240"};
    Words words = {"slurm"};
    words.insert(words.end(), recipe.begin(), recipe.end());
    words.push_back("--submit");
    tailmark_.environment["FAKE_RUN"] = what;
    const Said said = tailmark_(words);
    ASSERT_EQ(said.code, 0) << said.err;
    EXPECT_THAT(ReadFile(fake() / "out"), HasSubstr("done  linear_probe"));
    Program direct(scratch_.path() / "direct");
    direct.environment = tailmark_.environment;
    words = {"run"};
    words.insert(words.end(), recipe.begin(), recipe.end());
    ASSERT_EQ(direct(words).code, 0);
    EXPECT_EQ(Hashes(tailmark_), Hashes(direct)) << ReadFile(fake() / "out");
  }

  ScratchFolder scratch_;
  Program tailmark_;
};

TEST_F(SlurmVerb, LaterStagesAndTheMergeComeAfterAnyEndOfTheEarlier) {
  const Said said = tailmark_(
      {"slurm", "quickstart", "--only", "method=hp_dval-stage2", "--only",
       "method=label_prior", "--seeds", "0-4", "--set",
       "hp_dval.stage1_epochs=200", "--partition", "long", "--submit"});
  ASSERT_EQ(said.code, 0) << said.err;
  // At stage 1 five long ones and one element of five small ones, of which five
  // fit in an array; then what starts from them.
  const Words asked = Asked();
  ASSERT_EQ(asked.size(), 4u) << said.out;
  EXPECT_THAT(asked[0], StartsWith("--parsable /"));
  EXPECT_THAT(asked[1], StartsWith("--parsable /"));
  EXPECT_THAT(asked[2],
              StartsWith("--parsable --dependency=afterany:101:102 /"));
  EXPECT_THAT(asked[3], StartsWith("--parsable --dependency=afterany:103 /"));
  EXPECT_THAT(asked[3], EndsWith("merge.sbatch"));
  const fs::path script = asked[0].substr(asked[0].find('/'));
  EXPECT_THAT(ReadFile(script), HasSubstr("#SBATCH --partition=long\n"));
  EXPECT_TRUE(fs::is_directory(script.parent_path() / "log"));
  // The campaign is known before any of it has run.
  const Said status = tailmark_({"status", "--json"});
  EXPECT_EQ(status.code, 0) << status.err;
  EXPECT_EQ(status.json()["counts"]["planned"], 15) << status.out;
}

TEST_F(SlurmVerb, WhatTheClusterDoesNotTakeIsSaid) {
  WriteFileAtomic(fake() / "refuse", "");
  const Said said = tailmark_(
      {"slurm", "quickstart", "--only", "method=label_prior", "--submit"});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("sbatch did not take"));
}

TEST_F(SlurmVerb, ADryRunAsksAndWritesNothing) {
  const Said said = tailmark_(
      {"slurm", "quickstart", "--only", "method=label_prior", "--dry-run"});
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr("#SBATCH --array=0-0%16"));
  EXPECT_FALSE(fs::exists(fake() / "asked"));
  EXPECT_FALSE(fs::exists(tailmark_.store()));
}

TEST_F(SlurmVerb, AnElementThatIsWarnedIsQueuedAgainAndGivesTheSameBits) {
  ExpectSameBits("requeue");
  EXPECT_THAT(ReadFile(fake() / "asked"), HasSubstr("scontrol requeue 101_0"));
}

TEST_F(SlurmVerb, AnElementWhoseNodeIsLostGivesTheSameBits) {
  ExpectSameBits("lost");
  EXPECT_THAT(ReadFile(fake() / "asked"), HasSubstr("lost 0"));
}

}  // namespace
}  // namespace tailmark
