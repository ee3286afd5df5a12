// How fast pictures of the embedded data set are made; one core.
#include <benchmark/benchmark.h>

#include "datasets/embedded/benchmark.h"
#include "datasets/embedded/embedded.h"
#include "datasets/embedded/web_pairs.h"

namespace tailmark::embedded {
namespace {

void BenchmarkPictures(benchmark::State& state) {
  const auto data = EmbeddedEntry().open({.name = "embedded"});
  std::int64_t row = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(data->LoadImage(data->train(), row));
    row = (row + 1) % data->train().size();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BenchmarkPictures);

void WebPairs(benchmark::State& state) {
  std::uint64_t index = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(DrawWebPair(1, index++));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(WebPairs);

// Labels of both splits and the captions: what opening the data set costs.
void OpenDataset(benchmark::State& state) {
  const auto entry = EmbeddedEntry();
  for (auto _ : state) {
    benchmark::DoNotOptimize(entry.open({.name = "embedded"}));
  }
}
BENCHMARK(OpenDataset)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tailmark::embedded
