// One evaluation of an 80 x 5000 matrix on one thread. With TAILMARK_AP_DATA,
// of the matrices that tests/bench/python/ap_peer.py wrote there.

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/base/npy.h"
#include "harness/base/seeds.h"
#include "harness/metrics/arrays.h"
#include "harness/metrics/evaluate.h"

namespace tailmark {
namespace {

struct Problem {
  ScoreArray scores;
  std::vector<std::uint8_t> labels;
};

// The sum of four uniform numbers, moved up for positives, 4 % of the cells.
// `steps` per unit, for ties; 0: none but by chance.
template <class Float>
Problem Made(double steps) {
  Problem out;
  out.scores.rows = 5000;
  out.scores.classes = 80;
  std::vector<Float> values;
  ChanceStream chance(1, 2, 3);
  for (std::int64_t i = 0; i < out.scores.rows * out.scores.classes; ++i) {
    const bool positive = chance.Chance(4);
    double score = positive ? 21.0 : 20.0;
    for (int k = 0; k < 4; ++k) score += chance.Unit();
    if (steps > 0) score = static_cast<int>(score * steps) / steps;
    values.push_back(static_cast<Float>(score));
    out.labels.push_back(positive ? 1 : 0);
  }
  out.scores.values = std::move(values);
  return out;
}

void Measure(benchmark::State& state, const Problem& problem,
             const std::vector<Definition>& definitions) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        Evaluate(problem.scores.view(), {problem.labels}, {}, definitions));
  }
  state.SetItemsProcessed(state.iterations() *
                          static_cast<std::int64_t>(problem.labels.size()));
}

void AllDefinitionsOfFloats(benchmark::State& state) {
  Measure(state, Made<float>(0), DefaultDefinitions({}));
}
void AllDefinitionsOfDoubles(benchmark::State& state) {
  Measure(state, Made<double>(0), DefaultDefinitions({}));
}
// As float16 leaves logits near 20.
void AllDefinitionsOfTiedFloats(benchmark::State& state) {
  Measure(state, Made<float>(64), DefaultDefinitions({}));
}
void StepOfFloats(benchmark::State& state) {
  Measure(state, Made<float>(0), {Definition{}});
}
BENCHMARK(AllDefinitionsOfFloats)->Unit(benchmark::kMillisecond);
BENCHMARK(AllDefinitionsOfDoubles)->Unit(benchmark::kMillisecond);
BENCHMARK(AllDefinitionsOfTiedFloats)->Unit(benchmark::kMillisecond);
BENCHMARK(StepOfFloats)->Unit(benchmark::kMillisecond);

void Peer(benchmark::State& state, const std::string& name, bool all) {
  const char* folder = std::getenv("TAILMARK_AP_DATA");
  if (folder == nullptr) {
    state.SkipWithError("TAILMARK_AP_DATA is not set; see ap_peer.py");
    return;
  }
  const std::filesystem::path path(folder);
  Problem problem;
  problem.scores = ScoresFromNpy(ReadNpy(path / (name + ".npy")), name);
  problem.labels =
      BitsFromNpy(ReadNpy(path / (name + ".labels.npy")), problem.scores.rows,
                  problem.scores.classes, name + ".labels");
  const auto definitions =
      all ? DefaultDefinitions({}) : std::vector{Definition{}};
  Measure(state, problem, definitions);
  const auto total =
      Evaluate(problem.scores.view(), {problem.labels}, {}, definitions);
  state.counters["step"] = total.results.at(0).total().percent.value_or(-1);
}

// Registered only where there is something to read: CTest runs every bench.
const bool kHasPeer = [] {
  if (std::getenv("TAILMARK_AP_DATA") == nullptr) return false;
  for (const char* name : {"float32", "float64", "tied"}) {
    for (const bool all : {false, true}) {
      benchmark::RegisterBenchmark(
          (std::string("peer/") + name + (all ? "/all" : "/step")).c_str(),
          [name, all](benchmark::State& state) { Peer(state, name, all); })
          ->Unit(benchmark::kMillisecond);
    }
  }
  return true;
}();

}  // namespace
}  // namespace tailmark
