#pragma once

#include <string>
#include <vector>

#include "harness/base/options.h"

namespace tailmark {

/// A place where a method's paper and its released code differ, or where only
/// one of them says anything. Both sides are values of options, so that each
/// can be run; a name with a dot is a key of the recipe ("protocol.groups").
struct Deviation {
  std::string topic;
  OptionMap paper;     ///< Empty: the paper does not say.
  OptionMap released;  ///< Empty: the release has nothing of the kind.
  std::string source;  ///< Where each of them says so.
  std::string effect;  ///< What the choice does.
};

/// Throws ConfigError when a deviation names an option that is not in `fields`
/// or gives it a value it may not have.
void CheckDeviation(const Deviation& deviation, const FieldTable& fields);

}  // namespace tailmark
