// From a JPEG file in memory to what an encoder takes, one thread. Pictures:
// $TAILMARK_REFERENCE_DATA/real-images when set, else a few made ones. One
// iteration is all of them.

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "datasets/images/decode.h"
#include "datasets/images/pipeline.h"
#include "tests/bench/bench_pictures.h"

namespace tailmark {
namespace {

const std::vector<Image>& DecodedPictures() {
  static const std::vector<Image> kDecoded = [] {
    std::vector<Image> decoded;
    for (const std::string& bytes : BenchPictures()) {
      decoded.push_back(DecodeImage(bytes, "bench"));
    }
    return decoded;
  }();
  return kDecoded;
}

void Finish(benchmark::State& state) {
  state.SetItemsProcessed(state.iterations() *
                          static_cast<std::int64_t>(BenchPictures().size()));
}

void Decode(benchmark::State& state) {
  BenchPictures();
  for (auto _ : state) {
    for (const std::string& bytes : BenchPictures()) {
      benchmark::DoNotOptimize(DecodeImage(bytes, "bench"));
    }
  }
  Finish(state);
}
BENCHMARK(Decode)->Unit(benchmark::kMillisecond);

void Resizing(benchmark::State& state, const char* name) {
  const Pipeline pipeline = PipelineByName(name);
  DecodedPictures();
  for (auto _ : state) {
    for (const Image& image : DecodedPictures()) {
      benchmark::DoNotOptimize(Preprocess(pipeline, image));
    }
  }
  Finish(state);
}
BENCHMARK_CAPTURE(Resizing, clip, "clip-224")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Resizing, squash, "squash-224")
    ->Unit(benchmark::kMillisecond);

void Normalising(benchmark::State& state) {
  const Pipeline pipeline;
  const Image image = Preprocess(pipeline, DecodedPictures().front());
  std::vector<float> out(image.rgb.size());
  for (auto _ : state) {
    for (std::size_t i = 0; i < BenchPictures().size(); ++i) {
      Normalise(pipeline, image, out.data());
      benchmark::ClobberMemory();
    }
  }
  Finish(state);
}
BENCHMARK(Normalising)->Unit(benchmark::kMillisecond);

void Whole(benchmark::State& state, const char* name) {
  const Pipeline pipeline = PipelineByName(name);
  BenchPictures();
  std::vector<float> out(static_cast<std::size_t>(pipeline.size) *
                         static_cast<std::size_t>(pipeline.size) * 3);
  for (auto _ : state) {
    for (const std::string& bytes : BenchPictures()) {
      Normalise(pipeline, Preprocess(pipeline, DecodeImage(bytes, "bench")),
                out.data());
      benchmark::ClobberMemory();
    }
  }
  Finish(state);
}
BENCHMARK_CAPTURE(Whole, clip, "clip-224")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Whole, squash, "squash-224")->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tailmark
