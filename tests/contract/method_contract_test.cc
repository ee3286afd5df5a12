// What harness/api/method.h promises, asked of every registered method. A new
// method is found here by itself.

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <memory>

#include "harness/api/registry.h"
#include "harness/base/error.h"
#include "harness/run/state_file.h"
#include "methods/builtin.h"
#include "methods/torch_pch.h"
#include "tests/contract/toys.h"

namespace tailmark {
namespace {

using toys::StopAfter;
using toys::ToyData;
using toys::ToyEncoder;

constexpr std::uint64_t kSeed = 7;

class MethodContract : public ::testing::TestWithParam<std::string> {
 protected:
  MethodContract() { RegisterBuiltinMethods(registry_); }

  const MethodInfo& info() const { return registry_.Find(GetParam()).info; }
  std::unique_ptr<Method> Make(const OptionMap& options) {
    return registry_.Find(GetParam())
        .create(options, toys::MakeToyProblem(data_, &encoder_));
  }
  /// With the preset for small data where there is one: defaults may be meant
  /// for a large encoder and hours.
  std::unique_ptr<Method> MakeSmall(const OptionMap& more) {
    OptionMap options;
    for (const Preset& preset : info().presets) {
      if (preset.name == "embedded") options = preset.options;
    }
    for (const auto& [name, value] : more) options[name] = value;
    return Make(With(options));
  }
  /// And, where something is to be learnt, not from what a text tower says: of
  /// these data it knows nothing.
  OptionMap With(OptionMap options) const {
    for (const FieldInfo& field : registry_.Find(GetParam()).options) {
      if (plain_start_ && field.name == "head_init" &&
          std::count(field.choices.begin(), field.choices.end(), "zeros") > 0) {
        options["head_init"] = std::string("zeros");
        options["epochs"] = std::int64_t{30};  // Further to go than from texts.
      }
    }
    return options;
  }
  std::unique_ptr<Method> Make() { return MakeSmall({}); }
  at::Tensor Inputs() const {
    switch (info().input) {
      case InputKind::kImages:
        return data_.pixels;
      case InputKind::kFeatures:
        return data_.features;
      case InputKind::kNone:
        break;
    }
    return {};
  }
  void Fit(Method& method, FitObserver& observer, std::uint64_t seed = kSeed) {
    const at::Tensor inputs = Inputs();
    FeatureViews views{.plain = inputs, .flipped = [this] {
                         const auto mirrored = data_.pixels.flip(3);
                         return info().input == InputKind::kImages
                                    ? mirrored
                                    : encoder_.EncodeImages(mirrored);
                       }};
    const auto source =
        MakeFeatureTrainSource(data_.rows, std::move(views), {.seed = seed});
    FitContext context{*source, nullptr, seed, observer};
    const auto states = StatesNeeded(method.ResolvedOptions(), seed);
    for (const auto& [role, state] : states) {
      context.inputs.emplace(role, &state);
    }
    method.Fit(context);
  }
  /// What the runs leave that a method with these options starts from.
  std::map<std::string, MemoryState> StatesNeeded(const OptionMap& options,
                                                  std::uint64_t seed) {
    std::map<std::string, MemoryState> states;
    for (const NeededRun& needed : NeededRuns(
             info().depends, registry_.Find(GetParam()).options, options)) {
      const auto method = Make(needed.options);
      StopAfter never;
      Fit(*method, never, seed);
      method->Save(states[needed.role]);
    }
    return states;
  }
  std::unique_ptr<Method> Fitted(std::uint64_t seed = kSeed) {
    auto method = Make();
    StopAfter never;
    Fit(*method, never, seed);
    return method;
  }
  /// The batch of these rows of the toy images.
  Batch Of(const at::Tensor& rows) const {
    Batch batch;
    batch.rows = rows;
    if (Inputs().defined()) batch.inputs = Inputs().index_select(0, rows);
    return batch;
  }
  at::Tensor Scores(const Method& method) const {
    return method.Predict(Of(torch::arange(data_.pixels.size(0))));
  }
  at::Tensor Trained(std::uint64_t seed = kSeed) {
    return Scores(*Fitted(seed));
  }
  void ExpectFiniteScores() {
    const auto scores = Trained();
    EXPECT_EQ(scores.sizes(), data_.rows.labels.sizes());
    EXPECT_TRUE(scores.isfinite().all().item<bool>());
  }

