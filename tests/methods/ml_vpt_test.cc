// ML-VPT's trained part: its size, its variants, what attends to what.

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "methods/clip/clip_encoder.h"
#include "methods/ml_vpt/grouped_experts.h"
#include "tests/methods/tiny_clip.h"

namespace tailmark {
namespace {

GroupedShape Shape(std::int64_t classes, std::int64_t width, std::int64_t patch,
                   std::size_t branches = 2) {
  std::vector<int> of;
  for (std::int64_t c = 0; c < classes; ++c) of.push_back(int(c % 5));
  return {.classes = classes,
          .width = width,
          .layers = 12,
          .patch = patch,
          .groups = std::vector<std::vector<int>>(branches, of)};
}

std::int64_t Numbers(const GroupedShape& shape) {
  return GroupedExperts(shape, 1, c10::Device(at::kCPU)).numbers();
}

TEST(MlVpt, ParameterTotalsAreThoseOfTheRelease) {
  EXPECT_EQ(Numbers(Shape(80, 768, 16)), 1'022'230);
  EXPECT_EQ(Numbers(Shape(80, 384, 14)), 511'510);
  EXPECT_EQ(Numbers(Shape(20, 768, 16)), 653'110);
  EXPECT_EQ(Numbers(Shape(81, 768, 16)), 1'028'382);
  EXPECT_EQ(Numbers(Shape(256, 768, 16)), 2'104'982);
}

TEST(MlVpt, PromptsStartWithinTheRangeOfTheirPatches) {
  const GroupedExperts experts(Shape(20, 768, 16), 1, c10::Device(at::kCPU));
  const double most = experts.parameters()[0].value.abs().max().item<double>();
  EXPECT_LE(most, 0.0625);
  EXPECT_GT(most, 0.06);
}

TEST(MlVpt, OneExpertHasNoGateAndOneBranchNoOther) {
  auto shape = Shape(10, 8, 4, 1);
  shape.experts = 1;
  const GroupedExperts experts(shape, 1, c10::Device(at::kCPU));
  std::vector<at::Tensor> values;
  for (const auto& each : experts.parameters()) values.push_back(each.value);
  const auto out = experts.Forward(at::ones({3, 5, 8}), values);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_FALSE(out[0].gate.defined());
  EXPECT_EQ(out[0].head.sizes(), (std::vector<std::int64_t>{3, 10}));
}

TEST(MlVpt, AGateByGroupIsTheGateByClassWithEqualRows) {
  auto by_group = Shape(10, 8, 4);
  by_group.gate_by_group = true;
  const GroupedExperts grouped(by_group, 1, c10::Device(at::kCPU));
  const GroupedExperts single(Shape(10, 8, 4), 1, c10::Device(at::kCPU));
  std::vector<at::Tensor> a, b;
  for (const auto& each : grouped.parameters()) a.push_back(each.value);
  b = a;
  const auto of = at::arange(10).remainder(5);
  for (const std::size_t gate : {5u, 8u}) b[gate] = a[gate].index_select(1, of);
  const auto features =
      at::randn({2, 30, 8}, at::detail::createCPUGenerator(2));
  EXPECT_TRUE(grouped.Forward(features, a)[0].head.allclose(
      single.Forward(features, b)[0].head, 1e-5, 1e-6));
  EXPECT_TRUE(grouped.Forward(features, a)[1].gate.allclose(
      single.Forward(features, b)[1].gate, 1e-5, 1e-6));
}

TEST(MlVpt, AClassListensToItsOwnGroupsTokensAlone) {
  const auto shape = Shape(10, 8, 4);
  const GroupedExperts experts(shape, 1, c10::Device(at::kCPU));
  std::vector<at::Tensor> values;
  for (const auto& each : experts.parameters()) values.push_back(each.value);
  auto features =
      at::randn({1, 30, 8}, at::detail::createCPUGenerator(2)).requires_grad_();
  // Class 7 is of group 2: tokens 2, 7, 12, and 17, 22, 27.
  const auto out = experts.Forward(features, values);
  const auto gradient = torch::autograd::grad(
      {out[0].head[0][7] + out[1].head[0][7]}, {features})[0];
  const auto heard = gradient[0].abs().sum(1).gt(0).nonzero().flatten();
  EXPECT_TRUE(heard.equal(at::tensor({2, 7, 12, 17, 22, 27}, at::kLong)));
}

TEST(MlVpt, SoftTokensApartDoNotChangeEachOther) {
  ClipEncoder encoder(TinyClip(), nullptr, "tiny");
  const auto pixels =
      at::randn({2, 3, 16, 16}, at::detail::createCPUGenerator(1));
  const auto slots = encoder.visual_slots();
  EXPECT_EQ(slots.layers, 2);
  auto prompts = at::randn({slots.layers, 4, slots.width},
                           at::detail::createCPUGenerator(2));
  // Only in the last block: before it, a prompt reaches the others through the
  // class token and the patches.
  auto moved = prompts.clone();
  moved[1][3] += at::randn({slots.width}, at::detail::createCPUGenerator(3));
  const auto others = [&](bool apart) {
    const auto before = encoder.EncodePrompted(pixels, prompts, apart).prompts;
    const auto after = encoder.EncodePrompted(pixels, moved, apart).prompts;
    return (before - after).narrow(1, 0, 3).abs().max().item<double>();
  };
  EXPECT_LT(others(true), 1e-5);
  EXPECT_GT(others(false), 1e-3);
}

}  // namespace
}  // namespace tailmark
