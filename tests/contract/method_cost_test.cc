// What every builtin method declares of its cost (MethodInfo::cost).

#include <gtest/gtest.h>

#include "harness/launch/declared_cost.h"
#include "methods/builtin.h"

namespace tailmark {
namespace {

MethodRegistry Builtins() {
  MethodRegistry registry;
  RegisterBuiltinMethods(registry);
  return registry;
}

CostFacts NanoScenes() {
  return {.train_images = 1582,
          .test_images = 1248,
          .classes = 24,
          .encoder = *EncoderShapeOf(
              std::filesystem::path(TM_SOURCE_DIR "/methods/clip/nano"))};
}

/// Batches of eight of COCO-LT's or VOC-LT's classes through a ViT-B/16.
CostFacts VitB16(double classes) {
  CostFacts facts{.train_images = 8, .test_images = 0, .classes = classes};
  facts.encoder.image = {.width = 768,
                         .numbers = 86.2e6,
                         .tokens = 197,
                         .flops = 35.13e9,
                         .saved = 197.0 * 12 * 768 * 60};
  facts.encoder.text = {.width = 512,
                        .numbers = 63.4e6,
                        .flops = 75.5e6,
                        .saved = 12.0 * 512 * 60};
  facts.encoder.pixels = 224;
  return facts;
}

OptionMap With(const MethodRegistry::Entry& entry, OptionMap options) {
  return ResolveOptions(entry.options, options);
}

OptionMap PresetOf(const MethodRegistry::Entry& entry, const std::string& name,
                   const OptionMap& more = {}) {
  for (const Preset& preset : entry.info.presets) {
    if (preset.name != name) continue;
    OptionMap options = preset.options;
    for (const auto& [key, value] : more) options[key] = value;
    return With(entry, options);
  }
  ADD_FAILURE() << entry.info.name << " has no preset " << name;
  return With(entry, {});
}

DeclaredCost CostOf(const MethodRegistry::Entry& entry,
                    const OptionMap& options, const CostFacts& facts) {
  return Reckon(*entry.info.cost, entry.options, options, facts);
}

/// Without and with what is shared.
double AllOf(const DeclaredCost& cost) {
  double seconds = cost.seconds;
  for (const auto& [name, more] : cost.shared) seconds += more;
  return seconds;
}

class MethodCost : public ::testing::TestWithParam<std::string> {
 protected:
  const MethodRegistry registry_ = Builtins();
  const MethodRegistry::Entry& entry_ = registry_.Find(GetParam());
};

TEST_P(MethodCost, IsDeclaredAndFitsTheOptions) {
  ASSERT_TRUE(entry_.info.cost.has_value());
  EXPECT_NO_THROW(CheckCost(*entry_.info.cost, entry_.options));
  EXPECT_FALSE(entry_.info.cost->work.empty());
}

TEST_P(MethodCost, GrowsWithTheImages) {
  const CostFacts facts = NanoScenes();
  const double before = AllOf(CostOf(entry_, With(entry_, {}), facts));
  CostFacts more = facts;
  // What trains nothing looks at test images alone.
  (entry_.info.abilities.trains ? more.train_images : more.test_images) *= 4;
  EXPECT_GT(AllOf(CostOf(entry_, With(entry_, {}), more)), before);
  EXPECT_GT(before, 0);
}

TEST_P(MethodCost, GrowsWithTheEpochsOfEveryPreset) {
  const Cost& cost = *entry_.info.cost;
  std::vector<OptionMap> all = {{}};
  for (const Preset& each : entry_.info.presets) all.push_back(each.options);
  for (OptionMap options : all) {
    for (const EpochsOption& epochs : cost.epochs) {
      const OptionMap resolved = With(entry_, options);
      if (!AllHold(epochs.when, entry_.options, resolved)) continue;
      const double before = CostOf(entry_, resolved, NanoScenes()).seconds;
      options[epochs.option] =
          4 * std::get<std::int64_t>(resolved.at(epochs.option));
      const double after =
          CostOf(entry_, With(entry_, options), NanoScenes()).seconds;
      EXPECT_GT(after, before) << epochs.option;
      break;
    }
  }
  // An option of this name means what it says.
  for (const FieldInfo& field : entry_.options) {
    EXPECT_TRUE(field.name != "epochs" || !cost.epochs.empty());
  }
}

TEST_P(MethodCost, HasMemoryThatHoldsTheEncoder) {
  const DeclaredCost cost = CostOf(entry_, With(entry_, {}), VitB16(80));
  EXPECT_GT(cost.rss_bytes, 4 * 149'000'000);
  EXPECT_LT(cost.rss_bytes, std::int64_t{64} << 30);
}

INSTANTIATE_TEST_SUITE_P(Builtin, MethodCost,
                         ::testing::ValuesIn(Builtins().Names()),
                         [](const auto& each) { return each.param; });

// ---- Beside what was measured
// ------------------------------------------------

/// Processor seconds of a fit on the embedded scenes, of release builds on one
/// core of the machine of tests/bench/README.md (phases `fit` and `predict`).
struct Measured {
  const char* method;
  const char* preset;
  OptionMap more;
  double seconds;
};

TEST(DeclaredCosts, AreWithinAFactorOfTwoOfEmbeddedFits) {
  const MethodRegistry registry = Builtins();
  const std::int64_t two = 2;
  const std::vector<Measured> measured = {
      {"cocoop", "embedded", {}, 8.3},
      {"coop", "embedded", {}, 4.0},
      {"lmpt", "embedded", {}, 4.6},
      {"hp_dval", "embedded", {}, 31.4},
      {"hp_dval", "embedded-stage2", {}, 12.4},
      {"finetune_clip", "embedded", {{"epochs", std::int64_t{100}}}, 0.8},
      {"psd", "embedded-control", {}, 11.6},
      {"psd", "embedded", {{"parts", two}}, 24.5},
      {"psd", "embedded", {{"teachers", std::string("together")}}, 18.2},
      {"psd", "embedded", {{"teachers", std::string("self")}}, 15.8},
      {"psd", "embedded-contexts", {}, 23.3}};
  for (const Measured& each : measured) {
    const auto& entry = registry.Find(each.method);
    const double declared =
        CostOf(entry, PresetOf(entry, each.preset, each.more), NanoScenes())
            .seconds;
    EXPECT_GT(declared, each.seconds / 2) << each.method << each.preset;
    EXPECT_LT(declared, each.seconds * 2) << each.method << each.preset;
    RecordProperty(StrCat(each.method, "-", declared), StrCat(each.seconds));
  }
}

/// Seconds of a step of eight images, and peak memory, GiB: tests/bench of
/// HP-DVAL at ViT-B/16 (hp_dval_peer.py).
struct MeasuredStep {
  const char* stage;
  double classes;
  double seconds;
  double memory;
};

TEST(DeclaredCosts, AreWithinAThirdOfHpDvalAtFullSize) {
  const MethodRegistry registry = Builtins();
  const auto& entry = registry.Find("hp_dval");
  for (const MeasuredStep& each :
       {MeasuredStep{"1", 80, 8.0, 3.1}, MeasuredStep{"1", 20, 7.6, 3.1},
        MeasuredStep{"2", 80, 3.3, 1.6}, MeasuredStep{"2", 20, 2.1, 1.2}}) {
    const OptionMap options = With(entry, {{"stage", std::string(each.stage)},
                                           {"batch_size", std::int64_t{8}},
                                           {"stage1_epochs", std::int64_t{1}},
                                           {"stage2_epochs", std::int64_t{1}}});
    const CostFacts step = VitB16(each.classes);
    CostFacts none = step;
    none.train_images = 0;
    const DeclaredCost cost = CostOf(entry, options, step);
    const double seconds = cost.seconds - CostOf(entry, options, none).seconds;
    const double memory = static_cast<double>(cost.rss_bytes) / (1 << 30);
    EXPECT_NEAR(seconds, each.seconds, each.seconds / 3)
        << each.stage << " of " << each.classes;
    EXPECT_NEAR(memory, each.memory, each.memory / 3)
        << each.stage << " of " << each.classes;
  }
}

TEST(DeclaredCosts, AreWithinAThirdOfAnLmptEpochAtFullSize) {
  const MethodRegistry registry = Builtins();
  const auto& entry = registry.Find("lmpt");
  CostFacts facts = VitB16(80);
  facts.train_images = 1909;
  facts.test_images = 5000;
  const DeclaredCost cost =
      CostOf(entry, With(entry, {{"epochs", std::int64_t{1}}}), facts);
  EXPECT_NEAR(cost.seconds, 52.6, 52.6 / 3);
  EXPECT_NEAR(static_cast<double>(cost.rss_bytes) / (1 << 30), 1.3, 1.3 / 3);
  // Zero-shot's pass of COCO-LT's test images: 0.17 s an image there.
  EXPECT_NEAR(cost.shared.at("test"), 0.2 * 5000, 0.2 * 5000 / 3);
}

}  // namespace
}  // namespace tailmark
