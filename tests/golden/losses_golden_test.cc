#include <gtest/gtest.h>

#include <iostream>
#include <vector>

#include "methods/losses/bce.h"
#include "methods/losses/distribution_balanced.h"
#include "tests/golden/methods_golden.h"

namespace tailmark {
namespace {

/// Positives of each class in the training split of a case: its own input, or
/// those of COCO-LT and VOC-LT.
std::vector<std::int64_t> Counts(const MethodGoldens& goldens,
                                 const Json& each) {
  if (each.at("inputs").contains("class_freq")) {
    const auto counts = goldens.Get(each, "inputs", "class_freq");
    const auto* begin = counts.data_ptr<std::int64_t>();
    return {begin, begin + counts.numel()};
  }
  static const Json kCounts =
      ReadJson(TM_SOURCE_DIR "/tests/golden/lt_counts.json");
  return kCounts.at(each.at("params").at("dataset").get<std::string>());
}

at::Tensor LossOf(const std::string& kind, const Json& each,
                  const std::vector<std::int64_t>& counts,
                  const at::Tensor& logits, const at::Tensor& labels) {
  if (kind == "bce_mean") return BceLoss(logits, labels, {});
  const Json& p = each.at("params");
  const DbOptions options{.alpha = p.at("alpha"),
                          .beta = p.at("beta"),
                          .gamma = p.at("gamma"),
                          .neg_scale = p.at("lam"),
                          .init_bias = p.at("ib")};
  const DistributionBalancedLoss loss(options, counts, p.at("N"),
                                      c10::Device(at::kCPU));
  return loss(logits, labels, {});
}

TEST(LossesGolden, LossAndGradientAreThoseOfTheReference) {
  const auto goldens = MethodGoldens::Open("losses.safetensors");
  if (!goldens) GTEST_SKIP() << "no golden folder methods (losses)";
  int compared = 0;
  for (const Json& each : goldens->cases()) {
    const auto id = each.at("id").get<std::string>();
    const std::string kind = id.substr(id.rfind('/') + 1);
    if (kind != "bce_mean" && kind != "db_elementwise_focal") continue;
    const auto counts = Counts(*goldens, each);
    const auto labels = goldens->Get(each, "inputs", "labels").to(at::kFloat);
    const auto logits = goldens->Get(each, "inputs", "logits").requires_grad_();
    const auto loss = LossOf(kind, each, counts, logits, labels);
    const auto gradient = torch::autograd::grad({loss}, {logits})[0];
    EXPECT_NEAR(loss.item<double>(),
                each.at("outputs").at("loss").at("value").get<double>(),
                MethodGoldens::Bound(each, "loss"))
        << id;
    const auto expected = goldens->Get(each, "outputs", "grad_logits");
    EXPECT_LE((gradient - expected).abs().max().item<double>(),
              MethodGoldens::Bound(each, "grad_logits"))
        << id;
    ++compared;
  }
  std::cout << "compared " << compared << " loss cases\n";
  EXPECT_GT(compared, 0);
}

}  // namespace
}  // namespace tailmark
