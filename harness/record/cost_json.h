#pragma once

#include <string>

#include "harness/base/cost.h"
#include "harness/base/json.h"

namespace tailmark {

/// A cost as catalogues and plugins' declarations write it, and back: what is
/// absent has its default. Throws DataError that begins with `where`,
/// ConfigError for an unknown unit.
Json ToJson(const Cost& cost);
Cost CostFromJson(const Json& json, const std::string& where);

}  // namespace tailmark
