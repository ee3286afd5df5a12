// What launching costs: tasks that do nothing, so that all of the time is
// overhead (a process, a lease, a lock, a sealed bundle and its check); and
// tasks of a fifth of a second each, with one worker and with two.

#include <benchmark/benchmark.h>

#include <numeric>

#include "harness/base/error.h"
#include "harness/launch/claim.h"
#include "harness/launch/local.h"
#include "tests/launch/sample_plan.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {

Plan TasksThat(const std::string& act, std::int64_t count) {
  Recipe recipe = SampleRecipe();
  MethodUse use{.use = "probe", .name = act};
  use.options["act"] = {act, {"bench", {}}};
  for (std::int64_t i = 0; i < count; ++i) {
    use.seeds.push_back(static_cast<std::uint64_t>(i));
  }
  recipe.methods = {use};
  return MakeSamplePlan(recipe);
}

LaunchOptions LaunchIn(const ScratchFolder& scratch) {
  LaunchOptions launch;
  launch.bundles = scratch.path() / "bundles";
  launch.worker = std::filesystem::path(TM_BIN_DIR) / "fake_worker";
  return launch;
}

void Expect(benchmark::State& state, const std::vector<TaskResult>& results) {
  for (const TaskResult& each : results) {
    if (each.state != RunState::kDone) state.SkipWithError("not all are done");
  }
  state.SetItemsProcessed(state.iterations() *
                          static_cast<std::int64_t>(results.size()));
}

/// Argument: workers.
void RunOf(benchmark::State& state, const std::string& act,
           std::int64_t count) {
  const Plan plan = TasksThat(act, count);
  std::vector<TaskResult> results;
  for (auto _ : state) {
    const ScratchFolder scratch;
    LocalOptions options;
    options.launch = LaunchIn(scratch);
    options.slots = MakeSlots(static_cast<int>(state.range(0)), {}, {});
    options.quiet = true;
    results = RunLocally(plan, options);
  }
  Expect(state, results);
}
void RunNothing(benchmark::State& state) { RunOf(state, "good", 100); }
void RunFifths(benchmark::State& state) { RunOf(state, "steps", 40); }

void ClaimNothing(benchmark::State& state) {
  const Plan plan = TasksThat("good", 100);
  std::vector<std::size_t> all(plan.tasks.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  std::vector<TaskResult> results;
  for (auto _ : state) {
    const ScratchFolder scratch;
    ClaimOptions options;
    options.launch = LaunchIn(scratch);
    options.quiet = true;
    results = RunClaimed(plan, all, options);
  }
  Expect(state, results);
}

BENCHMARK(RunNothing)
    ->Arg(1)
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1)
    ->UseRealTime();
BENCHMARK(ClaimNothing)
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1)
    ->UseRealTime();
BENCHMARK(RunFifths)
    ->Arg(1)
    ->Arg(2)
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1)
    ->UseRealTime();

}  // namespace
}  // namespace tailmark
