// PSD on toy data: who teaches whom, what a bank accepts, and the variant for
// which any partition comes to nothing.

#include <gtest/gtest.h>

#include "harness/api/registry.h"
#include "harness/base/error.h"
#include "harness/run/state_file.h"
#include "methods/builtin.h"
#include "methods/psd/distillation.h"
#include "methods/torch_pch.h"
#include "tests/contract/toys.h"

namespace tailmark {
namespace {

using toys::StopAfter;

class PsdToy : public ::testing::Test {
 protected:
  PsdToy() { RegisterBuiltinMethods(registry_); }

  const MethodRegistry::Entry& entry() const { return registry_.Find("psd"); }
  OptionMap Nano(const OptionMap& more) const {
    OptionMap options = more;
    for (const Preset& preset : entry().info.presets) {
      if (preset.name != "embedded") continue;
      for (const auto& [name, value] : preset.options) {
        options.try_emplace(name, value);
      }
    }
    return options;
  }
  std::unique_ptr<Method> Make(const OptionMap& options) {
    return entry().create(options, toys::MakeToyProblem(data_, &encoder_));
  }
  /// With every run it needs fitted first.
  std::unique_ptr<Method> Fitted(const OptionMap& options) {
    auto method = Make(options);
    std::vector<std::unique_ptr<MemoryState>> states;
    const auto source = MakeFeatureTrainSource(
        data_.rows,
        {.plain = data_.pixels,
         .flipped = [this] { return data_.pixels.flip(3); }},
        {.seed = 3});
    StopAfter never;
    FitContext context{*source, nullptr, 3, never};
    for (const NeededRun& needed :
         NeededRuns(entry().info.depends, entry().options,
                    method->ResolvedOptions())) {
      states.push_back(std::make_unique<MemoryState>());
      Fitted(needed.options)->Save(*states.back());
      context.inputs[needed.role] = states.back().get();
      roles_.push_back(needed.role);
    }
    method->Fit(context);
    return method;
  }
  at::Tensor Scores(const Method& method) const {
    Batch batch;
    batch.inputs = data_.pixels;
    batch.rows = at::arange(data_.pixels.size(0));
    return method.Predict(batch);
  }

