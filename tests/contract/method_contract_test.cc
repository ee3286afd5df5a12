// What harness/api/method.h promises, asked of every builtin method. A new
// method is found here by itself; tailmark plugin check asks the same of
// others.

#include <gtest/gtest.h>

#include <map>

#include "harness/run/contract/contract.h"
#include "methods/builtin.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

MethodRegistry Builtins() {
  MethodRegistry registry;
  RegisterBuiltinMethods(registry);
  return registry;
}

/// What the checks have to know of some methods.
ContractHelp HelpFor(const MethodInfo& info) {
  // The toy's weights are of size 1: what fine-tunes a real tower does not move
  // them in a test's time.
  const std::map<std::string, OptionMap> kFaster = {
      {"hp_dval",
       {{"stage1_lr", 0.1},
        {"ema_decay", 0.9},
        {"kd_weight", 0.0},
        {"stage1_epochs", std::int64_t{40}},
        {"augment", std::string("none")}}},
      {"psd", {{"lr", 0.01}, {"head_lr", 0.05}}}};
  ContractHelp help;
  if (const auto found = kFaster.find(info.name); found != kFaster.end()) {
    help.faster = found->second;
  }
  // tests/methods/prompt_test asks these.
  help.says_what_text_says = info.family == "prompt";
  return help;
}

using Case = std::tuple<std::string, std::string>;  // Method, check.

class MethodContract : public ::testing::TestWithParam<Case> {};

TEST_P(MethodContract, IsKept) {
  const MethodRegistry registry = Builtins();
  const auto& [name, check] = GetParam();
  const auto& entry = registry.Find(name);
  const ContractResult result =
      HoldToContract(entry, check, HelpFor(entry.info));
  if (result.outcome == ContractResult::Outcome::kSkipped) {
    GTEST_SKIP() << result.detail;
  }
  EXPECT_EQ(result.outcome, ContractResult::Outcome::kKept)
      << MeaningOf(check) << ": " << result.detail;
}

INSTANTIATE_TEST_SUITE_P(
    Builtin, MethodContract,
    ::testing::Combine(::testing::ValuesIn(Builtins().Names()),
                       ::testing::ValuesIn(ContractChecks())),
    [](const auto& each) {
      return std::get<0>(each.param) + "_" + std::get<1>(each.param);
    });

/// Breaks one promise after the other, to see that each check can fail.
enum class Fault { kNone, kNan, kShape, kChance, kState, kEpochs, kBatch };

struct FaultyOptions {
  std::int64_t fault = 0;
  static constexpr auto Fields() {
    return std::tuple{
        Field{"fault", &FaultyOptions::fault, "Which one", Between(0, 6)}};
  }
};

class Faulty final : public MethodWith<FaultyOptions> {
 public:
  using MethodWith::MethodWith;
  static MethodInfo Info() {
    return {.name = "faulty",
            .version = 1,
            .summary = "Breaks promises",
            .family = "test",
            .abilities = {.stochastic = false}};
  }
  bool Has(Fault fault) const {
    return options().fault == static_cast<std::int64_t>(fault);
  }
  void Fit(FitContext& context) override {
    shift_ = Has(Fault::kChance) ? at::rand({1}) : at::ones({1});
    if (Has(Fault::kEpochs)) return;
    context.observer.OnEpochEnd(*this, {.epoch = 1, .epochs = 1});
  }
  at::Tensor Predict(const Batch& batch) const override {
    const auto classes = problem().num_classes() - (Has(Fault::kShape) ? 1 : 0);
    auto scores = batch.inputs.narrow(1, 0, classes) + shift_;
    if (Has(Fault::kNan)) scores = scores / 0.0 * 0.0;
    if (Has(Fault::kBatch)) scores = scores - batch.inputs.mean();
    return scores;
  }
  ScoreScale scale() const override { return ScoreScale::kLogit; }
  void Save(StateWriter& out) const override { out.Put("shift", shift_); }
  void Load(const StateReader& in) override {
    shift_ = Has(Fault::kState) ? at::zeros({1}) : in.Get("shift");
  }

 private:
  at::Tensor shift_;
};

/// The same class with another default, which is what a check makes it from.
ContractResult Ask(Fault fault, const std::string& check) {
  MethodRegistry registry;
  registry.Add<Faulty>();
  MethodRegistry::Entry entry = registry.Find("faulty");
  entry.create = [fault](const OptionMap&, Problem problem) {
    return std::make_unique<Faulty>(
        FaultyOptions{.fault = static_cast<std::int64_t>(fault)},
        std::move(problem));
  };
  return HoldToContract(entry, check);
}

struct Breach {
  Fault fault;
  const char* check;
  const char* says;
};

class ABrokenPromise : public ::testing::TestWithParam<Breach> {};

TEST_P(ABrokenPromise, IsFoundAndExplained) {
  const Breach& breach = GetParam();
  EXPECT_EQ(Ask(Fault::kNone, breach.check).outcome,
            ContractResult::Outcome::kKept);
  const ContractResult result = Ask(breach.fault, breach.check);
  EXPECT_EQ(result.outcome, ContractResult::Outcome::kBroken);
  EXPECT_NE(result.detail.find(breach.says), std::string::npos)
      << result.detail;
}

INSTANTIATE_TEST_SUITE_P(
    All, ABrokenPromise,
    ::testing::Values(
        Breach{Fault::kNan, "ScoresEveryImageAndClassWithAFiniteNumber",
               "no finite number"},
        Breach{Fault::kShape, "ScoresEveryImageAndClassWithAFiniteNumber",
               "expected [96, 3]"},
        Breach{Fault::kChance, "SameSeedSameBits", "never from a global"},
        Breach{Fault::kChance, "LeavesChanceAndSwitchesAsItFoundThem",
               "global generator"},
        Breach{Fault::kState, "SaveThenLoadKeepsEveryBit", "is not saved"},
        Breach{Fault::kEpochs, "TellsTheObserverOfEveryEpochWithItsNumber",
               "tells of no epoch"},
        Breach{Fault::kBatch, "ARowDoesNotDependOnItsNeighbours",
               "declare batch_invariant false"}));

}  // namespace
}  // namespace tailmark
