// engines [--folder DIR] [WORDS OF A RECIPE]: one recipe by `tailmark run`, by
// two `tailmark worker --claim`, and by an array on a Slurm of its own, one
// after the other. Exit 1 unless the three stores have the same keys and score
// hashes. By default the embedded leaderboard, three seeds. In a DIR the stores
// stay, and a later call goes on from them: hours in pieces.

#include <sys/times.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <iostream>

#include "harness/base/clock.h"
#include "harness/base/error.h"
#include "harness/base/json.h"
#include "tests/e2e/program.h"
#include "tests/e2e/slurm_cluster.h"
#include "tests/record/sample.h"
#include "tests/soak/done_scores.h"

namespace tailmark {
namespace {
namespace fs = std::filesystem;
using Words = std::vector<std::string>;
using Hashes = std::map<std::string, std::string>;

/// Without a sign of an end, Slurm is given up.
constexpr double kPatience = 6 * 3600;

Words Joined(Words first, const Words& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

/// Processor seconds of all that was started and has ended.
double Processor() {
  tms times{};
  ::times(&times);
  return static_cast<double>(times.tms_cutime + times.tms_cstime) /
         static_cast<double>(sysconf(_SC_CLK_TCK));
}

class Engines {
 public:
  Engines(const fs::path& folder, Words recipe)
      : recipe_(std::move(recipe)),
        folder_(folder.empty() ? scratch_.path() : folder) {}

  int Run() {
    const Hashes first = By("run", [&](const Program& program) {
      Need(program(Joined({"run"}, Joined(recipe_, {"--quiet"}))), "run");
    });
    bool same = !first.empty();
    same &= first ==
            By("claim", [&](const Program& program) { return Claim(program); });
    std::string why;
    cluster_ = SlurmCluster::Start(scratch_.path() / "slurm", why);
    if (!cluster_) {
      std::cout << "no Slurm: " << why << "\n";
    } else {
      same &= first == By("slurm", [&](const Program& program) {
                return Submit(program);
              });
    }
    std::cout << (same ? "the same keys and score hashes\n" : "NOT THE SAME\n");
    return same ? 0 : 1;
  }

 private:
  Hashes By(const std::string& engine,
            const std::function<void(const Program&)>& run) {
    Program program(folder_ / engine);
    program.environment["TAILMARK_CACHE"] = (folder_ / "cache").string();
    if (cluster_) {
      for (const auto& [name, value] : cluster_->environment()) {
        program.environment[name] = value;
      }
    }
    const Stopwatch watch;
    const double before = Processor();
    run(program);
    Hashes hashes = DoneScores(program, [](const std::string& key) {
      throw StoreError("stored twice: " + key);
    });
    std::cout << engine << ": " << hashes.size() << " done, " << watch.Seconds()
              << " s, " << Processor() - before
              << " s of processor (Slurm's jobs are not ours)" << std::endl;
    return hashes;
  }

  void Claim(const Program& program) const {
    Need(program(Joined({"plan"}, Joined(recipe_, {"-o", "plan.json"}))),
         "plan");
    const Words words = {"worker", "--plan", "plan.json", "--claim", "--quiet"};
    const pid_t other = program.Start(words);
    Need(program(words), "worker --claim");
    if (Program::Wait(other) != 0) throw StoreError("the other worker failed");
    Need(program({"import", program.store() / "bundles", "--quiet"}), "import");
  }

  void Submit(const Program& program) const {
    Need(program(Joined({"slurm"}, Joined(recipe_, {"--submit"}))), "slurm");
    if (!cluster_->WaitUntilEmpty(kPatience)) {
      throw StoreError("Slurm does not end: " + cluster_->Logs());
    }
  }

  Words recipe_;
  ScratchFolder scratch_;
  fs::path folder_;
  std::unique_ptr<SlurmCluster> cluster_;
};

}  // namespace
}  // namespace tailmark

int main(int argc, char** argv) try {
  tailmark::Words recipe(argv + 1, argv + argc);
  std::filesystem::path folder;
  if (recipe.size() > 1 && recipe[0] == "--folder") {
    folder = std::filesystem::absolute(recipe[1]);
    recipe.erase(recipe.begin(), recipe.begin() + 2);
  }
  if (recipe.empty()) recipe = {"quickstart", "--seeds", "0-2"};
  return tailmark::Engines(std::move(folder), std::move(recipe)).Run();
} catch (const tailmark::Error& error) {
  std::cerr << "engines: " << error.what() << "\n";
  return 2;
}
