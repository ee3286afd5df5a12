#include <gtest/gtest.h>

#include <torch/csrc/autograd/autograd.h>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "harness/base/error.h"
#include "methods/losses/asymmetric.h"
#include "methods/losses/bce.h"
#include "methods/losses/class_semantic.h"
#include "methods/losses/named.h"
#include "tests/golden/methods_golden.h"

namespace tailmark {
namespace {

/// Positives of each class in the training split of a case: its own input, or
/// those of COCO-LT and VOC-LT.
std::vector<std::int64_t> Counts(const MethodGoldens& goldens,
                                 const Json& each) {
  if (each.at("inputs").contains("class_freq")) {
    const auto counts = goldens.In(each, "class_freq");
    const auto* begin = counts.data_ptr<std::int64_t>();
    return {begin, begin + counts.numel()};
  }
  static const Json kCounts =
      ReadJson(TM_SOURCE_DIR "/tests/golden/lt_counts.json");
  return kCounts.at(each.at("params").at("dataset").get<std::string>());
}

std::string KindOf(const Json& each) {
  const std::string id = MethodGoldens::Id(each);
  return id.substr(id.rfind('/') + 1);
}

/// The settings of the DB family that a golden's kind stands for.
std::optional<DbOptions> DbOf(const Json& each) {
  const Json& p = each.at("params");
  const DbOptions constants{.alpha = p.at("alpha"),
                            .beta = p.at("beta"),
                            .gamma = p.at("gamma"),
                            .neg_scale = p.at("lam"),
                            .init_bias = p.at("ib"),
                            .pos_scale = p.at("pos"),
                            .empty_class = DbEmptyClass::kReject};
  const std::map<std::string, std::string> names = {
      {"lmpt_db", "db-batch"},
      {"hpdval_stage1", "db-batch"},
      {"hpdval_stage2", "db-batch"},
      {"db_nofocal", "db-nofocal"},
      {"cb_focal", "cb-focal"},
      {"db_elementwise_focal", "db"},
      {"dbstar_wi_focal", "dbstar"},
      {"dbstar_wi_nofocal", "dbstar"},
      {"dbstar_const_focal", "dbstar-const"},
      {"dbstar_literal", "dbstar-literal"}};
  const auto name = names.find(KindOf(each));
  if (name == names.end()) return std::nullopt;
  DbOptions db = DbNamed(name->second, constants);
  if (KindOf(each) == "hpdval_stage1") db.positive = DbPositive::kConst;
  if (KindOf(each) == "dbstar_wi_nofocal") db.focal = DbFocal::kNone;
  return db;
}

ClassificationLoss OtherOf(const std::string& kind) {
  if (kind == "bce_mean") return BceLoss;
  if (kind == "mls") return MultiLabelSoftMarginLoss;
  AslOptions asl;
  if (kind == "asl_mlvpt") {
    asl = MlVptAsl();
  } else if (kind == "asl_4_0_05_sum_fsl" || kind == "asl_4_0_05_sum_psd") {
    asl.reduction = AslReduction::kSum;
  } else if (kind != "asl_4_0_05_mean") {
    throw std::runtime_error("unknown loss of a golden: " + kind);
  }
  return [asl](const auto& z, const auto& y, const auto& known) {
    return AsymmetricLoss(asl, z, y, known);
  };
}

bool Finite(const Json& each) {
  return each.at("outputs").at("loss").at("value").is_number();
}

/// Weights and scaled logits on the way, where the golden has them.
void ExpectParts(const MethodGoldens& goldens, const Json& each,
                 const DistributionBalancedLoss& db, const at::Tensor& logits,
                 const at::Tensor& labels) {
  const auto y = labels.to(at::kDouble);
  const auto z = logits.detach().to(at::kDouble);
  const std::map<std::string, at::Tensor> parts = {
      {"init_bias", db.bias()},
      {"weight", db.Weight(y)},
      {"scaled_weight", db.ScaledWeight(y)},
      {"scaled_logits", db.ScaledLogits(z, y)},
      {"input_after_call", z + db.bias()}};
  for (const auto& [name, value] : parts) {
    if (!each.at("outputs").contains(name)) continue;
    goldens.Expect(each, name, value.reshape(goldens.Out(each, name).sizes()));
  }
}

void Compare(const MethodGoldens& goldens, const Json& each,
             at::ScalarType type) {
  const auto labels = goldens.In(each, "labels").to(type);
  const auto logits = goldens.In(each, "logits").to(type).requires_grad_();
  const auto before = logits.detach().clone();
  ClassificationLoss loss;
  if (const auto options = DbOf(each)) {
    const DistributionBalancedLoss db(*options, Counts(goldens, each),
                                      each.at("params").at("N"), at::kCPU);
    ExpectParts(goldens, each, db, logits, labels);
    loss = db;
  } else {
    loss = OtherOf(KindOf(each));
  }
  const auto value = loss(logits, labels, {});
  goldens.Expect(each, "loss", value);
  goldens.Expect(each, "grad_logits",
                 torch::autograd::grad({value}, {logits})[0]);
  EXPECT_TRUE(logits.equal(before)) << "a loss changed its input";
}

TEST(LossesGolden, LossAndGradientAreThoseOfTheReference) {
  const auto goldens = MethodGoldens::Open("losses.safetensors");
  if (!goldens) GTEST_SKIP() << "no golden folder methods (losses)";
  int compared = 0;
  for (const Json& each : goldens->cases()) {
    if (!Finite(each)) continue;
    for (const auto type : {at::kFloat, at::kDouble}) {
      Compare(*goldens, each, type);
    }
    ++compared;
  }
  std::cout << "compared " << compared
            << " loss cases in float32 and in float64\n";
  EXPECT_GT(compared, 0);
}

// Where the released code gives NaN we refuse the counts, or, if asked to, keep
// them where the formula has a value.
TEST(LossesGolden, WhatIsNotFiniteThereIsRefusedOrClampedHere) {
  const auto goldens = MethodGoldens::Open("losses.safetensors");
  if (!goldens) GTEST_SKIP() << "no golden folder methods (losses)";
  int compared = 0;
  for (const Json& each : goldens->cases()) {
    if (Finite(each)) continue;
    DbOptions options = *DbOf(each);
    const auto counts = Counts(*goldens, each);
    const std::int64_t images = each.at("params").at("N");
    EXPECT_THROW(DistributionBalancedLoss(options, counts, images, at::kCPU),
                 DataError)
        << MethodGoldens::Id(each);
    options.empty_class = DbEmptyClass::kClamp;
    const DistributionBalancedLoss db(options, counts, images, at::kCPU);
    const auto logits = goldens->In(each, "logits").requires_grad_();
    const auto value =
        db(logits, goldens->In(each, "labels").to(at::kFloat), {});
    EXPECT_TRUE(std::isfinite(value.item<double>()));
    EXPECT_TRUE(torch::autograd::grad({value}, {logits})[0]
                    .isfinite()
                    .all()
                    .item<bool>());
    ++compared;
  }
  std::cout << "refused " << compared << " sets of class counts\n";
  EXPECT_GT(compared, 0);
}

void CompareCse(const MethodGoldens& goldens, const Json& each,
                at::ScalarType type) {
  const std::string kind = KindOf(each);
  const auto counts = goldens.In(each, "counts").to(at::kLong);
  const auto* begin = counts.data_ptr<std::int64_t>();
  const CseLoss cse(
      {.variant = CseNamed(kind), .offset = each.at("params").at("m")},
      std::span(begin, static_cast<std::size_t>(counts.numel())), at::kCPU);
  const auto prompt = goldens.In(each, "prompt").to(type).requires_grad_();
  const auto distances =
      cse.Distances(goldens.In(each, "caption").to(type), prompt);
  const auto loss = cse(distances, goldens.In(each, "labels"), {});
  goldens.Expect(each, "S", distances);
  goldens.Expect(each, "loss", loss);
  goldens.Expect(each, "grad_prompt",
                 torch::autograd::grad({loss}, {prompt})[0]);
}

TEST(LossesGolden, ClassSpecificEmbeddingLossIsThatOfTheReference) {
  const auto goldens = MethodGoldens::Open("cse.safetensors");
  if (!goldens) GTEST_SKIP() << "no golden folder methods (cse)";
  int compared = 0;
  for (const Json& each : goldens->cases()) {
    for (const auto type : {at::kFloat, at::kDouble}) {
      CompareCse(*goldens, each, type);
    }
    ++compared;
  }
  std::cout << "compared " << compared
            << " CSE cases in float32 and in float64\n";
  EXPECT_GT(compared, 0);
}

}  // namespace
}  // namespace tailmark
