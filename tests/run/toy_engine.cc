#include "tests/run/toy_engine.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "datasets/episodes.h"
#include "harness/base/error.h"
#include "harness/base/files.h"
#include "harness/base/seeds.h"
#include "methods/builtin.h"
#include "methods/torch_pch.h"

namespace tailmark::toys {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kTrain = 48;
constexpr std::int64_t kTest = 20;
constexpr std::int64_t kClasses = 3;

class ToyDataset final : public Dataset {
 public:
  const Episodes* episodes() const override {
    return episodes_.episodes.empty() ? nullptr : &episodes_;
  }
  explicit ToyDataset(const ToyDatasetOptions& options)
      : broken_row_(options.broken_row) {
    train_ = MakeSplit("train", SplitRole::kTrain, kTrain);
    test_ = MakeSplit("test", SplitRole::kTest, kTest);
    labels_ = {.rows = kTrain, .classes = kClasses};
    ChanceStream chance(1, 2, 3);
    for (std::int64_t i = 0; i < kTrain * kClasses; ++i) {
      labels_.positive.push_back(chance.Chance(40) ? 1 : 0);
      if (options.hidden) labels_.known.push_back(i % 3 == 0 ? 0 : 1);
    }
    for (std::int64_t c = 0; c < kClasses; ++c) {
      classes_.push_back({.name = "thing" + std::to_string(c),
                          .train_positives = 20,
                          .group = c == 0 ? Group::kHead : Group::kTail});
    }
    MakeEpisodes(options.episodes);
  }
  const std::vector<ClassInfo>& classes() const override { return classes_; }
  const Split& train() const override { return train_; }
  const Split& test() const override { return test_; }
  const LabelMatrix& train_labels() const override { return labels_; }
  const std::vector<std::string>& train_captions() const override {
    return captions_;
  }
  std::string manifest_sha256() const override { return "toy-manifest"; }
  std::string label_policy() const override { return ""; }
  Image LoadImage(const Split& split, std::int64_t row) const override {
    const bool train = split.role == SplitRole::kTrain;
    if (train && row == broken_row_) {
      throw DataError(
          StrCat(split.ids[static_cast<std::size_t>(row)], ": not a picture"));
    }
    const bool support = split.role == SplitRole::kSupport;
    const std::string& id = split.ids[static_cast<std::size_t>(row)];
    ChanceStream chance(support ? DeriveSeed(9, id) : 9, train ? 0 : 1,
                        static_cast<std::uint64_t>(row));
    Image image{.width = kSide, .height = kSide};
    for (int i = 0; i < kSide * kSide * 3; ++i) {
      image.rgb.push_back(static_cast<std::uint8_t>(chance.Below(256)));
    }
    return image;
  }

 private:
  static Split MakeSplit(const std::string& name, SplitRole role,
                         std::int64_t size) {
    Split split{.name = name, .role = role};
    for (std::int64_t i = 0; i < size; ++i) {
      split.ids.push_back(name + "-" + std::to_string(i));
    }
    return split;
  }

  void MakeEpisodes(std::int64_t count) {
    episodes_ = {.protocol = "toy/1-shot", .base = {0}, .novel = {1, 2}};
    for (int e = 1; e <= count; ++e) {
      Episode episode{.number = e};
      episode.support = MakeSplit(StrCat("support", e), SplitRole::kSupport, 6);
      episode.labels = {.rows = 6, .classes = kClasses};
      for (int cell = 0; cell < 6 * kClasses; ++cell) {
        episode.labels.positive.push_back((cell + e) % 4 < 2 ? 1 : 0);
      }
      KeepKnown(episode.labels, episodes_.novel);
      episodes_.episodes.push_back(std::move(episode));
    }
    if (count > 0) KeepKnown(labels_, episodes_.base);
  }

  Episodes episodes_;
  std::int64_t broken_row_;
  std::vector<ClassInfo> classes_;
  Split train_, test_;
  LabelMatrix labels_;
  std::vector<std::string> captions_;
};

struct NoOptions {
  static constexpr auto Fields() { return std::tuple{}; }
};

/// A method that behaves, for others to differ from.
class Plain : public MethodWith<NoOptions> {
 public:
  using MethodWith::MethodWith;
  void Fit(FitContext& context) override {
    context.observer.OnEpochEnd(*this, {.epoch = 1, .epochs = 1});
  }
  at::Tensor Predict(const Batch& batch) const override {
    return torch::zeros({batch.rows.size(0), problem().num_classes()});
  }
  ScoreScale scale() const override { return ScoreScale::kLogit; }
  void Save(StateWriter&) const override {}
  void Load(const StateReader&) override {}