  MethodRegistry registry_;
  toys::ToyEncoder encoder_;
  toys::ToyData data_ = toys::MakeToyData(60, 6);
  std::vector<std::string> roles_;
};

const OptionMap kProbe = {{"variant", std::string("linear_probe")},
                          {"reduction", std::string("sum")},
                          {"merge_below", std::int64_t{0}}};

OptionMap Plus(OptionMap options, const OptionMap& more) {
  for (const auto& [name, value] : more) options[name] = value;
  return options;
}

TEST_F(PsdToy, TeachersOfAnyPartitionOfAProbeAreTheModelOfAllClasses) {
  const auto alone =
      Scores(*Fitted(Nano(Plus(kProbe, {{"teachers", std::string("none")}}))));
  for (const std::int64_t parts : {2, 5}) {
    for (const std::string kind : {"spectral", "random"}) {
      for (const std::string output : {"together", "apart", "mean"}) {
        const auto bank = Scores(*Fitted(Nano(Plus(
            kProbe,
            {{"parts", parts}, {"partition", kind}, {"output", output}}))));
        EXPECT_LT((bank - alone).abs().max().item<double>(), 1e-5)
            << parts << " " << kind << " " << output;
      }
    }
  }
}

TEST_F(PsdToy, TeachersOfASharedTowerAreNot) {
  const OptionMap tuned = {{"merge_below", std::int64_t{0}}};
  const auto alone =
      Scores(*Fitted(Nano(Plus(tuned, {{"teachers", std::string("none")}}))));
  const auto bank =
      Scores(*Fitted(Nano(Plus(tuned, {{"output", std::string("mean")}}))));
  EXPECT_GT((bank - alone).abs().max().item<double>(), 1e-3);
}

TEST_F(PsdToy, EveryVariantAndEveryKindOfTeacherTrains) {
  for (const std::string variant :
       {"finetune", "prompt", "adapter", "linear_probe"}) {
    for (const std::string teachers :
         {"both", "together", "apart", "self", "none"}) {
      const auto method =
          Fitted(Nano({{"variant", variant}, {"teachers", teachers}}));
      const auto scores = Scores(*method);
      EXPECT_TRUE(scores.isfinite().all().item<bool>())
          << variant << " " << teachers;
      EXPECT_GT(method->trained_parameters(), 0);
    }
  }
}

TEST_F(PsdToy, StudentsThatDifferInTheStudentAloneShareTheirTeachers) {
  const auto needs = [&](const OptionMap& options) {
    std::vector<OptionMap> out;
    for (const NeededRun& each :
         NeededRuns(entry().info.depends, entry().options,
                    Make(Nano(options))->ResolvedOptions())) {
      EXPECT_FALSE(each.scores);
      out.push_back(each.options);
    }
    return out;
  };
  const auto both = needs({});
  EXPECT_EQ(both.size(), 4u);
  EXPECT_EQ(needs({{"alpha", 0.25}, {"kd", std::string("kl")}}), both);
  EXPECT_EQ(needs({{"output", std::string("mean")}}), both);
  const auto together = needs({{"teachers", std::string("together")}});
  ASSERT_EQ(together.size(), 2u);
  EXPECT_EQ(together[0], both[0]);
  EXPECT_EQ(together[1], both[1]);
  // The other graph's settings are nothing to a teacher.
  EXPECT_EQ(needs({{"apart_exponent", 0.3333}})[0], both[0]);
  EXPECT_NE(needs({{"apart_exponent", 0.3333}})[2], both[2]);
  EXPECT_EQ(needs({{"teachers", std::string("self")}}).size(), 1u);
  EXPECT_EQ(needs({{"teachers", std::string("none")}}).size(), 0u);
}

TEST_F(PsdToy, APartThatWasMergedAwayHasATeacherOfNothing) {
  const auto scores = Scores(*Fitted(
      Nano({{"parts", std::int64_t{3}}, {"merge_below", std::int64_t{1000}}})));
  EXPECT_TRUE(scores.isfinite().all().item<bool>());
  EXPECT_EQ(roles_.size(), 6u);
}

TEST_F(PsdToy, AClassWithoutATeacherIsNamed) {
  try {
    Fitted(Nano({{"partition", std::string("given")},
                 {"given_together", WordList{"street_lamp", "thing1"}},
                 {"given_apart", WordList{"street_lamp", "thing1"}}}));
    ADD_FAILURE() << "the third part has no teacher";
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("has 0 of them"),
              std::string::npos)
        << error.what();
  }
}

TEST_F(PsdToy, ScoresOfTeachersThatAreNotTrainedAreRefused) {
  EXPECT_THROW(Fitted(Nano({{"teachers", std::string("together")},
                            {"output", std::string("apart")}})),
               ConfigError);
}

TEST_F(PsdToy, TheTowerGivenStaysAsItWas) {
  const auto before = encoder_.Bytes();
  Fitted(Nano({}));
  EXPECT_TRUE(encoder_.Bytes().equal(before));
}

TEST(PsdWeights, AddUpToOneUnlessRoundedAsReleased) {
  const PsdWeights exact = WeightsOf(0.5, 0.25, false);
  EXPECT_DOUBLE_EQ(exact.together, 0.125);
  EXPECT_DOUBLE_EQ(exact.apart, 0.375);
  EXPECT_DOUBLE_EQ(WeightsOf(0.5, 0.25, true).apart, 0.38);
  EXPECT_DOUBLE_EQ(WeightsOf(0.5, 1.0, true).apart, 0.0);
}

}  // namespace
}  // namespace tailmark
