// soak [--seconds 300] [--rounds N] [--blows 30] [--seed 1] [--first 0]
// [--limit N]: campaigns whose parents, workers, merges and Slurm steps are
// killed at random, on disks that are full now and then, with clocks that jump,
// torn bundles, and a file system without locks and shared memory. After each
// round what was left is finished undisturbed, and the store must hold the bits
// of a run that nobody disturbed, each once. Prints figures; exit 1 when
// anything was lost, doubled or changed.

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <random>
#include <set>
#include <thread>

#include "harness/base/clock.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/json.h"
#include "harness/record/bundle.h"
#include "tests/e2e/program.h"
#include "tests/e2e/slurm_cluster.h"
#include "tests/record/sample.h"
#include "tests/soak/actors.h"
#include "tests/soak/done_scores.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;
using Words = std::vector<std::string>;
using Hashes = std::map<std::string, std::string>;

struct SoakOptions {
  double seconds = 300;  ///< A round that has begun is brought to its end.
  int rounds = 1'000'000'000;  ///< Or so many.
  int blows = 30;              ///< Of a round.
  unsigned seed = 1;
  int first = 0;  ///< Round to begin with: their kinds take turns.
  int limit = 0;  ///< Images of each split; 0: all.
};

/// What a round does besides killing.
enum class Kind { kKills, kPauses, kTorn, kFull, kClock, kNetwork, kSlurm };
constexpr std::pair<Kind, const char*> kKinds[] = {
    {Kind::kKills, "kills"}, {Kind::kPauses, "pauses"},
    {Kind::kTorn, "torn"},   {Kind::kFull, "full disk"},
    {Kind::kClock, "clock"}, {Kind::kNetwork, "no locks, no WAL"},
    {Kind::kSlurm, "Slurm"}};

