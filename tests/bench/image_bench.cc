// From a JPEG file in memory to what an encoder takes, one thread. Pictures:
// $TAILMARK_REFERENCE_DATA/real-images when set, else a few made ones. One
// iteration is all of them.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "datasets/images/decode.h"
#include "datasets/images/jpeg.h"
#include "datasets/images/pipeline.h"
#include "harness/base/files.h"
#include "harness/base/seeds.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;

/// 640 x 480, smooth with some noise: about as many bytes as a photograph.
std::string MadePhotograph(std::uint64_t seed) {
  Image image{640, 480, {}};
  ChanceStream chance(seed, 0, 0);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width * 3; ++x) {
      image.rgb.push_back(static_cast<std::uint8_t>(
          (x / 9 + y / 3 + static_cast<int>(chance.Below(24))) & 0xFF));
    }
  }
  return EncodeJpeg(image);
}

std::vector<std::string> LoadPictures() {
  std::vector<std::string> pictures;
  const char* root = std::getenv("TAILMARK_REFERENCE_DATA");
  const fs::path folder = fs::path(root == nullptr ? "" : root) / "real-images";
  if (root != nullptr && fs::exists(folder)) {
    std::vector<fs::path> paths;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.path().extension() == ".jpg") paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    for (const fs::path& path : paths) pictures.push_back(ReadFile(path));
  }
  if (pictures.empty()) {
    for (std::uint64_t i = 0; i < 8; ++i) pictures.push_back(MadePhotograph(i));
  }
  return pictures;
}

const std::vector<std::string>& Pictures() {
  static const std::vector<std::string> kPictures = LoadPictures();
  return kPictures;
}

const std::vector<Image>& DecodedPictures() {
  static const std::vector<Image> kDecoded = [] {
    std::vector<Image> decoded;
    for (const std::string& bytes : Pictures()) {
      decoded.push_back(DecodeImage(bytes, "bench"));
    }
    return decoded;
  }();
  return kDecoded;
}

void Finish(benchmark::State& state) {
  state.SetItemsProcessed(state.iterations() *
                          static_cast<std::int64_t>(Pictures().size()));
}

void Decode(benchmark::State& state) {
  Pictures();
  for (auto _ : state) {
    for (const std::string& bytes : Pictures()) {
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
    for (std::size_t i = 0; i < Pictures().size(); ++i) {
      Normalise(pipeline, image, out.data());
      benchmark::ClobberMemory();
    }
  }
  Finish(state);
}
BENCHMARK(Normalising)->Unit(benchmark::kMillisecond);

void Whole(benchmark::State& state, const char* name) {
  const Pipeline pipeline = PipelineByName(name);
  Pictures();
  std::vector<float> out(static_cast<std::size_t>(pipeline.size) *
                         static_cast<std::size_t>(pipeline.size) * 3);
  for (auto _ : state) {
    for (const std::string& bytes : Pictures()) {
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
