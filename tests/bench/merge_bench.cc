// How long a campaign of thousands takes from the folder that workers wrote
// into a store. Most of it are hashes and metrics.

#include <benchmark/benchmark.h>

#include "harness/cli/importing.h"
#include "harness/record/bundle.h"
#include "tests/e2e/made_store.h"
#include "tests/record/sample.h"

namespace tailmark {
namespace {

/// Argument: bundles, of which one in a hundred failed. Time is for all.
void MergeBundles(benchmark::State& state) {
  const ScratchFolder scratch;
  std::vector<MadeRun> runs(static_cast<std::size_t>(state.range(0)));
  for (std::size_t i = 0; i < runs.size(); ++i) {
    runs[i].seed = i;
    if (i % 100 == 99) runs[i].state = RunState::kFailed;
  }
  WriteMadeBundles(scratch.path() / "bundles", "night", runs);
  std::size_t taken = 0;
  for (auto _ : state) {
    const ImportOptions options;
    Store store(scratch.path() / "store");
    Importer importer(options, store, scratch.path() / "cache");
    importer.TakeAll(scratch.path() / "bundles");
    importer.Register("tailmark import bundles");
    taken = importer.answer().size();
  }
  if (taken != runs.size()) state.SkipWithError("not all came in");
  state.SetItemsProcessed(static_cast<std::int64_t>(taken));
}
BENCHMARK(MergeBundles)
    ->Arg(100)
    ->Arg(10000)
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1)
    ->UseRealTime();

}  // namespace
}  // namespace tailmark
