#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/metrics/evaluate.h"

namespace tailmark {

/// Variation over test images, by drawing them anew with replacement. It says
/// nothing of seeds or machines: those are two other sources of variation and
/// are never merged with this one.
struct BootstrapOptions {
  std::int64_t resamples = 2000;  ///< B; 10 000 for publication.
  std::uint64_t seed = 0;         ///< Of the draws.
  int threads = 1;                ///< Cannot change a bit.
};

/// What one group ("total" or a ClassGroup) is over the resamples.
struct GroupReplicates {
  std::string name;
  std::optional<double> percent;  ///< Of the images as they are.
  /// [B] percent; NaN where no class of the group has a positive image.
  std::vector<double> values;
  /// Classes left out of a resample's mean for want of a positive image, summed
  /// over the resamples.
  std::int64_t left_out = 0;
};

/// A score matrix under B resamples of its images. Two matrices of the same
/// labels under the same options saw the same resamples, so that their values
/// may be subtracted one by one; the same options and label policy always give
/// the same draws.
struct Replicates {
  Definition definition;
  BootstrapOptions options;
  std::int64_t images = 0;              ///< Drawn from, and per resample.
  std::vector<GroupReplicates> groups;  ///< "total", then as given.
  /// [C][B] percent; NaN where the class has no positive image.
  std::vector<std::vector<double>> classes;
  std::vector<std::optional<double>> class_percent;  ///< [C], as they are.

  /// The group of that name, or null.
  const GroupReplicates* Find(std::string_view name) const;
};

/// Per class, images are sorted once; a resample is a count per image. ap.step
/// takes 2,000 resamples of [5000, 80] in under a second on one core, other
/// definitions some ten times that. Throws as Evaluate() does, and ConfigError
/// for fewer than 2 or more than 1,000,000 resamples. Thread-safe.
Replicates BootstrapImages(const ScoreMatrix& scores, const LabelSpans& labels,
                           std::span<const ClassGroup> groups,
                           const Definition& definition,
                           const BootstrapOptions& options = {});

/// How often each of `images` images was drawn in resample `b`: `counts`
/// [images] is overwritten. Depends on (seed, b, images) alone.
void DrawImages(std::uint64_t seed, std::int64_t b,
                std::span<std::uint16_t> counts);

/// Mean per group when one image is left out: [G][images that count], percent,
/// in row order. For BCa intervals. ap.step only: throws ConfigError otherwise.
std::vector<std::vector<double>> LeaveOneOut(const ScoreMatrix& scores,
                                             const LabelSpans& labels,
                                             std::span<const ClassGroup> groups,
                                             const Definition& definition);

}  // namespace tailmark
