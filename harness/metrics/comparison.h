#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/metrics/bootstrap.h"
#include "harness/metrics/interval.h"

namespace tailmark {

/// How large a difference must be to matter, in points, where nothing else is
/// said: 0.3 total, 0.5 head and medium, 1.0 tail. From the paired noise on
/// COCO-LT.
double DefaultMargin(std::string_view group);

/// What a comparison of two things says about one group.
enum class Finding {
  kDifferent,     ///< Adjusted p below alpha.
  kEquivalent,    ///< The 1 - 2 alpha interval lies within +-margin (TOST).
  kInconclusive,  ///< Neither: the minimum detectable difference says why.
  kUndefined      ///< No class of the group has a positive image.
};
std::string_view NameOf(Finding finding);

struct CompareOptions {
  double confidence = 0.95;
  double alpha = 0.05;
  std::map<std::string, double> margins = {};  ///< Override DefaultMargin.
};

/// b - a over the same resamples of the same images.
struct PairedGroup {
  std::string name;
  std::optional<double> a;           ///< Percent.
  std::optional<double> b;           ///< Percent.
  std::optional<double> difference;  ///< Points.
  Interval interval;                 ///< Percentile.
  double standard_error = 0;
  double p = 1;
  double p_adjusted = 1;  ///< Holm over the groups.
  double mde = 0;         ///< At `alpha`, 80 % power, points.
  double margin = 0;
  double p_equivalent = 1;  ///< TOST within the margin.
  Finding finding = Finding::kUndefined;
};

struct PairedClass {
  std::int64_t index = 0;
  std::optional<double> a;
  std::optional<double> b;
  std::optional<double> difference;
  Interval interval;
  double p = 1;
  double p_adjusted = 1;  ///< Benjamini-Hochberg over the classes.
};

struct PairedComparison {
  std::vector<PairedGroup> groups;   ///< "total" first.
  std::vector<PairedClass> classes;  ///< [C]
};

/// REQUIRES: both have the same options, images, groups and definition.
PairedComparison ComparePaired(const Replicates& a, const Replicates& b,
                               const CompareOptions& options = {});

/// The mean over several seeds of one row, resample by resample: what images
/// alone do to the row's mean. REQUIRES: at least one, all alike.
Replicates MeanOverSeeds(std::span<const Replicates> seeds);

/// Which rows are distinguishable in a group: pairwise BootstrapP, Holm over
/// all pairs. [rows][rows], symmetric, for CompactLetters().
std::vector<std::vector<bool>> Distinguishable(
    std::span<const std::vector<double>> replicates, double alpha = 0.05);

/// An image and how much of b - a it makes, in points: what leaving it out
/// takes away.
struct ImageInfluence {
  std::int64_t row = 0;
  double influence = 0;
};
/// The `most` images that speak most against b (first) and for b. ap.step only:
/// empty otherwise.
struct WorstImages {
  std::vector<ImageInfluence> against;
  std::vector<ImageInfluence> for_b;
};
WorstImages FindWorstImages(const ScoreMatrix& a, const ScoreMatrix& b,
                            const LabelSpans& labels,
                            const Definition& definition, std::size_t most);

}  // namespace tailmark