 protected:
  static MethodInfo Named(const std::string& name) {
    return {.name = name, .summary = name, .input = InputKind::kNone};
  }
};

class NanScores final : public Plain {
 public:
  using Plain::Plain;
  static MethodInfo Info() { return Named("nan_scores"); }
  at::Tensor Predict(const Batch& batch) const override {
    auto scores = Plain::Predict(batch);
    for (std::int64_t i = 0; i < batch.rows.size(0); ++i) {
      if (batch.rows[i].item<std::int64_t>() == 17) scores[i][2] = NAN;
    }
    return scores;
  }
};

class HalfScores final : public Plain {
 public:
  using Plain::Plain;
  static MethodInfo Info() { return Named("bfloat16_scores"); }
  at::Tensor Predict(const Batch& batch) const override {
    return Plain::Predict(batch).to(at::kBFloat16);
  }
};

class WrongShape final : public Plain {
 public:
  using Plain::Plain;
  static MethodInfo Info() { return Named("wrong_shape"); }
  at::Tensor Predict(const Batch& batch) const override {
    return Plain::Predict(batch).narrow(1, 0, 2);
  }
};

class NanLoss final : public Plain {
 public:
  using Plain::Plain;
  static MethodInfo Info() { return Named("nan_loss"); }
  void Fit(FitContext& context) override {
    context.observer.OnEpochEnd(
        *this, {.epoch = 2, .epochs = 9, .curves = {{"loss", NAN}}});
  }
};

class Throws final : public Plain {
 public:
  using Plain::Plain;
  static MethodInfo Info() { return Named("throws"); }
  void Fit(FitContext&) override {
    torch::zeros({2, 3}).matmul(torch::zeros({2, 3}));
  }
};

class OutOfMemory final : public Plain {
 public:
  using Plain::Plain;
  static MethodInfo Info() { return Named("out_of_memory"); }
  void Fit(FitContext&) override { throw std::bad_alloc(); }
};

/// Learns the mean of all pixels it was shown, over three epochs.
class PixelMean final : public Plain {
 public:
  using Plain::Plain;
  static MethodInfo Info() {
    auto info = Named("pixel_mean");
    info.input = InputKind::kImages;
    return info;
  }
  void Fit(FitContext& context) override {
    while (epoch_ < 3) {
      context.train.Start(
          {.epoch = epoch_, .batch_size = 7, .augment = "flip"});
      for (TrainBatch batch; context.train.Next(batch);) {
        // The left half alone, so that mirroring shows.
        sum_ += batch.inputs.narrow(3, 0, kSide / 2).sum();
      }
      ++epoch_;
      context.observer.OnEpochEnd(*this, {.epoch = epoch_, .epochs = 3});
    }
  }
  at::Tensor Predict(const Batch& batch) const override {
    return batch.inputs.mean({1, 2, 3}).unsqueeze(1) * sum_ +
           torch::zeros({1, problem().num_classes()});
  }
  void Save(StateWriter& out) const override {
    out.PutInt("epoch", epoch_);
    out.Put("sum", sum_);
  }
  void Load(const StateReader& in) override {
    epoch_ = in.GetInt("epoch");
    sum_ = in.Get("sum").clone();
  }

 private:
  std::int64_t epoch_ = 0;
  at::Tensor sum_ = torch::zeros({});
};

struct StagedOptions {
  std::int64_t stage = 2;

  static constexpr auto Fields() {
    using O = StagedOptions;
    return std::tuple{Field{"stage", &O::stage, "1 or 2", Between(1, 2)}};
  }
};

/// Stage 1 leaves the number 7; stage 2 starts from it, adds 1 and scores it,
/// or 100 more if the state is of another fit.
class Staged final : public MethodWith<StagedOptions> {
 public:
  using MethodWith::MethodWith;
  static MethodInfo Info() {
    return {.name = "staged",
            .summary = "Two stages",
            .input = InputKind::kNone,
            .depends = {{.role = "stage1",
                         .when = {{"stage", std::int64_t{2}}},
                         .set = {{"stage", std::int64_t{1}}}}}};
  }
  void Fit(FitContext& context) override {
    const auto seed = static_cast<std::int64_t>(context.seed >> 1U);
    if (options().stage == 1) {
      number_ = 7;
      seed_ = seed;
    } else {
      const StateReader& before = context.Input("stage1");
      number_ =
          before.GetInt("number") + (before.GetInt("seed") == seed ? 1 : 101);
    }
    context.observer.OnEpochEnd(*this, {.epoch = 1, .epochs = 1});
  }
  at::Tensor Predict(const Batch& batch) const override {
    return torch::full({batch.rows.size(0), problem().num_classes()},
                       static_cast<double>(number_));
  }
  ScoreScale scale() const override { return ScoreScale::kLogit; }
  void Save(StateWriter& out) const override {
    out.PutInt("number", number_);
    out.PutInt("seed", seed_);
  }
  void Load(const StateReader& in) override {
    number_ = in.GetInt("number");
    seed_ = in.GetInt("seed");
  }