void Sleep(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

Words RecipeWords(int limit, Words first, const Words& more = {}) {
  Words recipe = {"quickstart",
                  "--only",
                  "method=label_prior",
                  "--only",
                  "method=linear_probe-bce",
                  "--only",
                  "method=hp_dval-stage2",
                  "--seeds",
                  "0-1",
                  "--set",
                  "linear_probe.epochs=40",
                  "--set",
                  "hp_dval.stage1_epochs=1",
                  "--set",
                  "hp_dval.stage2_epochs=1"};
  if (limit > 0)
    recipe.insert(recipe.end(), {"--limit", std::to_string(limit)});
  first.insert(first.end(), recipe.begin(), recipe.end());
  first.insert(first.end(), more.begin(), more.end());
  return first;
}

class Soak {
 public:
  explicit Soak(const SoakOptions& options)
      : options_(options), chance_(options.seed) {}

  int Run() {
    const Program undisturbed = InFolder("undisturbed");
    Need(undisturbed(Campaign({"run"}, {"--quiet"})), "the undisturbed run");
    expected_ = Read(undisturbed);
    std::string why;
    cluster_ = SlurmCluster::Start(scratch_.path() / "slurm", why);
    if (!cluster_) std::cout << "no Slurm in this soak: " << why << "\n";
    const Stopwatch watch;
    int done = 0;
    for (int round = options_.first;
         watch.Seconds() < options_.seconds && done < options_.rounds;
         ++round) {
      const auto& [kind, name] = kKinds[round % std::size(kKinds)];
      if (kind == Kind::kSlurm && !cluster_) continue;
      ++done;
      const Stopwatch one;
      const int before = Blows();
      const int wrong_before = wrong_;
      Round(kind, InFolder(StrCat("round-", round)));
      ++rounds_[name];
      std::cout << "round " << round << ", " << name << ": " << Blows() - before
                << " blows, " << one.Seconds() << " s, "
                << (wrong_ == wrong_before ? "right" : "WRONG") << std::endl;
    }
    Print(watch.Seconds());
    return wrong_ == 0 ? 0 : 1;
  }

 private:
  Words Campaign(Words first, const Words& more = {}) const {
    return RecipeWords(options_.limit, std::move(first), more);
  }

  Program InFolder(const std::string& name) const {
    Program program(scratch_.path() / name);
    program.environment["TAILMARK_CACHE"] =
        (scratch_.path() / "cache").string();
    return program;
  }

  Hashes Read(const Program& program) {
    return DoneScores(program, [this](const std::string& key) {
      Complain("stored twice: " + key);
    });
  }

  void Complain(const std::string& what) {
    ++wrong_;
    std::cout << "WRONG: " << what << std::endl;
  }

  double Between(double least, double most) {
    return std::uniform_real_distribution<double>(least, most)(chance_);
  }

  int Blows() const {
    int all = 0;
    for (const auto& [kind, count] : kills_) all += count;
    return all;
  }

  void Round(Kind kind, Program program) {
    Need(program(Campaign({"plan"}, {"-o", "plan.json"})), "plan");
    Program disturbed = program;
    disturbed.environment["LD_PRELOAD"] = SOAK_MISCHIEF;
    if (kind == Kind::kFull) disturbed.environment["SOAK_FULL"] = "300";
    if (kind == Kind::kClock) disturbed.environment["SOAK_CLOCK"] = "9999999";
    if (kind == Kind::kNetwork) disturbed.environment["SOAK_NETWORK"] = "1";
    if (kind == Kind::kSlurm) {
      DisturbSlurm(program);
    } else {
      Disturb(kind, disturbed);
    }
    // The last word is undisturbed, but for what the file system is.
    Finish(kind, kind == Kind::kNetwork ? disturbed : program);
  }

  void Disturb(Kind kind, const Program& program) {
    const std::string bundles = (program.store() / "bundles").string();
    Actors actors(program);
    const Words claim = {"worker", "--plan", "plan.json", "--claim",
                         "--beat", "1",      "--quiet"};
    actors.Add("parent", Campaign({"run"}, {"--quiet"}));
    actors.Add("parent", claim);
    actors.Add("parent", claim);
    actors.Add("merge", {"import", bundles, "--quiet"});
    for (int blow = 0; blow < options_.blows; ++blow) {
      actors.Revive();
      Sleep(Between(0.02, 1.5));
      if (kind == Kind::kTorn) Tear(bundles);
      std::string victim;
      const pid_t pid = actors.Victim(chance_(), victim);
      if (pid <= 0) continue;
      if (kind == Kind::kPauses && chance_() % 2 == 0) {
        ++pauses_;
        kill(pid, SIGSTOP);
        Sleep(Between(0.5, 5));  // Leases live three seconds.
        kill(pid, SIGCONT);
      } else {
        ++kills_[victim];
        kill(pid, SIGKILL);
      }
    }
  }

  /// Damages a file of a bundle, as a disk does: the bytes are others, and
  /// what other places have of them stays.
  void Tear(const fs::path& bundles) {
    std::vector<fs::path> files;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(bundles, ignored)) {
      for (const char* name : {"run.json", "scores/test.npy", "ids.txt"}) {
        if (fs::exists(entry.path() / name)) {
          files.push_back(entry.path() / name);
        }
      }
    }
    if (files.empty()) return;
    const fs::path file = files[chance_() % files.size()];
    try {
      std::string bytes = ReadFile(file);
      if (chance_() % 2 == 0) {
        bytes.resize(bytes.size() / 2);
      } else if (!bytes.empty()) {
        bytes[bytes.size() / 2] = static_cast<char>(~bytes[bytes.size() / 2]);
      }
      WriteFileAtomic(file, bytes);
      ++tears_;
    } catch (const Error&) {
      // It was given another name meanwhile.
    }
  }

  void DisturbSlurm(Program& program) {
    for (const auto& [name, value] : cluster_->environment()) {
      program.environment[name] = value;
    }
    Need(program(Campaign({"slurm"}, {"--submit"})), "slurm --submit");
    for (int blow = 0; blow < options_.blows; ++blow) {
      Sleep(Between(0.2, 2));
      const auto victims = ProcessesOf(program.folder());
      if (victims.empty()) continue;
      kill(victims[chance_() % victims.size()], SIGKILL);
      ++kills_["slurm step"];
      if (blow % 8 == 7) cluster_->RestartNode();
      cluster_->Hurry();
    }
    cluster_->Ask("scancel --quiet --full --me");
    cluster_->WaitUntilEmpty(60);
    // A script whose daemon was killed is nobody's child any more.
    for (const pid_t pid : ProcessesOf(program.folder())) kill(pid, SIGKILL);
  }

  /// What `db check` says to do with torn bundles: forget those of failures,
  /// make the others again.
  void Mend(const Program& program) {
    const fs::path bundles = program.store() / "bundles";
    std::vector<fs::path> torn;
    for (const auto& entry : fs::directory_iterator(bundles)) {
      if (!IsSealed(entry.path())) continue;
      try {
        (void)ReadBundle(entry.path());
      } catch (const DataError&) {
        torn.push_back(entry.path());
      }
    }
    bool again = false;
    for (const fs::path& each : torn) {
      const bool failed = each.extension() == ".failed";
      again = again || !failed;
      if (failed) fs::remove_all(each);
    }
    mended_ += static_cast<int>(torn.size());
    if (!again) return;
    Need(program(Campaign({"run"}, {"--force", "--quiet"})), "run --force");
  }

  void Finish(Kind kind, const Program& program) {
    const std::string bundles = (program.store() / "bundles").string();
    const Said run = program(Campaign({"run"}, {"--quiet", "--json"}));
    if (run.code != 0) {
      Complain(StrCat("run ended with ", run.code, ": ", run.err, run.out));
    }
    const Said merge = program({"import", bundles, "--quiet"});
    // 2: a torn bundle was refused.
    if (merge.code != 0 && merge.code != 2) {
      Complain(StrCat("import ended with ", merge.code, ": ", merge.err));
    }
    Said check = program({"db", "check"});
    if (check.code != 0 && kind == Kind::kTorn) {
      Mend(program);
      check = program({"db", "check"});
    }
    if (check.code != 0) {
      Complain(StrCat("db check: ", check.out, check.err));
    }
    Hashes hashes = Read(program);
    if (hashes != expected_) {
      Complain(StrCat(hashes.size(), " runs are done, expected ",
                      expected_.size(), ", or their bits differ"));
    }
  }

  void Print(double seconds) const {
    std::cout << "\n" << seconds << " s";
    for (const auto& [name, count] : rounds_) {
      std::cout << "; " << count << " x " << name;
    }
    std::cout << "\n" << Blows() << " SIGKILLs:";
    for (const auto& [name, count] : kills_) {
      std::cout << " " << count << " " << name;
    }
    std::cout << "; " << pauses_ << " pauses, " << tears_ << " torn files, "
              << mended_ << " bundles still torn at the end and mended\n"
              << wrong_ << " wrong\n";
  }

  SoakOptions options_;
  std::mt19937 chance_;
  ScratchFolder scratch_;
  std::unique_ptr<SlurmCluster> cluster_;
  Hashes expected_;
  std::map<std::string, int> rounds_;
  std::map<std::string, int> kills_;
  int pauses_ = 0;
  int tears_ = 0;
  int mended_ = 0;
  int wrong_ = 0;
};

SoakOptions OptionsFrom(int argc, char** argv) {
  SoakOptions options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "--seconds") options.seconds = std::stod(argv[i + 1]);
    if (name == "--blows") options.blows = std::stoi(argv[i + 1]);
    if (name == "--rounds") options.rounds = std::stoi(argv[i + 1]);
    if (name == "--limit") options.limit = std::stoi(argv[i + 1]);
    if (name == "--first") options.first = std::stoi(argv[i + 1]);
    if (name == "--seed") {
      options.seed = static_cast<unsigned>(std::stoul(argv[i + 1]));
    }
  }
  return options;
}

}  // namespace
}  // namespace tailmark

int main(int argc, char** argv) try {
  return tailmark::Soak(tailmark::OptionsFrom(argc, argv)).Run();
} catch (const tailmark::Error& error) {
  std::cerr << "soak: " << error.what() << "\n";
  return 2;
}
