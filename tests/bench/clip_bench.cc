// CLIP's towers: images and texts a second, frozen and without gradients.
//
// With TAILMARK_CLIP_DATA set to a folder that python/clip_peer.py made (hf/,
// pixels.npy, ids.npy), peer/image and peer/text run that model on that input
// and leave their features there, to be compared.

#include <benchmark/benchmark.h>

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "harness/base/allocation.h"
#include "harness/base/npy.h"
#include "methods/clip/clip_encoder.h"
#include "methods/clip/pretrain.h"
#include "methods/clip/tensor_file.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

namespace fs = std::filesystem;

ClipConfig VitB16() {
  ClipConfig config;
  config.patch_size = 16;
  return config;
}

ClipModel RandomVitB16() {
  ClipModel model(VitB16(), at::TensorOptions(at::kFloat));
  InitialiseLikeOpenAi(model, 1);
  return model;
}

ClipModel Nano() {
  return ClipEncoder::Load(TM_SOURCE_DIR "/methods/clip/nano", at::kCPU)
      ->model();
}

/// As many texts of `words` ids, start and end included.
at::Tensor Texts(const ClipConfig& config, std::int64_t texts,
                 std::int64_t words) {
  auto ids = at::zeros({texts, config.context_length}, at::kLong);
  ids.narrow(1, 0, words).fill_(1);
  ids.select(1, words - 1).fill_(config.end.id);
  return ids;
}

void CountItems(benchmark::State& state, const at::Tensor& input) {
  state.SetItemsProcessed(state.iterations() * input.size(0));
}

void ImagesOf(benchmark::State& state, const ClipModel& model) {
  const c10::InferenceMode frozen;
  at::set_num_threads(1);
  const std::int64_t side = model.config.image_size;
  const auto pixels = at::randn({state.range(0), 3, side, side});
  for (auto _ : state) {
    benchmark::DoNotOptimize(model.vision.Feature(pixels).data_ptr());
  }
  CountItems(state, pixels);
}

void TextsOf(benchmark::State& state, const ClipModel& model) {
  const c10::InferenceMode frozen;
  at::set_num_threads(1);
  const auto ids = Texts(model.config, state.range(0), state.range(1));
  for (auto _ : state) {
    const auto features =
        model.text.Feature(model.text.Embed(ids), model.text.Ends(ids));
    benchmark::DoNotOptimize(features.data_ptr());
  }
  CountItems(state, ids);
}

void NanoImages(benchmark::State& state) { ImagesOf(state, Nano()); }
void VitB16Images(benchmark::State& state) { ImagesOf(state, RandomVitB16()); }
void NanoTexts(benchmark::State& state) { TextsOf(state, Nano()); }
void VitB16Texts(benchmark::State& state) { TextsOf(state, RandomVitB16()); }
BENCHMARK(NanoImages)->Arg(64)->Unit(benchmark::kMillisecond);
BENCHMARK(VitB16Images)->Arg(8)->Unit(benchmark::kMillisecond);
BENCHMARK(NanoTexts)->Args({24, 9})->Unit(benchmark::kMillisecond);
BENCHMARK(VitB16Texts)->Args({20, 10})->Unit(benchmark::kMillisecond);

/// What one step of nano-CLIP's pre-training costs, optimiser left out.
void NanoGradient(benchmark::State& state) {
  at::set_num_threads(1);
  const ClipModel model = Nano();
  model.SetRequiresGrad(true);
  const auto pixels = at::randn({state.range(0), 3, 48, 48});
  const auto ids = Texts(model.config, state.range(0), 16);
  std::vector<at::Tensor> parameters;
  for (const auto& [name, tensor] : model.Parameters()) {
    parameters.push_back(tensor);
  }
  for (auto _ : state) {
    const auto found =
        InfoNce(model.vision.Feature(pixels),
                model.text.Feature(model.text.Embed(ids), model.text.Ends(ids)),
                model.logit_scale.exp(), ids);
    benchmark::DoNotOptimize(
        torch::autograd::grad({found.loss}, parameters)[0].data_ptr());
  }
  CountItems(state, pixels);
}
BENCHMARK(NanoGradient)->Arg(128)->Unit(benchmark::kMillisecond);

/// The peer's model and input, and where the features go.
void Peer(benchmark::State& state, const char* input, const char* output,
          at::Tensor (Encoder::*encode)(const at::Tensor&)) {
  const char* given = std::getenv("TAILMARK_CLIP_DATA");
  if (given == nullptr || *given == '\0') {
    state.SkipWithError("TAILMARK_CLIP_DATA is not set");
    return;
  }
  const c10::InferenceMode frozen;
  const char* threads = std::getenv("OMP_NUM_THREADS");
  at::set_num_threads(threads == nullptr ? 1 : std::max(1, std::atoi(threads)));
  const fs::path folder = given;
  const auto encoder = ClipEncoder::Load(folder / "hf", at::kCPU);
  const NpyArray array = ReadNpy(folder / input);
  const auto tensor = ToTensor(
      {array.dtype, array.shape, std::as_bytes(std::span(array.bytes))});
  at::Tensor features;
  for (auto _ : state) {
    features = ((*encoder).*encode)(tensor);
    benchmark::DoNotOptimize(features.data_ptr());
  }
  CountItems(state, tensor);
  features = features.contiguous();
  WriteNpy(
      folder / output, DType::kFloat32, features.sizes().vec(),
      std::as_bytes(std::span(features.const_data_ptr<float>(),
                              static_cast<std::size_t>(features.numel()))));
}
void PeerImage(benchmark::State& state) {
  Peer(state, "pixels.npy", "image_features.npy", &Encoder::EncodeImages);
}
void PeerText(benchmark::State& state) {
  Peer(state, "ids.npy", "text_features.npy", &Encoder::EncodeText);
}

}  // namespace
}  // namespace tailmark

int main(int argc, char** argv) {
  tailmark::KeepFreedMemory();  // as the worker does
  // Only on request: without the folder they would be errors of every run.
  if (std::getenv("TAILMARK_CLIP_DATA") != nullptr) {
    benchmark::RegisterBenchmark("peer/image", tailmark::PeerImage)
        ->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark("peer/text", tailmark::PeerText)
        ->Unit(benchmark::kMillisecond);
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