  MethodRegistry registry_;
  ToyEncoder encoder_;
  ToyData data_ = toys::MakeToyData();
  bool plain_start_ = false;
};

TEST_P(MethodContract, ScoresEveryImageAndClassWithAFiniteNumber) {
  ExpectFiniteScores();
}

TEST_P(MethodContract, SameSeedSameBits) {
  EXPECT_TRUE(Trained().equal(Trained()));
}

TEST_P(MethodContract, AnotherSeedGivesOtherScoresIfItSaysSo) {
  const bool same = Trained(7).equal(Trained(8));
  EXPECT_EQ(same, !info().abilities.stochastic);
}

TEST_P(MethodContract, SaveThenLoadKeepsEveryBit) {
  const auto method = Fitted();
  MemoryState state;
  method->Save(state);
  const auto copy = Make();
  copy->Load(state);
  EXPECT_TRUE(Scores(*copy).equal(Scores(*method)));
}

TEST_P(MethodContract, StopAndResumeEqualsNeverStopped) {
  for (const std::int64_t epochs : {1, 2, 7}) {
    const auto first = Make();
    StopAfter some(epochs);
    Fit(*first, some);
    MemoryState state;
    first->Save(state);
    const auto second = Make();
    second->Load(state);
    StopAfter never;
    Fit(*second, never);
    EXPECT_TRUE(Scores(*second).equal(Trained())) << "after " << epochs;
  }
}

TEST_P(MethodContract, ASavedStateIsNotChangedByGoingOn) {
  const auto method = Make();
  StopAfter one(1);
  Fit(*method, one);
  MemoryState state;
  method->Save(state);
  const auto before = Make();
  before->Load(state);
  const auto scores = Scores(*before).clone();
  StopAfter never;
  Fit(*method, never);
  const auto after = Make();
  after->Load(state);
  EXPECT_TRUE(Scores(*after).equal(scores));
}

/// Does what selection does: scores and saves after each epoch.
class Looking final : public FitObserver {
 public:
  explicit Looking(std::function<void(const Method&)> look)
      : look_(std::move(look)) {}
  FitSignal OnEpochEnd(const Method& method, const EpochReport&) override {
    look_(method);
    return FitSignal::kContinue;
  }

