// Every method on the CPU and on the CUDA device: the same scores, but for
// rounding.

#include <gtest/gtest.h>
#include <torch/cuda.h>

#include "harness/api/registry.h"
#include "methods/builtin.h"
#include "methods/torch_pch.h"
#include "tests/contract/toys.h"

namespace tailmark {
namespace {

/// Largest difference allowed, relative to the largest score: training sums in
/// another order on each device, over some tens of steps.
constexpr double kBound = 1e-3;

class MethodOnGpu : public ::testing::TestWithParam<std::string> {};

at::Tensor Trained(const MethodRegistry::Entry& entry, c10::Device device) {
  toys::ToyEncoder encoder(device);
  const toys::ToyData data = toys::MakeToyData();
  const auto method =
      entry.create({}, toys::MakeToyProblem(data, &encoder, device));
  const SourceContext context{.seed = 7, .device = device};
  const at::Tensor inputs = entry.info.input == InputKind::kNone ? at::Tensor()
                            : entry.info.input == InputKind::kImages
                                ? data.pixels
                                : data.features;
  const auto train = MakeFeatureTrainSource(
      data.rows, {.plain = inputs, .flipped = [&] { return inputs; }}, context);
  toys::StopAfter never;
  FitContext fit{*train, nullptr, 7, never};
  method->Fit(fit);
  const auto test = MakeFeatureTestSource(data.rows.ids, inputs, context);
  test->Start(1000);
  Batch batch;
  EXPECT_TRUE(test->Next(batch));
  const auto scores = method->Predict(batch);
  EXPECT_EQ(scores.device().type(), device.type());
  return scores.cpu().to(torch::kDouble);
}

TEST_P(MethodOnGpu, GivesTheScoresOfTheCpu) {
  if (!torch::cuda::is_available()) {
    GTEST_SKIP() << "no CUDA device";
  }
  MethodRegistry registry;
  RegisterBuiltinMethods(registry);
  const auto& entry = registry.Find(GetParam());
  const auto cpu = Trained(entry, c10::Device("cpu"));
  const auto gpu = Trained(entry, c10::Device("cuda:0"));
  const double difference = (cpu - gpu).abs().max().item<double>();
  EXPECT_LE(difference, kBound * cpu.abs().max().item<double>());
}

std::vector<std::string> AllMethods() {
  MethodRegistry registry;
  RegisterBuiltinMethods(registry);
  return registry.Names();
}
INSTANTIATE_TEST_SUITE_P(Builtin, MethodOnGpu,
                         ::testing::ValuesIn(AllMethods()),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace tailmark
