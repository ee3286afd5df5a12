// Whole campaigns with the real programs: run, resume, status, import, report;
// and whatever may happen to them on the way.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <random>
#include <set>
#include <thread>

#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/record/bundle.h"
#include "tests/e2e/program.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;
using ::testing::HasSubstr;

class Campaign : public ::testing::Test {
 protected:
  Program InFolder(const std::string& name) const {
    Program program(scratch_.path() / name);
    program.ShareFeatures();
    return program;
  }
  /// A small campaign: prior and probe, two seeds each.
  static std::vector<std::string> Run(const std::vector<std::string>& more,
                                      const std::string& seeds = "0-1") {
    std::vector<std::string> words = {"run",     "quickstart",
                                      "--only",  "method=label_prior",
                                      "--only",  "method=linear_probe-bce",
                                      "--seeds", seeds,
                                      "--set",   "linear_probe.epochs=2"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  /// key -> SHA-256 of its test scores, of every finished run.
  static std::map<std::string, std::string> Hashes(const Program& program) {
    std::map<std::string, std::string> hashes;
    const Said said = program(
        {"db", "query",
         "SELECT r.key, s.sha256 FROM run r JOIN score s ON s.run_id = r.id "
         "WHERE r.state = 'done' AND s.name = 'test'",
         "--json"});
    EXPECT_EQ(said.code, 0) << said.err;
    const Json rows = said.json();
    for (const Json& row : rows) {
      EXPECT_TRUE(hashes.emplace(row["key"], row["sha256"]).second)
          << "stored twice: " << row["key"];
    }
    return hashes;
  }

  ScratchFolder scratch_;
};

TEST_F(Campaign, RunAnswersAsContractedAndASecondOneReusesEverything) {
  const Program tailmark = InFolder("a");
  const Said first = tailmark(Run({"--json"}));
  ASSERT_EQ(first.code, 0) << first.err;
  const Json answer = first.json();
  EXPECT_EQ(answer["campaign"], "quickstart");
  ASSERT_EQ(answer["runs"].size(), 4u);
  for (const Json& run : answer["runs"]) {
    for (const char* member : {"key", "recipe", "method", "dataset", "seed",
                               "state", "reason", "bundle", "metrics"}) {
      EXPECT_TRUE(run.contains(member)) << member;
    }
    EXPECT_EQ(run["state"], "done");
    EXPECT_EQ(RunKey(ReadBundle(run["bundle"].get<std::string>()).spec),
              run["key"]);
    const Json& step = run["metrics"].at(
        "ap.step/difficult=ignore/empty=keep/nopos=exclude/v1");
    for (const char* group : {"total", "head", "medium", "tail"}) {
      EXPECT_GT(step.at(group), 5.0);
      EXPECT_LT(step.at(group), 100.0);
    }
  }
  const Said second = tailmark(Run({"--json"}));
  EXPECT_EQ(second.code, 0);
  EXPECT_EQ(second.json(), answer);
  const Said status = tailmark({"status", "--json"});
  EXPECT_EQ(status.json()["counts"], Json({{"done", 4}}));
  const Said plan = tailmark({"plan", "quickstart", "--json"});
  EXPECT_EQ(plan.code, 0) << plan.err;
}

TEST_F(Campaign, TheTableIsOnStdoutAndProgressIsNot) {
  const Said said =
      InFolder("a")({"run", "quickstart", "--only", "method=label_prior"});
  EXPECT_EQ(said.code, 0);
  EXPECT_THAT(said.out, HasSubstr("Label prior"));
  EXPECT_EQ(said.out.find("seed 0"), std::string::npos) << said.out;
  EXPECT_THAT(said.err, HasSubstr("done label_prior on embedded, seed 0"));
}

TEST_F(Campaign, StatusAndWatchSeeWhatRunsWhatWaitsAndWhatStopped) {
  const Program tailmark = InFolder("a");
  const pid_t run = tailmark.Start(
      {"run", "quickstart", "--only", "method=linear_probe-bce", "--seeds",
       "0-1", "--set", "linear_probe.epochs=100000", "--workers", "1"});
  const auto counts = [&](const std::string& verb) {
    const Said said = tailmark({verb, "--json"});
    return said.code == 0 ? said.json()["counts"] : Json();
  };
  const Json expected = {{"running", 1}, {"planned", 1}};
  for (int i = 0; i < 2400 && counts("status") != expected; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_EQ(counts("status"), expected);
  EXPECT_EQ(counts("watch"), expected);
  EXPECT_EQ(tailmark({"watch", "--json"}).json()["total"], 2);
  EXPECT_THAT(tailmark({"status"}).out, HasSubstr("2 in all: 1 planned"));
  kill(run, SIGINT);
  Program::Wait(run);
  EXPECT_EQ(counts("status"), Json({{"stopped", 1}, {"planned", 1}}));
  // A folder that workers fill by themselves is no store yet.
  fs::remove(tailmark.store() / "tailmark.sqlite");
  EXPECT_EQ(counts("status"), Json({{"stopped", 1}}));
}

TEST_F(Campaign, EveryRecipeOfOursIsValid) {
  const Program tailmark = InFolder("a");
  const Json rows = tailmark({"list", "recipes", "--json"}).json();
  for (const Json& row : rows) {
    const Said said = tailmark({"validate", row["name"], "--json"});
    // 4: its data are not here.
    EXPECT_TRUE(said.code == 0 || said.code == 4) << row["name"] << said.err;
    EXPECT_GT(said.json()["runs"], 0);
  }
}

TEST_F(Campaign, MethodsAreListedAndDescribedFromTheCatalogue) {
  const Program tailmark = InFolder("a");
  std::set<std::string> names;
  const Json rows = tailmark({"list", "methods", "--json"}).json();
  for (const Json& row : rows) {
    names.insert(row["name"]);
  }
  EXPECT_THAT(names, ::testing::IsSupersetOf(
                         {"label_prior", "linear_probe", "zero_shot_clip"}));
  const Json probe = tailmark({"describe", "linear_probe", "--json"}).json();
  EXPECT_EQ(probe["name"], "linear_probe");
  EXPECT_FALSE(probe["options"].empty());
  EXPECT_EQ(tailmark({"describe", "linear_prob"}).code, 2);
}

TEST_F(Campaign, AWrongOptionIsExit2AndLeavesNoStore) {
  const Program tailmark = InFolder("a");
  const Said said =
      tailmark({"run", "quickstart", "--set", "linear_probe.epoch=3"});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("did you mean 'epochs'?"));
  EXPECT_EQ(tailmark({"run", "quickstart", "--seeds", "x"}).code, 2);
  EXPECT_FALSE(fs::exists(tailmark.store() / "bundles"));
}

TEST_F(Campaign, APlanSaysWhatItTakesAndWhoSaysSo) {
  const Program tailmark = InFolder("a");
  // Nothing ran yet: every builtin method declares what it takes.
  const Json all = tailmark({"plan", "quickstart", "--json"}).json();
  for (const char* list : {"runs", "tasks"}) {
    ASSERT_FALSE(all.at(list).empty());
    for (const Json& task : all.at(list)) {
      EXPECT_EQ(task.at("estimate_from"), "declared") << task.at("label");
      EXPECT_GT(task.at("estimate_s"), 0) << task.at("label");
      EXPECT_EQ(task.at("memory_from"), "declared") << task.at("label");
      EXPECT_GT(task.at("rss_bytes"), 100'000'000) << task.at("label");
    }
  }
  const auto ask = [&](std::vector<std::string> words,
                       const std::vector<std::string>& more) {
    words.insert(words.end(), {"quickstart", "--only", "method=label_prior"});
    words.insert(words.end(), more.begin(), more.end());
    return tailmark(words);
  };
  const Said before = ask({"plan"}, {"--seeds", "0-1", "--explain"});
  EXPECT_THAT(before.out,
              HasSubstr("2 to run, about 1 s of one worker (2 declared)"));
  EXPECT_THAT(before.out, HasSubstr("  time 0 s declared, memory "));
  EXPECT_THAT(ask({"slurm"}, {"--dry-run"}).out,
              HasSubstr("# The tasks of each element: 1 to run, about 0 s of "
                        "one worker (1 declared).\n"));
  ASSERT_EQ(ask({"run"}, {"--seeds", "0"}).code, 0);
  const Json after = ask({"plan"}, {"--seeds", "1", "--json"}).json();
  EXPECT_EQ(after.at("runs").at(0).at("estimate_from"), "recorded");
  EXPECT_EQ(after.at("runs").at(0).at("memory_from"), "recorded");
  const Said mixed = tailmark({"plan", "quickstart", "--seeds", "1"});
  EXPECT_THAT(mixed.out, HasSubstr("(1 recorded, "));
}

TEST_F(Campaign, ThePlainWayIsTakenByEveryMethodThatHasAFasterOne) {
  const Program tailmark = InFolder("a");
  const Said plain =
      tailmark({"plan", "quickstart", "--only", "method=lmpt", "--only",
                "method=label_prior", "--no-acceleration", "--explain"});
  EXPECT_EQ(plain.code, 0) << plain.err;
  EXPECT_THAT(plain.out, ::testing::ContainsRegex(
                             "acceleration +false +--no-acceleration"));
  const Said none = tailmark({"plan", "quickstart", "--only",
                              "method=label_prior", "--no-acceleration"});
  EXPECT_EQ(none.code, 2);
  EXPECT_THAT(none.err, HasSubstr("has an option 'acceleration'"));
}

TEST_F(Campaign, DevicesOfARecipeThatComputesOnTheCpuAreExit2) {
  const Said said = InFolder("a")(Run({"--devices", "all"}));
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("add --device cuda"));
}

TEST_F(Campaign, ALimitBrandsTheResult) {
  const Program tailmark = InFolder("a");
  ASSERT_EQ(tailmark({"run", "quickstart", "--only", "method=label_prior",
                      "--limit", "50"})
                .code,
            0);
  const Json rows =
      tailmark({"db", "query", "SELECT key, value FROM tag", "--json"}).json();
  EXPECT_THAT(rows.dump(), HasSubstr("partial"));
}

TEST_F(Campaign, WhatIsPackedIsTheRunWhoseNumbersAreStored) {
  const Program tailmark = InFolder("a");
  const std::vector<std::string> forced = {
      "run",     "quickstart", "--only", "method=label_prior",
      "--seeds", "0",          "--json", "--force"};
  // Forced, though there was none before.
  const Said first = tailmark(forced);
  ASSERT_EQ(first.code, 0) << first.err;
  const Json run = first.json().at("runs").at(0);
  const fs::path bundle = run.at("bundle").get<std::string>();
  const std::string sealed = ReadFile(bundle / "DONE");
  // One that was, too: it lies beside the first, which keeps its numbers.
  const Said second = tailmark(forced);
  ASSERT_EQ(second.code, 0) << second.err;
  const Json again = second.json().at("runs").at(0);
  EXPECT_EQ(again.at("bundle"), run.at("bundle"));
  EXPECT_EQ(again.at("metrics"), run.at("metrics"));
  EXPECT_EQ(ReadFile(bundle / "DONE"), sealed);
  EXPECT_NE(ReadFile(bundle.string() + ".forced/DONE"), sealed);

  ASSERT_EQ(tailmark({"export", "-o", "runs.tar"}).code, 0);
  const Program other = InFolder("b");
  ASSERT_EQ(other({"import", tailmark.folder() / "runs.tar"}).code, 0);
  EXPECT_EQ(ReadFile(other.store() / "bundles" / bundle.filename() / "DONE"),
            sealed);
  ASSERT_EQ(tailmark({"pack", "-o", "pack.tar"}).code, 0);
  EXPECT_EQ(tailmark({"verify", "pack.tar"}).code, 0);
}

TEST_F(Campaign, DataThatAreAbsentAreExit4WithTheReason) {
  const Said said = InFolder("a")({"run", "real-photos", "--json"});
  EXPECT_EQ(said.code, 4) << said.err;
  const Json answer = said.json();
  for (const Json& run : answer["runs"]) {
    EXPECT_EQ(run["state"], "skipped");
    EXPECT_THAT(run["reason"].get<std::string>(),
                HasSubstr("TAILMARK_REFERENCE_DATA"));
  }
}

TEST_F(Campaign, AWorkerThatCannotDoItsWorkIsExit3WithTheReason) {
  Program tailmark = InFolder("a");
  tailmark.environment["TAILMARK_WORKER"] = TM_BIN_DIR "/fake_worker";
  const Said said = tailmark(Run({"--json"}, "0"));
  EXPECT_EQ(said.code, 3);
  const Json answer = said.json();
  for (const Json& run : answer["runs"]) {
    EXPECT_EQ(run["state"], "failed");
    EXPECT_THAT(run["reason"].get<std::string>(),
                HasSubstr("its bundle was refused"));
  }
  // A worker that works makes them good.
  tailmark.environment.erase("TAILMARK_WORKER");
  EXPECT_EQ(tailmark({"resume"}).code, 0);
  tailmark.environment["TAILMARK_WORKER"] = "/no/such/worker";
  EXPECT_EQ(tailmark(Run({"--force"})).code, 2);
}

TEST_F(Campaign, APlanIsRunElsewhereAndTakenIn) {
  const Program here = InFolder("here");
  const Program there = InFolder("there");
  std::vector<std::string> words = Run({"-o", "plan.json"}, "0");
  words[0] = "plan";
  ASSERT_EQ(here(words).code, 0);
  for (const char* task : {"0", "1"}) {
    const Said said = there({"worker", "--plan", here.folder() / "plan.json",
                             "--task", task, "--out", "bundles"});
    ASSERT_EQ(said.code, 0) << said.err;
    // A task that is done is done.
    EXPECT_EQ(there({"worker", "--plan", here.folder() / "plan.json", "--task",
                     task, "--out", "bundles"})
                  .out,
              said.out);
  }
  EXPECT_EQ(
      there({"worker", "--plan", here.folder() / "plan.json", "--task", "2"})
          .code,
      2);
  EXPECT_FALSE(fs::exists(there.store()));
  const Said taken = here({"import", there.folder() / "bundles", "--json"});
  ASSERT_EQ(taken.code, 0) << taken.err;
  EXPECT_EQ(taken.json()["runs"].size(), 2u);
  EXPECT_EQ(here({"import", there.folder() / "bundles"}).code, 0);
  const Program direct = InFolder("direct");
  ASSERT_EQ(direct(Run({}, "0")).code, 0);
  EXPECT_EQ(Hashes(here), Hashes(direct));

  ASSERT_EQ(direct({"export", "-o", "runs.tar"}).code, 0);
  const Program other = InFolder("other");
  ASSERT_EQ(other({"import", direct.folder() / "runs.tar"}).code, 0);
  EXPECT_EQ(Hashes(other), Hashes(direct));
  const Said report =
      other({"report", "-f", "html,md,tex,csv,json", "-o", "r"});
  EXPECT_EQ(report.code, 0) << report.err;
  for (const char* name : {"html", "md", "tex", "csv", "json"}) {
    EXPECT_TRUE(fs::exists(other.folder() / "r" / StrCat("report.", name)));
  }
}

TEST_F(Campaign, TwoAtOnceOnOneStoreRunEachKeyOnce) {
  const Program tailmark = InFolder("a");
  const pid_t one = tailmark.Start(Run({}));
  const Said two = tailmark(Run({"--json"}));
  EXPECT_EQ(Program::Wait(one), 0);
  EXPECT_EQ(two.code, 0) << two.err;
  const Json rows =
      tailmark({"db", "query",
                "SELECT key, count(*) AS n FROM run GROUP BY key", "--json"})
          .json();
  EXPECT_EQ(rows.size(), 4u);
  for (const Json& row : rows) EXPECT_EQ(row["n"], 1);
}

TEST_F(Campaign, AnInterruptIsExit130AndResumeGoesOn) {
  const Program tailmark = InFolder("a");
  const pid_t pid = tailmark.Start(Run({}, "0"));
  while (Program::Workers(pid).empty()) usleep(1000);
  kill(pid, SIGINT);
  const int code = Program::Wait(pid);
  EXPECT_EQ(code, 130);
  const Said said = tailmark({"resume", "quickstart", "--json"});
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_EQ(Hashes(tailmark).size(), 2u);
}

TEST_F(Campaign, ADiskThatIsFullLosesNothingThatWasKept) {
  Program tailmark = InFolder("a");
  ASSERT_EQ(tailmark(Run({}, "0")).code, 0);
  const auto kept = Hashes(tailmark);
  for (const std::int64_t bytes : {20'000, 60'000, 110'000, 150'000}) {
    tailmark.largest_file = bytes;
    const Said said = tailmark(Run({}));
    EXPECT_TRUE(said.code == 6 || said.code == 3) << said.code << said.err;
  }
  tailmark.largest_file = 0;
  EXPECT_EQ(tailmark({"db", "check"}).code, 0);
  for (const auto& [key, hash] : kept) EXPECT_EQ(Hashes(tailmark)[key], hash);
  const Said said = tailmark(Run({}));
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_EQ(Hashes(tailmark).size(), 4u);
}

TEST_F(Campaign, AStoreOfANewerVersionIsExit6) {
  const Program tailmark = InFolder("a");
  ASSERT_EQ(
      tailmark({"run", "quickstart", "--only", "method=label_prior"}).code, 0);
  // user_version is bytes 60 to 63 of the file.
  ASSERT_EQ(tailmark({"db", "vacuum"}).code, 0);
  const fs::path file = tailmark.store() / "tailmark.sqlite";
  std::string bytes = ReadFile(file);
  bytes[62] = 1;
  WriteFileAtomic(file, bytes);
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"status"}, Run({})}) {
    const Said said = tailmark(words);
    EXPECT_EQ(said.code, 6) << said.err;
    EXPECT_THAT(said.err, HasSubstr("newer"));
  }
}

