// 2,000 resamples of the images of a 5,000 x 80 matrix, COCO-LT's test set, on
// one thread. With TAILMARK_BOOTSTRAP_DATA, of the matrix that
// tests/bench/python/bootstrap_peer.py wrote there.

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/base/npy.h"
#include "harness/base/seeds.h"
#include "harness/metrics/arrays.h"
#include "harness/metrics/comparison.h"

namespace tailmark {
namespace {

struct Problem {
  ScoreArray scores;
  std::vector<std::uint8_t> labels;
};

Problem Made() {
  Problem out;
  if (const char* folder = std::getenv("TAILMARK_BOOTSTRAP_DATA")) {
    const std::filesystem::path path(folder);
    out.scores = ScoresFromNpy(ReadNpy(path / "scores.npy"), "scores.npy");
    out.labels = BitsFromNpy(ReadNpy(path / "labels.npy"), out.scores.rows,
                             out.scores.classes, "labels.npy");
    return out;
  }
  out.scores.rows = 5000;
  out.scores.classes = 80;
  std::vector<float> values;
  ChanceStream chance(1, 2, 3);
  for (std::int64_t i = 0; i < out.scores.rows * out.scores.classes; ++i) {
    const bool positive = chance.Chance(4);
    double score = positive ? 21.0 : 20.0;
    for (int k = 0; k < 4; ++k) score += chance.Unit();
    values.push_back(static_cast<float>(score));
    out.labels.push_back(positive ? 1 : 0);
  }
  out.scores.values = std::move(values);
  return out;
}

void ImageBootstrap(benchmark::State& state) {
  const Problem problem = Made();
  double error = 0;
  for (auto _ : state) {
    const Replicates all =
        BootstrapImages(problem.scores.view(), {problem.labels}, {},
                        Definition{}, {.resamples = state.range(0)});
    error = StandardError(all.groups[0].values);
  }
  state.counters["standard_error"] = error;
}
BENCHMARK(ImageBootstrap)->Arg(2000)->Unit(benchmark::kMillisecond);

void LeaveOneOutOfAllImages(benchmark::State& state) {
  const Problem problem = Made();
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        LeaveOneOut(problem.scores.view(), {problem.labels}, {}, Definition{}));
  }
}
BENCHMARK(LeaveOneOutOfAllImages)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tailmark
