#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/base/options.h"
#include "harness/record/catalog.h"
#include "harness/record/recipe.h"

namespace tailmark {

/// One point of a grid: every option with its value and who said so.
struct GridPoint {
  OptionMap options;                           ///< Resolved: every field.
  std::map<std::string, std::string> origins;  ///< Option -> "default", ...
};

/// The product of all axes, the last option turning fastest. An axis is a list
/// where the table declares a scalar, or a list of lists where it declares a
/// list (a plain list there is refused: no guessing). `given` overlays `below`,
/// which came from `below_origin`. Throws ConfigError beginning with the origin
/// and `owner`, whose options they are, and naming the option, the value and
/// what is allowed; at most 10,000 points.
std::vector<GridPoint> ExpandGrid(const FieldTable& fields,
                                  const WrittenOptions& given,
                                  const OptionMap& below = {},
                                  const std::string& below_origin = "",
                                  const std::string& owner = "");

/// ExpandGrid of a method with its preset under the recipe's options. Throws
/// ConfigError for a preset that the method does not have.
std::vector<GridPoint> ExpandMethod(const MethodEntry& method,
                                    const MethodUse& use);

}  // namespace tailmark