 private:
  std::function<void(const Method&)> look_;
};

TEST_P(MethodContract, LookingAfterEachEpochChangesNothingAndAnyMayBeChosen) {
  std::vector<MemoryState> states;
  std::vector<at::Tensor> scores;
  Looking looking([&](const Method& method) {
    scores.push_back(Scores(method).clone());
    method.Save(states.emplace_back());
  });
  const auto method = Make();
  Fit(*method, looking);
  EXPECT_TRUE(Scores(*method).equal(Trained()));
  for (std::size_t i = 0; i < states.size(); ++i) {
    const auto chosen = Make();
    chosen->Load(states[i]);
    EXPECT_TRUE(Scores(*chosen).equal(scores[i])) << "epoch " << i + 1;
  }
}

TEST_P(MethodContract, ComputesInEveryPrecisionItSays) {
  OptionMap options = Make()->ResolvedOptions();
  for (const std::string& precision : info().abilities.precisions) {
    Problem problem = toys::MakeToyProblem(data_, &encoder_);
    problem.precision = precision;
    const auto method = registry_.Find(GetParam()).create(options, problem);
    StopAfter few(2);
    Fit(*method, few);
    EXPECT_TRUE(Scores(*method).isfinite().all().item<bool>()) << precision;
  }
}

TEST_P(MethodContract, TellsTheObserverOfEveryEpochWithItsNumber) {
  const auto method = Make();
  StopAfter never;
  Fit(*method, never);
  ASSERT_FALSE(never.reports.empty());
  std::int64_t epoch = 0;
  for (const EpochReport& report : never.reports) {
    EXPECT_EQ(report.epoch, ++epoch);
    EXPECT_EQ(report.epochs, never.reports.back().epoch);
  }
}

TEST_P(MethodContract, ARowDoesNotDependOnItsNeighbours) {
  if (!info().abilities.batch_invariant) {
    GTEST_SKIP() << "does not claim batch_invariant";
  }
  const auto method = Fitted();
  const auto together = Scores(*method);
  const auto alone = method->Predict(Of(torch::tensor({5}, torch::kLong)));
  // Not bit by bit: BLAS takes another kernel for one row.
  EXPECT_TRUE(alone[0].allclose(together[5], /*rtol=*/1e-5, /*atol=*/1e-6));
}

TEST_P(MethodContract, TheOrderOfRowsIsTheOrderOfScores) {
  const auto method = Fitted();
  const auto order =
      torch::randperm(data_.pixels.size(0), at::detail::createCPUGenerator(3),
                      torch::TensorOptions(torch::kLong));
  const auto shuffled = method->Predict(Of(order));
  EXPECT_TRUE(
      shuffled.allclose(Scores(*method).index_select(0, order), 1e-5, 1e-6));
}

TEST_P(MethodContract, PredictingTwiceChangesNothing) {
  const auto method = Fitted();
  const auto first = Scores(*method).clone();
  EXPECT_TRUE(Scores(*method).equal(first));
}

TEST_P(MethodContract, UnknownLabelsAreNeverLookedAt) {
  if (!info().abilities.partial_labels) {
    GTEST_SKIP() << "does not claim partial_labels";
  }
  auto& rows = data_.rows;
  rows.known = torch::arange(rows.labels.numel())
                   .remainder(3)
                   .ne(0)
                   .view(rows.labels.sizes());
  const auto truth = rows.labels;
  at::Tensor expected;
  for (const int poison : {0, 1, 255}) {
    rows.labels = truth.masked_fill(rows.known.logical_not(), poison);
    const auto scores = Trained();
    if (!expected.defined()) expected = scores;
    EXPECT_TRUE(scores.equal(expected)) << "hidden labels were " << poison;
  }
}

TEST_P(MethodContract, HidingLabelsIsNotTheSameAsKnowingThem) {
  if (!info().abilities.partial_labels || !info().abilities.trains) {
    GTEST_SKIP() << "does not learn from partial labels";
  }
  const auto complete = Trained();
  data_.rows.known = torch::zeros_like(data_.rows.labels).to(torch::kBool);
  data_.rows.known.narrow(0, 0, 40).fill_(true);
  EXPECT_FALSE(Trained().equal(complete));
}

TEST_P(MethodContract, WorksWithOneClass) {
  data_ = toys::MakeToyData(40, 1);
  ExpectFiniteScores();
}

TEST_P(MethodContract, WorksWithOneImage) {
  data_ = toys::MakeToyData(1, 3);
  ExpectFiniteScores();
}

TEST_P(MethodContract, WorksWithClassesThatAreNeverOrAlwaysThere) {
  data_.rows.labels.select(1, 0).zero_();
  data_.rows.labels.select(1, 1).fill_(1);
  ExpectFiniteScores();
}

TEST_P(MethodContract, WorksWithImagesThatShowNothing) {
  data_.rows.labels.narrow(0, 0, 30).zero_();
  ExpectFiniteScores();
}

TEST_P(MethodContract, WorksWhenNoLabelIsKnown) {
  if (!info().abilities.partial_labels) {
    GTEST_SKIP() << "does not claim partial_labels";
  }
  data_.rows.known = torch::zeros_like(data_.rows.labels).to(torch::kBool);
  ExpectFiniteScores();
}

TEST_P(MethodContract, LearnsWhatCanBeReadFromItsInput) {
  if (!info().abilities.trains || info().input == InputKind::kNone) {
    GTEST_SKIP() << "learns nothing from images";
  }
  if (info().family == "prompt") {
    GTEST_SKIP()
        << "says no more than its text tower: tests/methods/prompt_test";
  }
  data_ = toys::MakeToyData(600);
  // The toy's weights are of size 1: what fine-tunes a real tower does not
  // move them in a test's time. Nor does a mirrored toy show the same.
  plain_start_ = true;
  const std::map<std::string, OptionMap> kFaster = {
      {"hp_dval",
       {{"stage1_lr", 0.1},
        {"ema_decay", 0.9},
        {"kd_weight", 0.0},
        {"stage1_epochs", std::int64_t{40}},
        {"augment", std::string("none")}}},
      {"psd", {{"lr", 0.01}, {"head_lr", 0.05}}}};
  const auto found = kFaster.find(info().name);
  const auto method =
      found == kFaster.end() ? Make() : MakeSmall(found->second);
  StopAfter never;
  Fit(*method, never);
  EXPECT_GT(toys::RightlyOrdered(Scores(*method), data_.rows.labels), 0.95);
}

TEST_P(MethodContract, LeavesTheEncoderAsItWas) {
  if (info().abilities.trains_encoder) {
    GTEST_SKIP() << "says that it trains the encoder";
  }
  const auto before = encoder_.Bytes();
  Trained();
  EXPECT_TRUE(encoder_.Bytes().equal(before));
}

TEST_P(MethodContract, LeavesChanceAndSwitchesAsItFoundThem) {
  const auto generator = at::detail::getDefaultCPUGenerator();
  const auto chance = generator.get_state();
  for (const bool gradients : {true, false}) {
    const torch::AutoGradMode mode(gradients);
    Trained();
    EXPECT_EQ(torch::GradMode::is_enabled(), gradients);
  }
  EXPECT_TRUE(generator.get_state().equal(chance));
  EXPECT_FALSE(at::globalContext().deterministicAlgorithms());
  EXPECT_EQ(c10::get_default_dtype(), caffe2::TypeMeta::Make<float>());
}

TEST_P(MethodContract, EveryDefaultIsLegalAndSurvivesARoundTrip) {
  const auto options = Make()->ResolvedOptions();
  EXPECT_EQ(Make(options)->ResolvedOptions(), options);
}

TEST_P(MethodContract, EveryPresetCanBeMade) {
  for (const Preset& preset : info().presets) {
    const auto resolved = Make(preset.options)->ResolvedOptions();
    for (const auto& [name, value] : preset.options) {
      EXPECT_EQ(ToText(resolved.at(name)), ToText(value)) << preset.name;
    }
  }
}

TEST_P(MethodContract, RefusesAnOptionItDoesNotHave) {
  EXPECT_THROW(Make({{"no_such_option", true}}), ConfigError);
}

/// Values just outside what the field says.
std::vector<OptionValue> Illegal(const FieldInfo& field) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  std::vector<OptionValue> out;
  const auto number = [&](double value) {
    if (field.type == OptionType::kInt) {
      out.emplace_back(static_cast<std::int64_t>(value));
    } else {
      out.emplace_back(value);
    }
  };
  if (field.type == OptionType::kInt || field.type == OptionType::kFloat) {
    if (field.range.lo > -kInf) {
      number(field.range.lo_open ? field.range.lo : field.range.lo - 1);
    }
    if (field.range.hi < kInf) number(field.range.hi + 1);
    out.emplace_back(std::string("word"));
  }
  if (!field.choices.empty()) out.emplace_back(std::string("no such word"));
  if (field.type == OptionType::kBool) out.emplace_back(1.5);
  return out;
}

TEST_P(MethodContract, RefusesValuesOutsideTheirBoundsByName) {
  for (const FieldInfo& field : registry_.Find(GetParam()).options) {
    for (const OptionValue& value : Illegal(field)) {
      try {
        Make({{field.name, value}});
        ADD_FAILURE() << field.name << " = " << ToText(value) << " passed";
      } catch (const ConfigError& error) {
        EXPECT_NE(std::string(error.what()).find(field.name), std::string::npos)
            << error.what();
      }
    }
  }
}

std::vector<std::string> AllMethods() {
  MethodRegistry registry;
  RegisterBuiltinMethods(registry);
  return registry.Names();
}
INSTANTIATE_TEST_SUITE_P(Builtin, MethodContract,
                         ::testing::ValuesIn(AllMethods()),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace tailmark
