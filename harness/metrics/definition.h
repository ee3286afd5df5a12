#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tailmark {

/// How average precision (AP) is computed from a ranking. P positives among N
/// counted images; tp and n: positives and images from the top down to a point.
enum class ApFamily : std::uint8_t {
  /// Sum over distinct scores of (recall step) x precision; equal scores enter
  /// together, so the order of images cannot matter. scikit-learn >= 0.19.
  kStep,
  /// Mean over positives of the precision at their rank. ML-GCN meter, ASL.
  kRank,
  /// Area under the envelope: at each recall the best precision at that recall
  /// or more. VOC2010+ devkit.
  kVoc10,
  /// Mean of that envelope at recall 0, 0.1, ..., 1. VOC2007 devkit.
  kVoc07,
  /// Straight lines between points, (recall 0, precision 1) added; equal scores
  /// enter together. scikit-learn < 0.19.
  kTrapezoid,
  /// kStep at `bins` fixed thresholds 0, 1/(bins-1), ..., 1: scores of one bin
  /// enter together. A matrix with a score outside [0, 1] goes through the
  /// sigmoid first, as torchmetrics with `thresholds=bins` does.
  kBinned,
};

/// Which order images of equal score are taken in.
enum class Ties : std::uint8_t {
  kGrouped,   ///< None: they enter together.
  kInput,     ///< As the rows come.
  kReverse,   ///< Last row first.
  kBest,      ///< Positives first: the largest value any order gives.
  kWorst,     ///< Positives last: the smallest.
  kExpected,  ///< The mean over all orders.
};

/// What an object that is there but marked difficult (positive 1, known 0)
/// counts as. A cell with positive 0, known 0 is unknown and never counts.
enum class Difficult : std::uint8_t { kIgnore, kNegative, kPositive };

/// Whether an image without any positive label stays. What is positive follows
/// from `Difficult`, over all classes.
enum class Empty : std::uint8_t { kKeep, kDrop };

/// A class without a positive image: left out of means and counted, or AP 0
/// that enters the means (as some releases do; for parity only).
enum class NoPositive : std::uint8_t { kExclude, kZero };

/// What counts as a label and as an image. "known labels only, all images" is
/// the default where a data set does not say otherwise.
struct LabelPolicy {
  Difficult difficult = Difficult::kIgnore;
  Empty empty = Empty::kKeep;
  NoPositive no_positive = NoPositive::kExclude;

  friend bool operator==(const LabelPolicy&, const LabelPolicy&) = default;
};

/// One way to turn scores and labels into AP, as a value. Two results may be
/// compared when their definitions are equal.
struct Definition {
  ApFamily family = ApFamily::kStep;
  Ties ties = Ties::kGrouped;  ///< One that the family has: see IsValid.
  LabelPolicy policy{};
  /// kBinned: how many thresholds, 2 to 100,000; 0 for all other families.
  int bins = 0;
  /// Added to the number of positives that kRank divides by: ASL's 1e-8 makes a
  /// perfect AP 1 - 1e-8/P. For parity only; 0 for all other families.
  double eps = 0;
  int version = 1;  ///< Raised when a change may move a number.

  friend bool operator==(const Definition&, const Definition&) = default;
};

std::string_view NameOf(ApFamily family);  ///< "ap.step", ...
std::string_view NameOf(Ties ties);        ///< "grouped", ...
std::string_view NameOf(Difficult value);
std::string_view NameOf(Empty value);
std::string_view NameOf(NoPositive value);

/// Whether the family knows that way with ties.
bool IsValid(ApFamily family, Ties ties);

/// "ap.step" or, with ties other than the family's own way (rank, voc10 and
/// voc07: input), "ap.rank/ties=best"; "ap.binned/bins=200",
/// "ap.rank/eps=1e-08".
std::string ShortId(const Definition& definition);

/// "ap.step/difficult=positive/empty=keep/nopos=exclude/v1": ShortId, policy,
/// version. What is stored beside every number.
std::string IdOf(const Definition& definition);

/// Reads a full or short id. Parts may be left out (taken from `defaults`;
/// bins: 200; the version: this program's) and stand in any order after the
/// family. Throws ConfigError naming the part, what is allowed and the nearest
/// right spelling.
Definition ParseDefinition(std::string_view id,
                           const LabelPolicy& defaults = {});

/// "difficult=positive,empty=keep", as a data set says it; parts left out keep
/// their default. Throws ConfigError.
LabelPolicy ParseLabelPolicy(std::string_view text);
/// "difficult=positive,empty=keep,nopos=exclude".
std::string TextOf(const LabelPolicy& policy);

/// What `tailmark list definitions` prints of one.
struct DefinitionInfo {
  std::string name;  ///< ShortId.
  int version = 1;
  std::string summary;  ///< One line.
};
/// Every family with every way with ties, defaults first in each family.
std::vector<DefinitionInfo> KnownDefinitions();
/// The line of that table. REQUIRES: IsValid(family, ties).
DefinitionInfo InfoOf(const Definition& definition);

/// What is stored of every run: step, rank (input, best, worst, expected),
/// voc10, voc07, trapezoid, binned with 200 thresholds. One sort per class
/// serves all.
std::vector<Definition> DefaultDefinitions(const LabelPolicy& policy);

}  // namespace tailmark
