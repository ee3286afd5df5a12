#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/metrics/evaluate.h"

namespace tailmark {

/// How scores become decisions. Where the threshold comes from is part of the
/// number: one that was chosen on the test labels flatters.
struct DecisionRule {
  /// A label is given when its score is at least this; nothing: `top_k`.
  std::optional<double> threshold;
  /// The k highest scores of an image, equal ones in class order; 0: by
  /// threshold.
  std::int64_t top_k = 0;
  /// "given", "validation", "best_on_test"; "rule" for top k.
  std::string origin = "given";
  LabelPolicy policy{};

  /// "decide/at=0.5/origin=given/difficult=.../empty=.../nopos=.../v1",
  /// "decide/top=3/origin=rule/...". Behind it stands the figure: ".../of1".
  std::string Id() const;
};

/// Precision, recall and F1 over all decisions together (O) and as means over
/// classes (C), in percent; nothing where nothing is defined.
struct DecisionResult {
  DecisionRule rule;
  std::int64_t images = 0;
  std::int64_t given = 0;      ///< Labels given.
  std::int64_t right = 0;      ///< Of these, right.
  std::int64_t positives = 0;  ///< Labels there are.
  /// Classes that no image was given: their precision counts as 0.
  std::int64_t never_given = 0;
  /// Classes without a positive image: left out of CP, CR and the mean F1
  /// unless nopos=zero.
  std::int64_t undefined = 0;
  std::optional<double> op, orecall, of1;
  std::optional<double> cp, crecall;
  /// Of CP and CR, as papers print it; a mean over classes of F1 is another
  /// number.
  std::optional<double> cf1;
  std::optional<double> mean_class_f1;
};

/// Throws as Evaluate() does; ConfigError for a rule with both or neither of
/// threshold and top_k, or a top_k above the number of classes.
DecisionResult Decide(const ScoreMatrix& scores, const LabelSpans& labels,
                      const DecisionRule& rule);

/// The threshold, among all scores, with the highest of1 under `policy`; the
/// smallest of equals. What is found on test labels must be called
/// "best_on_test".
double BestThreshold(const ScoreMatrix& scores, const LabelSpans& labels,
                     const LabelPolicy& policy);

/// AP over the classes of each image, averaged over images: per-image mAP,
/// which some code prints beside the mean over classes. Never in a table of the
/// other. Rows of the answer are images; images without a positive label are
/// its undefined classes.
DefinitionResult EvaluatePerImage(const ScoreMatrix& scores,
                                  const LabelSpans& labels,
                                  const Definition& definition);
/// "per-image/ap.step/...".
std::string PerImageId(const Definition& definition);

}  // namespace tailmark
