// How long a finished run takes on its way into the store. A bundle of the
// size of COCO-LT's test set is 5000 x 80; most of its time are the metrics.

#include <benchmark/benchmark.h>

#include "results/ingest.h"
#include "tests/record/sample.h"
#include "tests/results/samples.h"

namespace tailmark {
namespace {

/// Arguments: bundles, rows, classes. Time is for all bundles.
void IngestBundles(benchmark::State& state) {
  const auto count = state.range(0);
  const DatasetFacts facts = SampleFacts(state.range(1), state.range(2));
  const ScratchFolder scratch;
  for (std::int64_t i = 0; i < count; ++i) {
    WriteBundle(scratch.path() / std::to_string(i),
                {.seed = static_cast<std::uint64_t>(i)}, facts);
  }
  int turn = 0;
  for (auto _ : state) {
    Store store(scratch.path() / ("store" + std::to_string(turn++)));
    for (std::int64_t i = 0; i < count; ++i) {
      IngestBundle(store, scratch.path() / std::to_string(i), facts);
    }
  }
  state.SetItemsProcessed(state.iterations() * count);
}
BENCHMARK(IngestBundles)
    ->Args({1000, 100, 24})
    ->Args({100, 1248, 24})
    ->Args({20, 5000, 80})
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1)
    ->UseRealTime();

}  // namespace
}  // namespace tailmark
