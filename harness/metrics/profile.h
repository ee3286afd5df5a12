#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/metrics/definition.h"

namespace tailmark {

/// How some program or benchmark computes the number that it prints: a
/// definition with its label policy, and which scores it picks. `tailmark eval
/// --profile` and `tailmark reproduce` use it; our own numbers do not.
struct Profile {
  std::string name;     ///< "hpdval".
  std::string summary;  ///< One line: whose code.
  Definition definition;
  std::string selection;  ///< "last", "validation", "best_on_test".
  /// What of that code no definition can imitate; "" when nothing is left.
  std::string not_imitated;
};

/// sklearn, torchmetrics, asl, mlgcn, mmpretrain, q2l, voc2007, voc2012,
/// lmpt-zero-shot, lmpt, hpdval.
const std::vector<Profile>& KnownProfiles();

/// Throws ConfigError with the nearest name.
const Profile& FindProfile(std::string_view name);

}  // namespace tailmark
