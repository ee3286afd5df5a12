// Batches of normalised pixels per second from JPEG files in memory, over the
// number of threads, and from pictures kept after the first pass. Wall time
// counts: the work is done by the loader's threads.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <thread>

#include "datasets/images/decode.h"
#include "datasets/loader/loader.h"
#include "tests/bench/bench_pictures.h"

namespace tailmark {
namespace {

constexpr std::int64_t kRows = 224;

/// The bench's pictures over and over.
class PicturesInMemory : public Dataset {
 public:
  PicturesInMemory() {
    for (std::int64_t i = 0; i < kRows; ++i) {
      split_.ids.push_back(std::to_string(i));
    }
  }
  const std::vector<ClassInfo>& classes() const override { return classes_; }
  const Split& train() const override { return split_; }
  const Split& test() const override { return split_; }
  const LabelMatrix& train_labels() const override { return labels_; }
  const std::vector<std::string>& train_captions() const override {
    return captions_;
  }
  std::string manifest_sha256() const override { return ""; }
  std::string label_policy() const override { return ""; }
  Image LoadImage(const Split& /*split*/, std::int64_t row) const override {
    const auto& all = BenchPictures();
    return DecodeImage(all[static_cast<std::size_t>(row) % all.size()],
                       "bench");
  }

 private:
  std::vector<ClassInfo> classes_;
  Split split_;
  LabelMatrix labels_;
  std::vector<std::string> captions_;
};

void Walk(benchmark::State& state, std::int64_t cache_bytes) {
  const PicturesInMemory data;
  BenchPictures();
  LoaderOptions options;
  options.threads = static_cast<int>(state.range(0));
  options.cache_bytes = cache_bytes;
  Loader loader(data, data.train(), options);
  LoadedBatch batch;
  std::int64_t epoch = 0;
  const auto pass = [&] {
    loader.Start({.epoch = epoch++,
                  .batch_size = 32,
                  .shuffle = true,
                  .augment = Augmentation::kFlip});
    while (loader.Next(batch)) benchmark::DoNotOptimize(batch.pixels.data());
  };
  if (cache_bytes > 0) pass();
  for (auto _ : state) pass();
  state.SetItemsProcessed(state.iterations() * kRows);
}

void Threads(benchmark::internal::Benchmark* bench) {
  const int cores =
      std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  bench->Arg(0)->Arg(1);
  for (int threads = 2; threads <= cores; threads *= 2) bench->Arg(threads);
  bench->UseRealTime()->Unit(benchmark::kMillisecond);
}

void Decoding(benchmark::State& state) { Walk(state, 0); }
BENCHMARK(Decoding)->Apply(Threads);

void Kept(benchmark::State& state) { Walk(state, std::int64_t{1} << 30); }
BENCHMARK(Kept)->Apply(Threads);

}  // namespace
}  // namespace tailmark
