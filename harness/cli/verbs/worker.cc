#include <iostream>

#include "harness/base/error.h"
#include "harness/base/interrupt.h"
#include "harness/base/log.h"
#include "harness/cli/execution.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/planning.h"
#include "harness/cli/verbs.h"

namespace tailmark {
namespace {

struct WorkerOptions {
  std::string plan;
  std::optional<std::int64_t> task;
  std::string out;
};

/// One task of a plan, to its bundle. The store's database is not touched, so
/// that any number of machines may do this; `import` brings the bundles in.
int Work(const WorkerOptions& options, const GlobalOptions& global) {
  if (options.plan.empty() || !options.task) {
    throw ConfigError("give --plan FILE and --task N (from 0)");
  }
  const Plan plan = PlanFromJson(ReadJson(options.plan));
  if (*options.task < 0 ||
      *options.task >= static_cast<std::int64_t>(plan.tasks.size())) {
    throw ConfigError(StrCat("--task ", *options.task, " is outside [0, ",
                             plan.tasks.size(), "): that many tasks are in ",
                             options.plan));
  }
  Plan one = plan;
  one.tasks = {plan.tasks[static_cast<std::size_t>(*options.task)]};
  if (one.tasks[0].state != RunState::kPlanned) {
    LogWarning(StrCat(NameOf(one.tasks[0].state), ": ", one.tasks[0].reason));
    return kExitNothing;
  }
  LocalOptions local;
  local.launch.bundles = options.out.empty()
                             ? StoreFolder(global) / "bundles"
                             : std::filesystem::absolute(options.out);
  local.launch.worker = WorkerProgram();
  local.quiet = global.quiet;
  const TaskResult result = RunLocally(one, local).at(0);
  if (result.state == RunState::kSkipped) LogWarning(result.reason);
  if (!result.bundle.empty()) std::cout << result.bundle.string() << "\n";
  return ExitCodeOf({result.state});
}

}  // namespace

Verb WorkerVerb(const GlobalOptions& global) {
  auto options = std::make_shared<WorkerOptions>();
  return {.name = "worker",
          .summary =
              "Run one task of a plan, for any engine that can start a "
              "command",
          .example = "tailmark worker --plan plan.json --task 3 --out bundles",
          .declare =
              [options](Args& args) {
                args.Option("--plan", options->plan, "FILE",
                            "As written by tailmark plan -o");
                args.Option("--task", options->task, "N", "Which one, from 0");
                args.Option("--out", options->out, "DIR",
                            "Where the bundle goes (default: the store's "
                            "bundles)");
              },
          .run = [options, &global] { return Work(*options, global); }};
}

}  // namespace tailmark
