#include <iostream>
#include <numeric>

#include "harness/base/environment.h"
#include "harness/base/error.h"
#include "harness/base/log.h"
#include "harness/cli/execution.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/planning.h"
#include "harness/cli/verbs.h"
#include "harness/launch/claim.h"
#include "harness/launch/task_numbers.h"
#include "harness/record/units.h"

namespace tailmark {
namespace {

struct WorkerOptions {
  std::string plan;
  std::string task;
  bool claim = false;
  bool again = false;
  std::string stop_after;
  std::optional<std::int64_t> beat;
  std::string out;
};

std::vector<std::size_t> WantedOf(const WorkerOptions& options,
                                  const Plan& plan) {
  if (!options.claim) {
    return TaskNumbers(options.task, plan.tasks.size(), GetEnv);
  }
  std::vector<std::size_t> all(plan.tasks.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

ClaimOptions ClaimOptionsOf(const WorkerOptions& options,
                            const GlobalOptions& global) {
  ClaimOptions claim;
  claim.launch.bundles = options.out.empty()
                             ? StoreFolder(global) / "bundles"
                             : std::filesystem::absolute(options.out);
  claim.launch.worker = WorkerProgram();
  if (!options.stop_after.empty()) {
    claim.launch.stop_after_s =
        ParseDuration(options.stop_after, "--stop-after");
  }
  if (options.beat && (*options.beat < 1 || *options.beat > 3600)) {
    throw ConfigError(
        StrCat("--beat ", *options.beat, " is outside [1, 3600]"));
  }
  claim.beat_s = static_cast<double>(options.beat.value_or(10));
  claim.quiet = global.quiet;
  // Who names a task wants it run.
  claim.again = options.again || !options.claim;
  return claim;
}

/// Tasks of a plan, to their bundles. The store's database is not touched, so
/// that any number of machines may do this; `import` brings the bundles in.
int Work(const WorkerOptions& options, const GlobalOptions& global) {
  if (options.plan.empty() || options.task.empty() != options.claim) {
    throw ConfigError(
        "give --plan FILE and either --task N (from 0, or auto) or --claim");
  }
  const Plan plan = PlanFromJson(ReadJson(options.plan));
  const std::vector<std::size_t> wanted = WantedOf(options, plan);
  ClaimOptions claim = ClaimOptionsOf(options, global);
  DataAccess data(CacheIfThere(global));
  claim.launch.feedback = [&](const PlanTask& task,
                              const std::filesystem::path& scores) {
    return TestMap(data, task.spec, plan.protocol.definition, scores);
  };
  const std::vector<TaskResult> results = RunClaimed(plan, wanted, claim);
  std::vector<RunState> states;
  for (const TaskResult& result : results) {
    if (result.state == RunState::kSkipped ||
        result.state == RunState::kNotApplicable) {
      LogWarning(StrCat(NameOf(result.state), ": ", result.reason));
    }
    if (!result.bundle.empty()) std::cout << result.bundle.string() << "\n";
    states.push_back(result.state);
  }
  return ExitCodeOf(states);
}

}  // namespace

Verb WorkerVerb(const GlobalOptions& global) {
  auto options = std::make_shared<WorkerOptions>();
  return {
      .name = "worker",
      .summary = "Run tasks of a plan, for any engine that can start a command",
      .example = "tailmark worker --plan plan.json --claim --out bundles",
      .declare =
          [options](Args& args) {
            args.Option("--plan", options->plan, "FILE",
                        "As written by tailmark plan -o");
            args.Option("--task", options->task, "N",
                        "Which, from 0: 3, 0,4,7, 2-5, or auto: the number "
                        "that Slurm, Kubernetes, SGE, PBS, LSF or HTCondor "
                        "gave this process");
            args.Flag("--claim", options->claim,
                      "Take tasks until none is left, beside any number "
                      "of other workers");
            args.Flag("--again", options->again,
                      "With --claim: try again what has failed before");
            args.Option("--stop-after", options->stop_after, "TIME",
                        "Stop with a checkpoint and exit code 75 after "
                        "90s, 30m or 2h");
            args.Option("--beat", options->beat, "SECONDS",
                        "How often a lease shows life; after three "
                        "without, others take over (default: 10)");
            args.Option("--out", options->out, "DIR",
                        "Where the bundle goes (default: the store's "
                        "bundles)");
          },
      .run = [options, &global] { return Work(*options, global); }};
}

}  // namespace tailmark
