#pragma once

#include <cstdint>
#include <vector>

#include "datasets/dataset.h"

namespace tailmark {

/// The Pareto rule by which COCO-LT and VOC-LT were cut
/// (DistributionBalancedLoss, section 4): the class of rank r, from 0, is to
/// have most * (1 + b r)^-power positives, with b such that the last class has
/// `least`.
struct LongTailRule {
  std::int64_t most = 0;   ///< 0: as many as the most frequent class has.
  std::int64_t least = 1;  ///< At least 1 and at most `most`.
  double power = 6;        ///< Above 0.
  std::uint64_t seed = 0;
};

/// Positives a class is to have, by class: ranks follow `available`, equal ones
/// in the order of the classes, and no target is above what is available.
/// Throws ConfigError for a rule that cannot be.
std::vector<std::int64_t> LongTailTargets(
    const std::vector<std::int64_t>& available, const LongTailRule& rule);

/// Rows that take part, ascending: rarest class first, images in random order.
/// An image is taken when a class of it still lacks positives and none has too
/// many then; where a class cannot be filled like that, an image that gives
/// others too many is, the one that does so least. Depends on labels, targets
/// and seed alone.
std::vector<std::int64_t> DrawLongTail(const LabelMatrix& labels,
                                       const std::vector<std::int64_t>& targets,
                                       std::uint64_t seed);

}  // namespace tailmark
