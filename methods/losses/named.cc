#include "methods/losses/named.h"

#include <memory>
#include <string>
#include <vector>

#include "harness/base/error.h"
#include "harness/base/options.h"
#include "harness/base/suggest.h"
#include "methods/losses/asymmetric.h"
#include "methods/losses/bce.h"
#include "methods/losses/focal.h"
#include "methods/torch_pch.h"

namespace tailmark {
namespace {

void WithoutRegularisation(DbOptions& o) {
  o.init_bias = 0.0;
  o.neg_scale = 1.0;
}

}  // namespace

DbOptions DbNamed(std::string_view name, DbOptions o) {
  if (name == "db") {
    o.focal = DbFocal::kElement;
  } else if (name == "db-batch") {
    o.focal = DbFocal::kBatch;
  } else if (name == "db-nofocal") {
    o.focal = DbFocal::kNone;
    o.loss_weight = 0.5;
  } else if (name == "dbstar") {
    o.positive = DbPositive::kFrequency;
  } else if (name == "dbstar-const") {
    o.positive = DbPositive::kConst;
  } else if (name == "dbstar-literal") {
    o.positive = DbPositive::kFrequency;
    o.weight = DbWeight::kAllClasses;
    o.focal = DbFocal::kNone;
  } else if (name == "cb-focal") {
    o.weight = DbWeight::kClassBalanced;
    o.focal = DbFocal::kBatch;
    o.loss_weight = 10.0;
  } else if (name == "r-bce") {
    o.focal = DbFocal::kNone;
    WithoutRegularisation(o);
  } else if (name == "r-bce-focal") {
    WithoutRegularisation(o);
  } else if (name == "nt-focal") {
    o.weight = DbWeight::kNone;
  } else {
    throw ConfigError(UnknownName("loss", std::string(name),
                                  internal::SplitWords(kLossNames)));
  }
  return o;
}

ClassificationLoss MakeLoss(std::string_view name, const DbOptions& constants,
                            std::span<const std::int64_t> counts,
                            std::int64_t images, c10::Device device) {
  if (name == "bce") return BceLoss;
  if (name == "mls") return MultiLabelSoftMarginLoss;
  if (name == "focal") {
    return [](const auto& z, const auto& y, const auto& known) {
      return FocalLoss({}, z, y, known);
    };
  }
  if (name == "asl" || name == "asl-sum") {
    const AslOptions asl{.reduction = name == "asl" ? AslReduction::kMean
                                                    : AslReduction::kSum};
    return [asl](const auto& z, const auto& y, const auto& known) {
      return AsymmetricLoss(asl, z, y, known);
    };
  }
  return DistributionBalancedLoss(DbNamed(name, constants), counts, images,
                                  device);
}

}  // namespace tailmark
