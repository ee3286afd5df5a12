// One LMPT epoch in the shape of COCO-LT, ViT-B/16 with random weights, cached
// features: steps of 64 images and 80 prompts of 22 tokens, and the scoring of
// 5,000 images. The other side: python/lmpt_peer.py.

#include <benchmark/benchmark.h>

#include <ATen/Parallel.h>
#include <memory>

#include "harness/run/sources.h"
#include "methods/builtin.h"
#include "methods/clip/clip_encoder.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

constexpr std::int64_t kClasses = 80;
constexpr std::int64_t kBatch = 64;
constexpr std::int64_t kWidth = 512;

/// A word is an id: enough for texts of the right length.
class AnyWords final : public Tokenizer {
 public:
  std::vector<std::int64_t> Encode(std::string_view text) const override {
    std::int64_t words = 1;
    for (const char c : text) words += c == ' ' ? 1 : 0;
    return std::vector<std::int64_t>(static_cast<std::size_t>(words), 1);
  }
  std::int64_t size() const override { return 49408; }
  std::int64_t start() const override { return 49406; }
  std::int64_t end() const override { return 49407; }
  std::int64_t pad() const override { return 0; }
};

class Never final : public FitObserver {
 public:
  FitSignal OnEpochEnd(const Method&, const EpochReport&) override {
    return FitSignal::kContinue;
  }
};

struct Setting {
  explicit Setting(std::int64_t images) {
    RegisterBuiltinMethods(registry);
    ClipConfig config;
    config.patch_size = 16;
    ClipModel model(config, at::TensorOptions(at::kFloat));
    InitialiseLikeOpenAi(model, 1);
    model.logit_scale.fill_(4.6052);
    encoder = std::make_unique<ClipEncoder>(
        std::move(model), std::make_shared<AnyWords>(), "random");
    for (std::int64_t c = 0; c < kClasses; ++c) {
      // 16 context, 4 words with ".", start and end: 22 tokens.
      problem.class_names.push_back("a b c " + std::to_string(c));
    }
    problem.encoder = encoder.get();
    rows.labels = (at::rand({images, kClasses}) < 0.05).to(at::kByte);
    for (std::int64_t i = 0; i < images; ++i) {
      rows.ids.push_back(std::to_string(i));
      rows.captions.push_back("a photo of a dog and a cat on a red sofa");
    }
    features = at::randn({images, kWidth});
    method = registry.Find("lmpt").create(
        {{"epochs", std::int64_t{1}}, {"augment", std::string("flip")}},
        problem);
  }
  void Fit() {
    const auto source = MakeFeatureTrainSource(
        rows, {.plain = features, .flipped = [this] { return features; }}, {});
    Never never;
    FitContext context{*source, nullptr, 1, never};
    method->Fit(context);
  }

  MethodRegistry registry;
  std::unique_ptr<ClipEncoder> encoder;
  Problem problem;
  TrainRows rows;
  at::Tensor features;
  std::unique_ptr<Method> method;
};

/// range(0) steps, in one epoch.
void TrainSteps(benchmark::State& state) {
  at::set_num_threads(1);
  for (auto _ : state) {
    state.PauseTiming();
    Setting setting(kBatch * state.range(0));
    state.ResumeTiming();
    setting.Fit();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(TrainSteps)->Name("lmpt/steps")->Arg(2)->Unit(benchmark::kSecond);

/// Texts once, then 5,000 rows of features in batches of 64.
void ScoreTest(benchmark::State& state) {
  at::set_num_threads(1);
  for (auto _ : state) {
    state.PauseTiming();
    Setting setting(kBatch);
    setting.Fit();  // After which its texts are not encoded yet.
    state.ResumeTiming();
    for (std::int64_t from = 0; from < 5000; from += kBatch) {
      Batch batch;
      batch.rows = at::arange(kBatch);
      batch.inputs = setting.features;
      benchmark::DoNotOptimize(setting.method->Predict(batch).data_ptr());
    }
  }
}
BENCHMARK(ScoreTest)->Name("lmpt/score")->Unit(benchmark::kSecond);

}  // namespace
}  // namespace tailmark
