#pragma once

#include <string>
#include <vector>

#include "harness/metrics/evaluate.h"

namespace tailmark {

/// What is true of every evaluation whatever the scores: AP lies in [0, 1] and
/// not below all-positives-last; worst <= {step, input, reverse, expected} <=
/// best, but step may exceed best; step <= grouped voc10; without ties step and
/// rank agree; one positive image gives 1/rank; all positive gives 1; the
/// counts add up; the means are the means of the classes, and groups that split
/// the classes average, weighted, to the total. Returns one sentence per
/// violation, naming definition and class or group: none for a sound
/// evaluation. Comparisons allow for 1e-9.
std::vector<std::string> Violations(const Evaluation& evaluation);

}  // namespace tailmark