TEST_F(Campaign, KilledAtThirtyRandomMomentsItIsAsIfNothingHappened) {
  const Program undisturbed = InFolder("undisturbed");
  const auto start = std::chrono::steady_clock::now();
  ASSERT_EQ(undisturbed(Run({})).code, 0);
  const std::chrono::duration<double> whole =
      std::chrono::steady_clock::now() - start;
  const auto expected = Hashes(undisturbed);
  ASSERT_EQ(expected.size(), 4u);

  std::mt19937 chance(7);
  std::uniform_real_distribution<double> part(0, 1);
  double latest = 0.6 * whole.count();
  int landed = 0;  // On somebody who still worked.
  for (int campaign = 0; campaign < 6; ++campaign) {
    const Program tailmark = InFolder(StrCat("killed-", campaign));
    for (int blow = 0; blow < 5; ++blow) {
      const pid_t pid = tailmark.Start(Run({"--quiet"}));
      std::this_thread::sleep_for(
          std::chrono::duration<double>(latest * part(chance)));
      // By turns the launcher, a worker, and what workers are forked from,
      // without which the run goes on.
      const auto workers = Program::Workers(pid);
      const auto servers = Program::Servers(pid);
      const bool server = blow == 4 && !servers.empty() && !workers.empty();
      const bool parent = blow % 2 == 0 || workers.empty();
      kill(server ? servers.front() : parent ? pid : workers.front(), SIGKILL);
      const int code = Program::Wait(pid);
      EXPECT_TRUE(code == 0 || code == 3 || code == -SIGKILL) << code;
      const bool met = code != 0 || server;
      landed += met;
      // It was over: the undisturbed run was slow, from a cold disk perhaps.
      if (!met) latest *= 0.8;
    }
    const Said said = tailmark(Run({"--json"}));
    ASSERT_EQ(said.code, 0) << said.err;
    EXPECT_EQ(Hashes(tailmark), expected) << "campaign " << campaign;
    const Said check = tailmark({"db", "check"});
    EXPECT_EQ(check.code, 0) << check.out;
    for (const auto& entry :
         fs::directory_iterator(tailmark.store() / "bundles")) {
      const std::string name = entry.path().filename().string();
      EXPECT_TRUE(expected.contains(name) || name.ends_with(".failed") ||
                  name.find(".tmp.") != name.npos)
          << "left behind: " << name;
    }
  }
  // Most: a blow that meets nobody says nothing.
  EXPECT_GE(landed, 15);
}

}  // namespace
}  // namespace tailmark