 private:
  std::int64_t number_ = 0;
  std::int64_t seed_ = 0;
};

/// Asks for test scores after each of three epochs; scores their sum.
class Driven final : public Plain {
 public:
  using Plain::Plain;
  static MethodInfo Info() {
    auto info = Named("driven");
    info.needs.test_feedback = OptionMap{};
    return info;
  }
  void Fit(FitContext& context) override {
    while (epoch_ < 3) {
      sum_ += context.observer.TestFeedback(*this);
      ++epoch_;
      context.observer.OnEpochEnd(*this, {.epoch = epoch_, .epochs = 3});
    }
  }
  at::Tensor Predict(const Batch& batch) const override {
    return Plain::Predict(batch) + sum_;
  }
  void Save(StateWriter& out) const override {
    out.PutInt("epoch", epoch_);
    out.Put("sum", torch::tensor(sum_, torch::kDouble));
  }
  void Load(const StateReader& in) override {
    epoch_ = in.GetInt("epoch");
    sum_ = in.Get("sum").item<double>();
  }

 private:
  std::int64_t epoch_ = 0;
  double sum_ = 0;
};

/// Scores 100 * (classes of the base fit) + (classes of its own) in episodes.
class FromBase final : public Plain {
 public:
  using Plain::Plain;
  static MethodInfo Info() {
    auto info = Named("from_base");
    info.needs.base_fit = OptionMap{};
    return info;
  }
  void Fit(FitContext& context) override {
    number_ = problem().num_classes();
    if (context.inputs.contains("base")) {
      number_ += 100 * context.Input("base").GetInt("number");
    }
    context.observer.OnEpochEnd(*this, {.epoch = 1, .epochs = 1});
  }
  at::Tensor Predict(const Batch& batch) const override {
    return Plain::Predict(batch) + static_cast<double>(number_);
  }
  void Save(StateWriter& out) const override { out.PutInt("number", number_); }
  void Load(const StateReader& in) override { number_ = in.GetInt("number"); }

 private:
  std::int64_t number_ = 0;
};

}  // namespace

void RegisterToyDataset(DatasetRegistry& registry) {
  registry.Add(
      {.info = {.name = "toy", .options = DescribeOptions<ToyDatasetOptions>()},
       .open = [](const DatasetSpec& spec) {
         return std::make_unique<ToyDataset>(
             FromMap<ToyDatasetOptions>(spec.options));
       }});
}

void RegisterBadMethods(MethodRegistry& registry) {
  registry.Add<NanScores>();
  registry.Add<HalfScores>();
  registry.Add<WrongShape>();
  registry.Add<NanLoss>();
  registry.Add<Throws>();
  registry.Add<OutOfMemory>();
  registry.Add<PixelMean>();
  registry.Add<Staged>();
  registry.Add<Driven>();
  registry.Add<FromBase>();
}

ToyEngine::ToyEngine() {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  folder_ = fs::path(testing::TempDir()) / StrCat("tailmark-",
                                                  test->test_suite_name(), "-",
                                                  test->name(), "-", getpid());
  fs::remove_all(folder_);
  fs::create_directories(folder_ / "weights");
  WriteFileAtomic(folder_ / "weights" / "model.safetensors", "toy");
  RegisterBuiltinMethods(methods);
  RegisterBadMethods(methods);
  RegisterToyDataset(datasets);
}

ToyEngine::~ToyEngine() { fs::remove_all(folder_); }

RunSpec ToyEngine::Spec(const std::string& method, OptionMap options) const {
  RunSpec spec;
  spec.identity.method = method;
  spec.identity.method_options =
      ResolveOptions(methods.Find(method).options, options);
  spec.identity.dataset = "toy";
  spec.identity.dataset_options =
      ResolveOptions(datasets.Find("toy").info.options, {});
  spec.identity.pipeline = "as-is-8";
  spec.identity.weights_name = "toy";
  spec.place.weights = folder_ / "weights";
  return spec;
}

Engine ToyEngine::engine() const {
  Engine out{.methods = methods, .datasets = datasets};
  out.build.digest = "toy-build";
  out.open_encoder = [this](const fs::path&, c10::Device device) {
    auto encoder = std::make_unique<ToyEncoder>(device);
    if (batch_norm) encoder->PretendBatchNorm();
    return encoder;
  };
  return out;
}

int ToyEngine::Execute(const RunSpec& spec, const std::string& name,
                       double checkpoint_every_s, int feedback) {
  testing::internal::CaptureStderr();
  const int code = ExecuteRun(spec, Bundle(name), engine(),
                              {.checkpoint_every_s = checkpoint_every_s,
                               .feedback_descriptor = feedback});
  log_ = testing::internal::GetCapturedStderr();
  return code;
}

}  // namespace tailmark::toys
